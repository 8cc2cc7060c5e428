package scan

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A ListCall is one call of a table's List function: for one value of a list, or for the whole scan if it has none.
type ListCall struct {
	*Scan
	table *table
	d     *plugin.QueryData
	own   quals
	// remaining returns how many more rows are needed: very many if the scan has no LIMIT, and none after its end.
	remaining func(context.Context) int64
}

// listCall begins a call of List.
func (t *table) listCall(ctx context.Context, d *plugin.QueryData, remaining func(context.Context) int64) (c *ListCall, err error) {
	c = &ListCall{Scan: t.scanOf(ctx, d), table: t, d: d, remaining: remaining}
	if c.connect(); c.err != nil {
		return c, c.err
	}
	c.own, err = callQuals(d)
	return c, err
}

// TableName returns the name of the table, for errors.
func (c *ListCall) TableName() string { return c.d.Table.Name }

// Selected returns the columns that the scan selects.
func (c *ListCall) Selected() Columns { return c.d.QueryContext.Columns }

// OnlyEchoes reports whether the scan selects only columns that the table declares as Echoes.
func (c *ListCall) OnlyEchoes() bool { return c.Selected().AllIn(c.table.Echoes) }

// Has reports whether a key column must equal something.
func (c *ListCall) Has(column string) bool {
	_, has := c.own[column]
	return has
}

// Texts returns the values that a key column must equal in this call, or nil.
func (c *ListCall) Texts(column string) []string { return c.own[column] }

// Text returns the one value that a key column must equal, or "". The SDK splits a list of several, unless another
// column has a list as well: then the call has it whole, and the caller has to use Texts.
func (c *ListCall) Text(column string) string {
	if list := c.Texts(column); len(list) > 0 {
		return list[0]
	}
	return ""
}

// AllTexts returns the values that a key column must equal in the whole scan, whose calls have one each, sorted and each
// once: for requests that take many values.
func (c *ListCall) AllTexts(column string) []string {
	list := slices.Concat(c.quals[column], c.own[column])
	slices.Sort(list)
	return slices.Compact(list)
}

// Combine returns a T for each combination of the values of some key columns in this call.
func Combine[T any](c *ListCall, fields ...Field[T]) ([]T, error) { return combine(c.own, fields...) }

// Bounds returns the conditions on a key column of type timestamp.
func (c *ListCall) Bounds(column string) ([]Bound, error) { return boundsOf(c.d, column) }

// HasLimit reports whether the scan has a LIMIT.
func (c *ListCall) HasLimit() bool { return c.d.QueryContext.Limit != nil }

// Limit returns how many rows the scan needs, or most if it does not say or needs more.
func (c *ListCall) Limit(most int) int {
	if n := c.d.QueryContext.Limit; n != nil && *n < int64(most) {
		return int(*n)
	}
	return most
}

// Remaining returns how many rows the scan still needs, or lookup.AllRows if it does not say.
func (c *ListCall) Remaining(ctx context.Context) int64 {
	if !c.HasLimit() {
		return lookup.AllRows
	}
	return max(0, c.remaining(ctx))
}

// emit passes a row on, and reports whether more are needed.
func (c *ListCall) emit(ctx context.Context, row any) (more bool) {
	c.d.StreamListItem(ctx, row)
	return c.remaining(ctx) > 0
}

// fromPages are the Rows of FromPages.
type fromPages[R any] func(ctx context.Context, c *ListCall, emit func(R) bool) error

// FromPages builds rows that are in several responses. list requests them with Fetch or Pages and passes each row to
// emit. It must return when emit returns false: the scan has enough rows. An error fails the scan.
func FromPages[R any](list func(ctx context.Context, c *ListCall, emit func(R) bool) error) Rows {
	return fromPages[R](list)
}

func (list fromPages[R]) list(ctx context.Context, c *ListCall) error {
	defer c.lockForLimit(c.d)()
	if c.remaining(ctx) == 0 {
		return nil
	}
	return list(ctx, c, func(row R) bool { return c.emit(ctx, row) })
}

// fromCall are the Rows of FromCall.
type fromCall[R any] struct{ fromPages[R] }

func (fromCall[R]) oneCall() {}

// FromCall builds rows that are all in the response to one call.
func FromCall[T, R any](call shodan.Call[T], rows func(*ListCall, T) []R) Rows {
	return fromCall[R]{func(ctx context.Context, c *ListCall, emit func(R) bool) error {
		reply, err := Fetch(ctx, c, call)
		if err != nil {
			return err
		}
		for _, row := range rows(c, reply.Value) {
			if !emit(row) {
				break
			}
		}
		return nil
	}}
}

// Items are the rows of a response that is a list of them.
func Items[R any](_ *ListCall, list []R) []R { return list }

// A Page is a page of a list.
type Page[T any] struct {
	Items []T
	// Total is how many items the list has, nil if the service does not say.
	Total *int64
	// Last says that no page follows.
	Last bool
	// CheckedAt is when the page was requested.
	CheckedAt time.Time
}

// Pages yields a list page by page, from the one of the number first on. Each page has only the items that no page
// before had, by their key: while the pages are read, new items move others from one page to the next. The last page
// yielded is the Last of the list, or one without a new item.
func Pages[T any](first int, fetch func(number int) (Page[T], error), key func(*T) string) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		seen := map[string]bool{}
		for number := first; ; number++ {
			page, err := fetch(number)
			if err != nil {
				yield(Page[T]{}, err)
				return
			}
			items := page.Items
			page.Items = nil
			for i := range items {
				if k := key(&items[i]); !seen[k] {
					seen[k] = true
					page.Items = append(page.Items, items[i])
				}
			}
			if !yield(page, nil) || page.Last || len(page.Items) == 0 {
				return
			}
		}
	}
}

// An Item is an item of a list with what its page says.
type Item[T any] struct {
	Value     T
	Total     *int64
	CheckedAt time.Time
}

// EmitItems emits the items of a list that the API has in pages, at most as many as the scan needs or most.
func EmitItems[T any](ctx context.Context, c *ListCall, most int, call func(number int) shodan.Call[*shodan.Page[T]], key func(*T) string, emit func(Item[T]) bool) error {
	rows, limit := 0, c.Limit(most)
	fetch := func(number int) (Page[T], error) {
		reply, err := Fetch(ctx, c, call(number))
		if err != nil {
			return Page[T]{}, err
		}
		return Page[T]{Items: reply.Value.Matches, Total: reply.Value.Total.Ptr(), CheckedAt: reply.CheckedAt}, nil
	}
	for page, err := range Pages(1, fetch, key) {
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if rows++; !emit(Item[T]{item, page.Total, page.CheckedAt}) || rows == limit {
				return nil
			}
		}
		if page.Total != nil && int64(rows) >= *page.Total {
			return nil
		}
	}
	return nil
}

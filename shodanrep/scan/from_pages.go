package scan

import (
	"context"
	"iter"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

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

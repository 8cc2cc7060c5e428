package scan

import (
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
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

// Texts returns the values that a key column must equal in this call, or nil. The SDK splits a list of several, unless
// another condition has a list as well: then the call has it whole.
func (c *ListCall) Texts(column string) []string { return c.own[column] }

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

package shodanrep

import (
	"context"
	"sync"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A ChangeColumn is a column of the table shodan_reputation_change.
type ChangeColumn struct {
	Name  string
	Type  string // text, bool, int8, timestamptz or inet
	value transform.TransformFunc
}

// ChangeColumns returns the columns of changes in the order of the table.
var ChangeColumns = sync.OnceValue(func() []ChangeColumn {
	var columns []ChangeColumn
	for _, c := range tableShodanReputationChange(context.Background()).Columns {
		columns = append(columns, ChangeColumn{Name: c.Name, Type: columnTypes[c.Type], value: c.Transform.Transforms[0].Transform})
	}
	return columns
})

// Value returns the value of the column: nil, a string, bool, int64 or time.Time. The row is that of a change or, if the
// change is nil, of an address without one.
func (c ChangeColumn) Value(observed *scan.Observed, change *scan.Change) any {
	value, err := c.value(context.Background(), &transform.TransformData{HydrateItem: &changeRow{Observed: observed, change: change}})
	if err != nil || value == nil {
		return nil // no column's function fails
	}
	return plainValue(value)
}

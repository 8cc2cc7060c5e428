package scan

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"
	"golang.org/x/sync/errgroup"
)

// defined finds the table that Define made of what SQL sees of it. The pointers are weak: when a plugin goes, its tables go
// too.
var defined sync.Map // of weak.Pointer[plugin.Table] to *table

// remember makes definedAs find a table.
func (t *table) remember(seen *plugin.Table) {
	key := weak.Make(seen)
	defined.Store(key, t)
	runtime.AddCleanup(seen, func(key weak.Pointer[plugin.Table]) { defined.Delete(key) }, key)
}

// definedAs returns the table that Define made, or nil for a table of another plugin.
func definedAs(seen *plugin.Table) *table {
	t, _ := defined.Load(weak.Make(seen))
	made, _ := t.(*table)
	return made
}

// itemsAhead is how many items of List wait for their columns.
const itemsAhead = 100

// ReaderOf returns the function that reads the rows of a table without the SDK's server, or nil for a table that only
// the server can read. It is what the SDK does, without a goroutine and a copy of the query for each row: it calls List
// (once for all values of the key columns, unless the table declares ReadBy), then the hydrate function of the columns
// for each item, and then the same transforms. send gets the values of the columns, row by row.
//
// The query data needs Table, Connection, QueryContext, Quals and EqualsQuals. The function returns the first error, and
// ends soon after its context.
func ReaderOf(seen *plugin.Table) func(ctx context.Context, d *plugin.QueryData, columns []*plugin.Column, send func([]*proto.Column)) error {
	// The builder must emit the rows of a whole list in one call, or the table declare ReadBy.
	if t := definedAs(seen); t != nil && (t.takesLists() || t.ReadBy != "") {
		return t.read
	}
	return nil
}

// takesLists reports whether the rows are about addresses, and those of a whole list come from one call of List.
func (t *table) takesLists() bool {
	_, ok := t.Rows.(interface{ takesLists() })
	return ok
}

// read is the function that ReaderOf returns.
func (t *table) read(ctx context.Context, d *plugin.QueryData, columns []*plugin.Column, send func([]*proto.Column)) error {
	ctx, stop := context.WithCancel(ctx)
	items, listed := make(chan any, itemsAhead), make(chan error, 1)
	defer func() {
		stop()
		for range items { // List has ended when they are closed
		}
	}()
	go func() {
		defer close(items)
		listed <- t.listTo(ctx, d, items)
	}()
	row := newRowMaker(d, columns)
	for item := range items {
		values, err := row.values(ctx, item)
		if err != nil {
			return err
		}
		send(values)
	}
	return <-listed
}

// listTo calls List, and sends its items to a channel.
func (t *table) listTo(ctx context.Context, d *plugin.QueryData, items chan<- any) (err error) {
	defer catchPanic(&err)
	var left atomic.Int64
	left.Store(math.MaxInt32) // as the SDK says it
	if d.QueryContext.Limit != nil {
		left.Store(*d.QueryContext.Limit)
	}
	send := func(ctx context.Context, list ...any) {
		for _, item := range list {
			if left.Add(-1) < 0 {
				return
			}
			select {
			case items <- item:
			case <-ctx.Done():
				return
			}
		}
	}
	remaining := func(ctx context.Context) int64 {
		if ctx.Err() != nil {
			return 0
		}
		return max(0, left.Load())
	}
	var calls []*ListCall
	for _, d := range t.listData(d) {
		d.StreamListItem = send
		c, err := t.listCall(ctx, d, remaining)
		if err != nil {
			return err // before any call runs, which would go on without this function
		}
		calls = append(calls, c)
	}
	lists, listing := errgroup.WithContext(ctx)
	for _, c := range calls {
		lists.Go(func() (err error) {
			defer catchPanic(&err)
			return t.Rows.list(listing, c)
		})
	}
	return lists.Wait()
}

// listData returns the query data of each call of List: one for all values of the key columns, or, as the SDK does, one
// for each value of ReadBy.
func (t *table) listData(d *plugin.QueryData) []*plugin.QueryData {
	values, isList := d.EqualsQuals[t.ReadBy].GetValue().(*proto.QualValue_ListValue)
	if !isList {
		return []*plugin.QueryData{d}
	}
	all := make([]*plugin.QueryData, len(values.ListValue.GetValues()))
	for i, value := range values.ListValue.GetValues() {
		own := maps.Clone(d.EqualsQuals)
		own[t.ReadBy] = value
		all[i] = &plugin.QueryData{Table: d.Table, Connection: d.Connection, QueryContext: d.QueryContext, Quals: d.Quals, EqualsQuals: own}
	}
	return all
}

// catchPanic makes an error of a panic, as the SDK does. The SDK's own can be lost, see Failure.
func catchPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the table failed with panic %v", r)
	}
}

// A rowMaker makes rows of items.
type rowMaker struct {
	d       *plugin.QueryData
	columns []rowColumn
	// hydrate are the different hydrate functions of the columns.
	hydrate []plugin.HydrateFunc
	data    transform.TransformData
	sources []any // of the row: the item, and then what each hydrate function returned
}

// A rowColumn is a column of a row, and the index of its source.
type rowColumn struct {
	*plugin.Column
	source int
}

func newRowMaker(d *plugin.QueryData, columns []*plugin.Column) *rowMaker {
	m := &rowMaker{d: d, data: transform.TransformData{KeyColumnQuals: d.Quals.ToQualMap()}}
	known := map[uintptr]int{} // by the function's code: a table has it once
	for _, column := range columns {
		source := 0
		if column.Hydrate != nil {
			code := reflect.ValueOf(column.Hydrate).Pointer()
			if known[code] == 0 {
				m.hydrate = append(m.hydrate, column.Hydrate)
				known[code] = len(m.hydrate)
			}
			source = known[code]
		}
		m.columns = append(m.columns, rowColumn{column, source})
	}
	m.sources = make([]any, len(m.hydrate)+1)
	return m
}

// values returns the values of the columns for an item.
func (m *rowMaker) values(ctx context.Context, item any) (values []*proto.Column, err error) {
	defer catchPanic(&err)
	m.sources[0] = item
	for i, hydrate := range m.hydrate {
		if m.sources[i+1], err = hydrate(ctx, m.d, &plugin.HydrateData{Item: item}); err != nil {
			return nil, err
		}
	}
	values = make([]*proto.Column, len(m.columns))
	for i, column := range m.columns {
		if values[i], err = m.value(ctx, column); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// value returns the value of a column.
func (m *rowMaker) value(ctx context.Context, column rowColumn) (_ *proto.Column, err error) {
	var value any
	if source := m.sources[column.source]; !isNil(source) {
		m.data.HydrateItem, m.data.ColumnName = source, column.Name
		for _, call := range column.Transform.Transforms {
			m.data.Param, m.data.Value = call.Param, value
			if value, err = call.Transform(ctx, &m.data); err != nil {
				return nil, fmt.Errorf("failed to populate column '%s': %w", column.Name, err)
			}
		}
	}
	return column.ToColumnValue(value)
}

// isNil reports whether a value is nil, or a nil pointer.
func isNil(value any) bool {
	v := reflect.ValueOf(value)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

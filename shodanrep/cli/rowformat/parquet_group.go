package rowformat

import (
	"reflect"

	"github.com/parquet-go/parquet-go"
)

// A parquetGroup is a group whose fields keep their order, unlike those of [parquet.Group].
type parquetGroup struct {
	parquet.Group
	fields []parquet.Field
}

type parquetGroupField struct {
	parquet.Node
	name string
}

func newParquetGroup(fields []parquetField) parquet.Node {
	g := parquetGroup{Group: parquet.Group{}}
	for _, f := range fields {
		field := parquetGroupField{f.kind.node(), f.name}
		g.Group[f.name] = field
		g.fields = append(g.fields, field)
	}
	return g
}

func (g parquetGroup) Fields() []parquet.Field { return g.fields }

// GoType returns a type that no row has: rows are written as values. That of [parquet.Group] fails for names that Go
// does not allow.
func (g parquetGroup) GoType() reflect.Type { return reflect.TypeFor[map[string]any]() }

func (f parquetGroupField) Name() string { return f.name }

func (f parquetGroupField) Value(base reflect.Value) reflect.Value {
	return base.MapIndex(reflect.ValueOf(f.name))
}

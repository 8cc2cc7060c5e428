package shodanrep

import (
	"reflect"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"
)

// sameShape reports whether the JSON of two types has the same shape.
func sameShape(a, b reflect.Type) bool {
	switch {
	case a.Kind() == reflect.Pointer:
		return sameShape(a.Elem(), b)
	case b.Kind() == reflect.Pointer:
		return sameShape(a, b.Elem())
	case a.Kind() == reflect.Slice && b.Kind() == reflect.Slice:
		return sameShape(a.Elem(), b.Elem())
	case a.Kind() == reflect.Map && b.Kind() == reflect.Map:
		return sameShape(a.Elem(), b.Elem())
	case isInteger(a) && isInteger(b):
		return true
	case a.Kind() == reflect.String:
		return b.Kind() == reflect.String
	}
	return a == b
}

func isInteger(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64 }

// TestTheTypesOfJSONColumnsAreThoseOfTheirValues also finds a new column of a fixed shape that has no type.
func TestTheTypesOfJSONColumnsAreThoseOfTheirValues(t *testing.T) {
	t.Parallel()
	// Of these, and of those whose values are the text of a response, each value has a shape of its own.
	free := map[string]bool{"triggers": true, "evidence": true}
	seen := map[string]bool{}
	for _, body := range columnSeeds() {
		rows := rowsOf([]byte(body))
		for name, table := range columnTables(t) {
			for _, column := range table.Columns {
				if column.Type != proto.ColumnType_JSON || free[column.Name] {
					continue
				}
				for _, item := range rows {
					value, err := column.Transform.Execute(t.Context(), &transform.TransformData{HydrateItem: item, ColumnName: column.Name})
					if _, isText := value.(string); err != nil || value == nil || isText {
						continue
					}
					seen[column.Name] = true
					want := JSONType(column.Name)
					if got := reflect.TypeOf(value); want == nil || !sameShape(got, want) {
						t.Fatalf("%s.%s: a value has the type %s, and the column %v", name, column.Name, got, want)
					}
				}
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only the columns %v have values", seen)
	}
}

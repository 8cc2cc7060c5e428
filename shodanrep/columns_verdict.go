package shodanrep

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A VerdictColumn is a column of verdicts.
type VerdictColumn struct {
	Name        string
	Description string
	Type        string // text, bool, int8, float8, jsonb, timestamptz or inet
	get         getter
	ofTarget    bool // the value is that of the target, and not of its result
}

// columnTypes are the types of columns by the names that Steampipe gives them.
var columnTypes = map[proto.ColumnType]string{
	proto.ColumnType_STRING: "text", proto.ColumnType_BOOL: "bool", proto.ColumnType_INT: "int8", proto.ColumnType_DOUBLE: "float8",
	proto.ColumnType_JSON: "jsonb", proto.ColumnType_TIMESTAMP: "timestamptz", proto.ColumnType_INET: "inet",
}

// verdictColumns are the columns of the table.
var verdictColumns = sync.OnceValue(func() []VerdictColumn {
	var columns []VerdictColumn
	for _, c := range tableShodanIPReputation(context.Background()).Columns {
		columns = append(columns, VerdictColumn{
			Name: c.Name, Description: c.Description, Type: columnTypes[c.Type],
			get: c.Transform.Transforms[0].Param.(getter), ofTarget: c.Hydrate == nil,
		})
	}
	return columns
})

// VerdictColumns returns the columns of verdicts in the order of the table shodan_ip_reputation.
func VerdictColumns() []VerdictColumn { return slices.Clone(verdictColumns()) }

// Encode encodes the value of a column.
func (c *VerdictColumn) Encode(e ValueEncoder, v *scan.Verdict) {
	var item any = v
	if c.ofTarget {
		item = v.Target
	}
	if c.get.encode != nil {
		c.get.encode(item, e)
		return
	}
	switch value := c.Value(v).(type) {
	case nil:
		e.Null()
	case int64:
		e.Int(value)
	case time.Time:
		e.Time(value)
	default:
		if c.Type == "jsonb" {
			e.JSON(value)
		} else {
			e.Value(value)
		}
	}
}

// Value returns the value of a column: nil, a string, bool, int64, float64 or time.Time, or, of the type jsonb, what
// encoding/json marshals.
func (c *VerdictColumn) Value(v *scan.Verdict) any {
	var item any = v
	if c.ofTarget {
		item = v.Target
	}
	value := c.get.value(item)
	if value == nil || c.Type == "jsonb" {
		return value
	}
	return plainValue(value)
}

// plainTime returns a time as the SDK returns the table's.
func plainTime(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// plainValue returns what a pointer points to, and numbers in one type each.
func plainValue(value any) any {
	switch v := value.(type) {
	case string, bool, int64, float64:
		return v
	case time.Time:
		return plainTime(v)
	case int:
		return int64(v)
	case *float64:
		return *v
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer:
		return plainValue(v.Elem().Interface())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(v.Uint())
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.Bool:
		return v.Bool()
	case reflect.String:
		return v.String()
	}
	return value
}

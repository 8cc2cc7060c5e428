package shodanrep

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A Verdict is what is known of an address and how a policy scores it: a row of the table shodan_ip_reputation.
type Verdict struct {
	subject *subject
	row     *reputationRow
}

// IP returns the address, or the network where that was asked for.
func (v *Verdict) IP() string { return v.subject.given }

// Status returns the status, as the column status.
func (v *Verdict) Status() lookup.Status { return v.row.answer.Status }

// IsNetwork reports whether the verdict is about a network, which is not looked up.
func (v *Verdict) IsNetwork() bool { return v.subject.network }

// Level returns the level, Unknown where there is no score.
func (v *Verdict) Level() reputation.Level { return v.row.level() }

// Answer returns what the lookup came to.
func (v *Verdict) Answer() lookup.Answer { return v.row.answer }

// Host returns what is known of the host, or nil.
func (v *Verdict) Host() *shodan.Host { return v.row.answer.Host }

// Result returns the score and its factors, or nil where nothing is known.
func (v *Verdict) Result() *reputation.Result { return v.row.result }

// Listing returns the entry of the connection's lists that the address is on.
func (v *Verdict) Listing() reputation.Listing { return v.row.listing }

// A VerdictColumn is a column of verdicts.
type VerdictColumn struct {
	Name        string
	Description string
	Type        string // text, bool, int8, float8, jsonb, timestamptz or inet
	value       transform.TransformFunc
	ofSubject   bool // the value is of what was asked for, and not of the row
}

// verdictColumns are the columns of the table.
var verdictColumns = sync.OnceValue(func() []VerdictColumn {
	types := map[proto.ColumnType]string{
		proto.ColumnType_STRING: "text", proto.ColumnType_BOOL: "bool", proto.ColumnType_INT: "int8", proto.ColumnType_DOUBLE: "float8",
		proto.ColumnType_JSON: "jsonb", proto.ColumnType_TIMESTAMP: "timestamptz", proto.ColumnType_INET: "inet",
	}
	var columns []VerdictColumn
	for _, c := range tableShodanIPReputation(context.Background()).Columns {
		columns = append(columns, VerdictColumn{
			Name: c.Name, Description: c.Description, Type: types[c.Type],
			value: c.Transform.Transforms[0].Transform, ofSubject: c.Hydrate == nil,
		})
	}
	return columns
})

// VerdictColumns returns the columns of verdicts in the order of the table shodan_ip_reputation.
func VerdictColumns() []VerdictColumn { return slices.Clone(verdictColumns()) }

// Value returns the value of a column: nil, a string, bool, int64, float64 or time.Time, or, of the type jsonb, what
// encoding/json marshals.
func (c VerdictColumn) Value(v *Verdict) any {
	data := transform.TransformData{HydrateItem: v.row}
	if c.ofSubject {
		data.HydrateItem = v.subject
	}
	value, err := c.value(context.Background(), &data)
	if err != nil || value == nil {
		return nil // no column's function fails
	}
	if c.Type == "jsonb" {
		return value
	}
	return plainValue(value)
}

// plainValue returns what a pointer points to, and numbers in one type each.
func plainValue(value any) any {
	switch v := value.(type) {
	case string, bool, int64, float64:
		return v
	case time.Time:
		return v.UTC().Truncate(time.Second) // as the SDK does with the table's
	case int:
		return int64(v)
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

package shodanrep

import (
	"context"
	"reflect"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// from gets a column's value from what its hydrate function returned. An empty text, or a list that the source does not
// have, is null; numbers and empty lists are values, so that score 0 is 0.
func from[T, V any](get func(T) V) *transform.ColumnTransforms {
	value := func(hydrated any) any {
		item, ok := hydrated.(T)
		if !ok {
			return nil
		}
		if value := any(get(item)); !isNull(value) {
			return value
		}
		return nil
	}
	// The parameter is for VerdictColumn, which gets values without the SDK.
	return transform.FromP(func(_ context.Context, d *transform.TransformData) (any, error) {
		return value(d.HydrateItem), nil
	}, getter{value, encoderOf(get)})
}

// A getter gets a column's value from what its hydrate function returned. Encode encodes the value; it is nil if the type
// of the value is not known before.
type getter struct {
	value  func(hydrated any) any
	encode func(hydrated any, e ValueEncoder)
}

// isNull reports whether a value is null in SQL.
func isNull(value any) bool {
	switch v := value.(type) { // the usual types, without reflection
	case nil:
		return true
	case string:
		return v == ""
	case int, bool:
		return false
	case time.Time:
		return v.IsZero()
	case []string:
		return v == nil
	case shodan.Texts:
		return v == nil
	case shodan.Ints:
		return v == nil
	case *float64:
		return v == nil
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}

// addressKeys are the key columns of the tables that look up addresses. Either of the two will do, which keeps every
// form of join working in Steampipe; what a source alone can answer is the table's to say.
func addressKeys() plugin.KeyColumnSlice {
	return plugin.KeyColumnSlice{scan.AnyOf("ip"), scan.AnyOf("source")}
}

const (
	ipDescription = "The IPv4 or IPv6 address, as written in the query. A full-length mask (/32, /128) makes no difference."

	sourceDescription = "The source of the data: dataset (files written by shodan download), shodan (the REST API) or internetdb (free, no key). " +
		"Select one with where source = '…'. Null if no source was used, as for a reserved address."

	policyDescription = "The policy that computed the score. The default is the connection's policy; select another with where policy = '…', such as baseline or extended."

	errorDescription = "The reason why the lookup failed, and what to do. Null unless status is error."
)

// These functions make a column of each type from a function that gets the value of a row.
func text[T, V any](name, description string, get func(T) V) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_STRING, Description: description, Transform: from(get)}
}

func integer[T, V any](name, description string, get func(T) V) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_INT, Description: description, Transform: from(get)}
}

func number[T, V any](name, description string, get func(T) V) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_DOUBLE, Description: description, Transform: from(get)}
}

func boolean[T, V any](name, description string, get func(T) V) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_BOOL, Description: description, Transform: from(get)}
}

func jsonb[T, V any](name, description string, get func(T) V) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_JSON, Description: description, Transform: from(get)}
}

// timestamp makes a column of times. A time that the column cannot hold would end the query: it is null.
func timestamp[T any](name, description string, get func(T) time.Time) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_TIMESTAMP, Description: description, Transform: from(func(item T) (null time.Time) {
		if at := get(item); shodan.IsStorable(at) {
			return at
		}
		return null
	})}
}

// ofPart gets a value from a part of a row. It is null for a row without the part.
func ofPart[T, P, V any](part func(T) *P, get func(*P) V) func(T) V {
	return func(item T) (null V) {
		if p := part(item); p != nil {
			return get(p)
		}
		return null
	}
}

func inet[T, V any](name, description string, get func(T) V) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_INET, Description: description, Transform: from(get)}
}

// echoed is the value of a key column as the query has it, also an empty text: from would make that null, and PostgreSQL
// would drop the row.
func echoed(given *string) any { return given }

// hydrated gives columns the hydrate function that makes their row.
func hydrated(hydrate plugin.HydrateFunc, columns ...*plugin.Column) []*plugin.Column {
	for _, column := range columns {
		column.Hydrate = hydrate
	}
	return columns
}

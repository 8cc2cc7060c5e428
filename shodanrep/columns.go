package shodanrep

import (
	"context"
	"reflect"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// from makes a column's value of what its hydrate function returned. Where there is nothing, an empty text or a list
// that the source does not have, the column is null; numbers and empty lists are values, so that score 0 is 0.
func from[T any](get func(T) any) *transform.ColumnTransforms {
	return transform.From(func(_ context.Context, d *transform.TransformData) (any, error) {
		item, ok := d.HydrateItem.(T)
		if !ok {
			return nil, nil
		}
		value := get(item)
		switch v := reflect.ValueOf(value); v.Kind() {
		case reflect.Slice, reflect.Map, reflect.Pointer:
			if v.IsNil() {
				return nil, nil
			}
		case reflect.String:
			if v.Len() == 0 {
				return nil, nil
			}
		}
		return value, nil
	})
}

// addressKeys are the key columns of the tables that answer for addresses. Either of the two will do, which keeps
// every form of join working in Steampipe; what a source alone can answer is the table's to say.
func addressKeys() plugin.KeyColumnSlice {
	return plugin.KeyColumnSlice{
		{Name: "ip", Require: plugin.AnyOf, Operators: []string{"="}},
		{Name: "source", Require: plugin.AnyOf, Operators: []string{"="}},
	}
}

// judgedKeys are the key columns of the tables that score addresses.
func judgedKeys() plugin.KeyColumnSlice {
	return append(addressKeys(), policyKey())
}

// policyKey is the key column that names the policy to score by.
func policyKey() *plugin.KeyColumn {
	return &plugin.KeyColumn{Name: "policy", Require: plugin.Optional, Operators: []string{"="}}
}

// noQueryCache keeps the SDK's query cache off: past some 2,500 addresses it returns truncated rows, and package
// lookup has a cache of its own.
func noQueryCache() *plugin.TableCacheOptions {
	return &plugin.TableCacheOptions{Enabled: false}
}

// moments returns a moment, or nil for the zero time and for one that a column cannot hold, which would end the query.
func moments(t time.Time) any {
	if t.IsZero() || !shodan.IsStorable(t) {
		return nil
	}
	return t
}

const (
	ipDescription = "The IPv4 or IPv6 address, as it was asked for. A mask of the full length (/32, /128) makes no difference."

	sourceDescription = "Where the answer is from: dataset (files of shodan download), shodan (the REST API) or internetdb (free, no key). " +
		"Ask for one with where source = '…'; null where nothing was asked, as for a reserved address."

	statusDescription = "What became of the address: indexed (something is known), not_indexed (nothing is known, which is not the same as clean), " +
		"reserved (cannot be on the internet), not_a_host (a network), error (could not be checked, see error)."

	policyDescription = "The policy that the score is by: the connection's, unless where policy = '…' names another, baseline or extended."

	errorDescription = "Why the address could not be checked, and what to do. Null unless status is error."
)

// text, integer, number, list and moment make columns of the usual types from a hydrated row.
func text[T any](name, description string, get func(T) any) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_STRING, Description: description, Transform: from(get)}
}

func integer[T any](name, description string, get func(T) any) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_INT, Description: description, Transform: from(get)}
}

func number[T any](name, description string, get func(T) any) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_DOUBLE, Description: description, Transform: from(get)}
}

func boolean[T any](name, description string, get func(T) any) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_BOOL, Description: description, Transform: from(get)}
}

func list[T any](name, description string, get func(T) any) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_JSON, Description: description, Transform: from(get)}
}

func moment[T any](name, description string, get func(T) any) *plugin.Column {
	storable := func(item T) any {
		switch at := get(item).(type) {
		case time.Time:
			return moments(at)
		case *time.Time:
			if at == nil {
				return nil
			}
			return moments(*at)
		default:
			return at
		}
	}
	return &plugin.Column{Name: name, Type: proto.ColumnType_TIMESTAMP, Description: description, Transform: from(storable)}
}

func inet[T any](name, description string, get func(T) any) *plugin.Column {
	return &plugin.Column{Name: name, Type: proto.ColumnType_INET, Description: description, Transform: from(get)}
}

// hydrated gives columns the hydrate function that makes their row.
func hydrated(hydrate plugin.HydrateFunc, columns ...*plugin.Column) []*plugin.Column {
	for _, column := range columns {
		column.Hydrate = hydrate
	}
	return columns
}

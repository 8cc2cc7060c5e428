package load

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A Column is a column of the table.
type Column struct {
	Name        string
	Type        string // as in format_type()
	Description string
	notNull     bool
	value       func(*scan.Verdict) (any, error) // nil if the database sets the value
}

// The names of columns that the statements of this package use.
const (
	ipColumn        = "ip"
	freshFromColumn = "fresh_from"
	loadedAtColumn  = "loaded_at"
	failedAtColumn  = "failed_at"
	failureColumn   = "failure"
)

// types are PostgreSQL's names of the types of verdicts.
var types = map[string]string{
	"text": "text", "bool": "boolean", "int8": "bigint", "float8": "double precision", "jsonb": "jsonb",
	"timestamptz": "timestamp with time zone", "inet": "inet",
}

// arrays are the lists that have values of one type. The others are lists of objects, in jsonb.
var arrays = map[string]string{
	"ports": "integer[]", "suspicious_ports": "integer[]",
	"domains": "text[]", "hostnames": "text[]", "vulns": "text[]", "tags": "text[]", "cpes": "text[]",
}

// descriptions replace those of shodan_ip_reputation which are about queries.
var descriptions = map[string]string{
	ipColumn: "The IPv4 or IPv6 address. An IPv4-mapped IPv6 address or one of NAT64 is stored as IPv4.",
	"source": "The source of the data: dataset (local files), shodan (the REST API) or internetdb (free, no key). Null if no source was used, as for a reserved address.",
	"status": "The result of the lookup: indexed (the source has data), not_indexed (the source has no data, which does not mean clean), " +
		"reserved (the address cannot be on the internet), error (no lookup has succeeded yet, see error).",
	"policy": "The policy that computed the score. A row of another policy counts as old.",
	"error":  "The reason why the lookup failed, and what to do. Null unless status is error.",
}

// Columns returns the columns of the table: those of shodan_ip_reputation without title, and those about the load.
var Columns = sync.OnceValue(func() []Column {
	var columns []Column
	for _, c := range shodanrep.VerdictColumns() {
		if c.Name == "title" {
			continue // the address once more
		}
		column := Column{Name: c.Name, Type: types[c.Type], Description: c.Description}
		if text := descriptions[c.Name]; text != "" {
			column.Description = text
		}
		switch array := arrays[c.Name]; {
		case c.Name == ipColumn:
			column.value = func(v *scan.Verdict) (any, error) { return v.Addr, nil }
		case array != "":
			column.Type = array
			column.value = func(v *scan.Verdict) (any, error) { return arrayOf(array, c.Value(v)) }
		case c.Type == "jsonb":
			column.value = func(v *scan.Verdict) (any, error) { return jsonOf(c.Value(v)) }
		default:
			column.value = func(v *scan.Verdict) (any, error) { return c.Value(v), nil }
		}
		column.notNull = slices.Contains([]string{ipColumn, "status", "level", "policy"}, c.Name)
		columns = append(columns, column)
	}
	return append(columns,
		Column{
			Name: freshFromColumn, Type: types["timestamptz"], value: freshFrom,
			Description: "Time from which --max-age counts: checked_at, or loaded_at if the data is from local files or needed no lookup. Null if no lookup has succeeded yet.",
		},
		Column{
			Name: loadedAtColumn, Type: types["timestamptz"], notNull: true,
			Description: "Time when shodanrep load wrote the verdict.",
		},
		Column{
			Name: failedAtColumn, Type: types["timestamptz"],
			Description: "Time when the last lookup failed. The row then still has the verdict of an earlier lookup, if one succeeded. Null if the last lookup succeeded.",
		},
		Column{
			Name: failureColumn, Type: "text", value: failure,
			Description: "The reason why the last lookup failed, and what to do. Null if it succeeded.",
		},
	)
})

// freshFrom is null for a failed lookup, which is repeated in any case, and for an answer of no service: the database
// then sets the time of the load.
func freshFrom(v *scan.Verdict) (any, error) {
	if a := v.Answer(); !a.FreshUntil.IsZero() && !a.CheckedAt.IsZero() {
		return a.CheckedAt.UTC().Truncate(time.Second), nil // as checked_at
	}
	return nil, nil
}

func failure(v *scan.Verdict) (any, error) {
	if v.Status() != lookup.Failed {
		return nil, nil
	}
	return v.Answer().Error, nil
}

// arrayOf returns a list as an array of a type.
func arrayOf(array string, list any) (any, error) {
	value := reflect.ValueOf(list)
	if list == nil || value.Kind() == reflect.Slice && value.IsNil() {
		return nil, nil
	}
	if value.Kind() != reflect.Slice {
		return nil, fmt.Errorf("%T is not a list", list)
	}
	if array == "text[]" {
		texts := make([]string, value.Len())
		for i := range texts {
			texts[i] = value.Index(i).String()
		}
		return texts, nil
	}
	numbers := make([]int32, value.Len())
	for i := range numbers {
		numbers[i] = int32(value.Index(i).Int())
	}
	return numbers, nil
}

// jsonOf returns a value as JSON.
func jsonOf(value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	text, err := json.Marshal(value)
	return json.RawMessage(text), err
}

// names returns the quoted names of columns, with commas between them.
func names(columns []Column) string {
	var quoted []string
	for _, c := range columns {
		quoted = append(quoted, quote(c.Name))
	}
	return strings.Join(quoted, ", ")
}

// copied returns the columns that are copied into the database.
func copied() []Column {
	return slices.DeleteFunc(slices.Clone(Columns()), func(c Column) bool { return c.value == nil })
}

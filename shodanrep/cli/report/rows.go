package report

import (
	"encoding/json"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A resultColumn is a column of check's own, after those of verdicts.
type resultColumn struct {
	embedded.Column
	value func(Result) any
}

// reasonsName is the name of the column with a list of texts.
const reasonsName = "reasons"

// resultColumns are in the order in which they were added: new ones come last.
var resultColumns = []resultColumn{
	{embedded.Column{Name: "hits", Type: "int8"}, func(r Result) any { return r.Hits }},
	{embedded.Column{Name: "first_line", Type: "int8"}, func(r Result) any {
		if r.Line == 0 {
			return nil
		}
		return r.Line
	}},
	{embedded.Column{Name: reasonsName, Type: "jsonb"}, func(r Result) any { return r.Reasons() }},
	{embedded.Column{Name: "first_input", Type: "text"}, func(r Result) any {
		if r.Line == 0 {
			return nil
		}
		return r.Input
	}},
}

// A rowWriter writes results as rows with all columns, in a format of package rowformat.
type rowWriter struct {
	rows    rowformat.Writer
	err     error // of the header
	columns []shodanrep.VerdictColumn
	values  []any
	// reuses says that rows is done with the values of a row after its Write, and takes pointers. The JSON of the next row
	// is then in the same buffer, and json has the parts of it by column.
	reuses bool
	buffer []byte
	json   []json.RawMessage
	// time is the last time of a column, and timeText its text: of a file, all rows have the same.
	time     time.Time
	timeText any
}

// newRowWriter returns the function New of a [Format].
func newRowWriter(format string) func(io.Writer, Options) Writer {
	return func(out io.Writer, _ Options) Writer {
		w := &rowWriter{columns: shodanrep.VerdictColumns(), reuses: format != rowformat.Parquet}
		var columns []embedded.Column
		for _, column := range w.columns {
			columns = append(columns, embedded.Column{Name: column.Name, Type: column.Type})
		}
		for _, column := range resultColumns {
			columns = append(columns, column.Column)
		}
		w.values, w.json = make([]any, len(columns)), make([]json.RawMessage, len(columns))
		w.rows, w.err = rowformat.New(format, out, columns, rowOptions(columns))
		return w
	}
}

// rowOptions returns the options for rows whose columns always have their types.
func rowOptions(columns []embedded.Column) rowformat.Options {
	o := rowformat.Options{JSONType: func(origin embedded.Origin) reflect.Type {
		if origin.Column == reasonsName {
			return reflect.TypeFor[[]string]()
		}
		return shodanrep.JSONType(origin.Column)
	}}
	for _, column := range columns {
		o.Origins = append(o.Origins, embedded.Origin{Table: "check", Column: column.Name})
	}
	return o
}

func (w *rowWriter) Write(r Result) error {
	if w.err != nil {
		return w.err
	}
	w.buffer = w.buffer[:0]
	for i, column := range w.columns {
		w.set(i, column.Type, column.Value(r.Verdict))
	}
	for i, column := range resultColumns {
		w.set(len(w.columns)+i, column.Type, column.value(r))
	}
	return w.rows.Write(w.values)
}

// set sets the value of a column of the row.
func (w *rowWriter) set(i int, columnType string, value any) {
	at, isTime := value.(time.Time)
	switch {
	case isTime && w.timeText != nil && at == w.time: // in the same zone, too
		w.values[i] = w.timeText
	case isTime:
		w.time, w.timeText = at, rowValue(columnType, value)
		w.values[i] = w.timeText
	case columnType == "jsonb" && value != nil && w.reuses:
		begin := len(w.buffer)
		w.buffer = appendJSON(w.buffer, value)
		w.json[i] = w.buffer[begin:]
		w.values[i] = &w.json[i]
	default:
		w.values[i] = rowValue(columnType, value)
	}
}

func (w *rowWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	return w.rows.Close()
}

// Value returns the value of a column, with the types of [embedded.Rows.Values].
func Value(column shodanrep.VerdictColumn, v *scan.Verdict) any {
	return rowValue(column.Type, column.Value(v))
}

// rowValue returns what a row has for the value of a column of a type.
func rowValue(columnType string, value any) any {
	switch value := value.(type) {
	case time.Time:
		return value.Format(time.RFC3339)
	case nil:
		return nil
	case string, bool, int64, float64:
		if columnType != "jsonb" {
			return value
		}
	}
	return json.RawMessage(appendJSON(nil, value))
}

// appendJSON appends a value as encoding/json does.
func appendJSON(b []byte, value any) []byte {
	switch v := value.(type) { // the usual types, without reflection
	case []string:
		return rowformat.AppendStrings(b, v)
	case shodan.Texts:
		return rowformat.AppendStrings(b, v)
	case []int:
		return appendInts(b, v)
	case shodan.Ints:
		return appendInts(b, v)
	case []reputation.Factor:
		return appendFactors(b, v)
	case map[string]any:
		return appendMap(b, v)
	}
	return append(b, slowJSON(value)...)
}

// slowJSON encodes a value of any type.
func slowJSON(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("null") // no value of a column fails
	}
	return text
}

func appendInts(b []byte, list []int) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}

// appendFactors appends factors as encoding/json does.
func appendFactors(b []byte, factors []reputation.Factor) []byte {
	if factors == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, f := range factors {
		if i > 0 {
			b = append(b, ',')
		}
		b = rowformat.AppendString(append(b, `{"factor":`...), f.Factor)
		b = strconv.AppendInt(append(b, `,"points":`...), int64(f.Points), 10)
		b = rowformat.AppendString(append(b, `,"detail":`...), f.Detail)
		b = append(appendJSON(append(b, `,"evidence":`...), f.Evidence), '}')
	}
	return append(b, ']')
}

// appendMap appends an object with its keys in order.
func appendMap(b []byte, m map[string]any) []byte {
	if m == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	if len(m) == 1 { // the usual case, in which there is nothing to sort
		for key, value := range m {
			b = appendJSON(append(rowformat.AppendString(b, key), ':'), value)
		}
		return append(b, '}')
	}
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(append(rowformat.AppendString(b, key), ':'), m[key])
	}
	return append(b, '}')
}

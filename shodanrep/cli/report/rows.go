package report

import (
	"encoding/json"
	"io"
	"reflect"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
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
	{embedded.Column{Name: reasonsName, Type: "jsonb"}, func(r Result) any { return rawJSON(r.Reasons()) }},
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
}

// newRowWriter returns the function New of a [Format].
func newRowWriter(format string) func(io.Writer, Options) Writer {
	return func(out io.Writer, _ Options) Writer {
		w := &rowWriter{columns: shodanrep.VerdictColumns()}
		var columns []embedded.Column
		for _, column := range w.columns {
			columns = append(columns, embedded.Column{Name: column.Name, Type: column.Type})
		}
		for _, column := range resultColumns {
			columns = append(columns, column.Column)
		}
		w.values = make([]any, len(columns))
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
	for i, column := range w.columns {
		w.values[i] = Value(column, r.Verdict)
	}
	for i, column := range resultColumns {
		w.values[len(w.columns)+i] = column.value(r)
	}
	return w.rows.Write(w.values)
}

func (w *rowWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	return w.rows.Close()
}

// Value returns the value of a column, with the types of [embedded.Rows.Values].
func Value(column shodanrep.VerdictColumn, v *scan.Verdict) any {
	value := column.Value(v)
	switch value := value.(type) {
	case time.Time:
		return value.Format(time.RFC3339)
	case nil, string, bool, int64, float64:
		if column.Type != "jsonb" {
			return value
		}
	}
	if value == nil {
		return nil
	}
	return rawJSON(value)
}

// rawJSON encodes a value.
func rawJSON(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("null") // no value of a column fails
	}
	return text
}

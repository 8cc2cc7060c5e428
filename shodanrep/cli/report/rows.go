package report

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A resultColumn is a column of check's own, after those of verdicts.
type resultColumn struct {
	embedded.Column
	encode func(e shodanrep.ValueEncoder, r *Result)
}

// reasonsName is the name of the column with a list of texts.
const reasonsName = "reasons"

// resultColumns are in the order in which they were added: new ones come last.
var resultColumns = []resultColumn{
	{embedded.Column{Name: "hits", Type: "int8"}, func(e shodanrep.ValueEncoder, r *Result) { e.Int(r.Hits) }},
	{embedded.Column{Name: "first_line", Type: "int8"}, func(e shodanrep.ValueEncoder, r *Result) {
		if r.Line == 0 {
			e.Null()
			return
		}
		e.Int(r.Line)
	}},
	{embedded.Column{Name: reasonsName, Type: "jsonb"}, func(e shodanrep.ValueEncoder, r *Result) { e.JSONTexts(r.Reasons()) }},
	{embedded.Column{Name: "first_input", Type: "text"}, func(e shodanrep.ValueEncoder, r *Result) {
		if r.Line == 0 {
			e.Null()
			return
		}
		e.Text(r.Input)
	}},
}

// encodeRow encodes all columns of a result.
func encodeRow(e shodanrep.ValueEncoder, columns []shodanrep.VerdictColumn, r *Result) {
	for i := range columns {
		columns[i].Encode(e, r.Verdict)
	}
	for i := range resultColumns {
		resultColumns[i].encode(e, r)
	}
}

// A rowWriter writes results as rows with all columns, in a text format of package rowformat.
type rowWriter struct {
	rows     *rowformat.TextWriter
	err      error     // of the header
	encoders sync.Pool // of *rowEncoder
}

// newRowWriter returns the function New of a [Format] that is text.
func newRowWriter(format string) func(io.Writer, Options) Writer {
	return func(out io.Writer, o Options) Writer {
		w := &rowWriter{}
		columns := rowColumns()
		options := rowOptions(columns)
		options.EscapeFormulas = o.EscapeFormulas
		w.rows, w.err = rowformat.NewText(format, out, columns, options)
		w.encoders.New = func() any { return &rowEncoder{Encoder: w.rows.NewEncoder(), columns: shodanrep.VerdictColumns()} }
		return w
	}
}

// rowColumns are the columns of the rows of results.
func rowColumns() []embedded.Column {
	var columns []embedded.Column
	for _, column := range shodanrep.VerdictColumns() {
		columns = append(columns, embedded.Column{Name: column.Name, Type: column.Type})
	}
	for _, column := range resultColumns {
		columns = append(columns, column.Column)
	}
	return columns
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

func (w *rowWriter) Append(b []byte, r Result) []byte {
	e := w.encoders.Get().(*rowEncoder)
	e.result = r // so that the parameter needs no memory of its own
	b = e.append(b, &e.result)
	e.result = Result{}
	w.encoders.Put(e)
	return b
}

func (w *rowWriter) WriteText(text []byte) error {
	if w.err != nil {
		return w.err
	}
	return w.rows.WriteRows(text)
}

func (w *rowWriter) Write(r Result) error { return w.WriteText(w.Append(nil, r)) }

func (w *rowWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	return w.rows.Close()
}

// A rowEncoder appends results as rows.
type rowEncoder struct {
	rowformat.Encoder
	columns []shodanrep.VerdictColumn
	result  Result // the one that is being appended
	json    []byte // a buffer for the JSON of a column
	// time is the last time of a column, and timeText its text: of a file, all rows have the same.
	time     time.Time
	timeText string
}

// append appends a row.
func (e *rowEncoder) append(b []byte, r *Result) []byte {
	e.Begin(b)
	encodeRow(e, e.columns, r)
	return e.End()
}

func (e *rowEncoder) Time(t time.Time) {
	if e.timeText == "" || t != e.time { // in another zone, too
		e.time, e.timeText = t, timeText(t)
	}
	e.Text(e.timeText)
}

func (e *rowEncoder) JSON(v any) {
	if factors, ok := v.([]reputation.Factor); ok && len(factors) > 0 { // most of the text of a row
		b, quote := e.BeginJSON()
		e.EndJSON(appendFactors(b, quote, factors))
		return
	}
	e.json = appendJSON(e.json[:0], rowformat.JSONQuote, v)
	e.RawJSON(e.json)
}

// A valuesWriter writes results as rows with all columns, in a format of package rowformat that keeps their values.
type valuesWriter struct {
	rows rowformat.Writer
	err  error // of the header
}

func newParquetWriter(out io.Writer, _ Options) Writer {
	columns := rowColumns()
	w := &valuesWriter{}
	w.rows, w.err = rowformat.New(rowformat.Parquet, out, columns, rowOptions(columns))
	return w
}

func (w *valuesWriter) Write(r Result) error { return w.write(valuesOf(r)) }

func (w *valuesWriter) Reduce(r Result) (add func() error) {
	values := valuesOf(r)
	for i, value := range values {
		if text, ok := value.(string); ok {
			values[i] = strings.Clone(text)
		}
	}
	return func() error { return w.write(values) }
}

func (w *valuesWriter) write(values []any) error {
	if w.err != nil {
		return w.err
	}
	return w.rows.Write(values)
}

func (w *valuesWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	return w.rows.Close()
}

// valuesOf returns the values of a row, with the types of [embedded.Rows.Values].
func valuesOf(r Result) []any {
	var e valuesEncoder
	encodeRow(&e, shodanrep.VerdictColumns(), &r)
	return e.values
}

// A valuesEncoder collects the values of a row.
type valuesEncoder struct{ values []any }

func (e *valuesEncoder) Value(v any) { e.values = append(e.values, v) }

func (e *valuesEncoder) Null()            { e.Value(nil) }
func (e *valuesEncoder) Int(n int64)      { e.Value(n) }
func (e *valuesEncoder) Float(f float64)  { e.Value(f) }
func (e *valuesEncoder) Text(s string)    { e.Value(s) }
func (e *valuesEncoder) Time(t time.Time) { e.Value(timeText(t)) }
func (e *valuesEncoder) JSON(v any) {
	e.Value(json.RawMessage(appendJSON(nil, rowformat.JSONQuote, v)))
}
func (e *valuesEncoder) JSONTexts(list []string) { e.JSON(list) }
func (e *valuesEncoder) JSONInts(list []int)     { e.JSON(list) }

// Value returns the value of a column, with the types of [embedded.Rows.Values].
func Value(column shodanrep.VerdictColumn, v *scan.Verdict) any {
	return rowValue(column.Type, column.Value(v))
}

// rowValue returns what a row has for the value of a column of a type.
func rowValue(columnType string, value any) any {
	switch value := value.(type) {
	case time.Time:
		return timeText(value)
	case nil:
		return nil
	case string, bool, int64, float64:
		if columnType != "jsonb" {
			return value
		}
	}
	return json.RawMessage(appendJSON(nil, rowformat.JSONQuote, value))
}

// timeText returns a time as rows have it.
func timeText(t time.Time) string { return t.Format(time.RFC3339) }

package rowformat

import (
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// An Encoder appends rows as text, value by value: Begin, a call for each column, End. It must not be used concurrently.
type Encoder interface {
	// Begin begins a row at the end of b.
	Begin(b []byte)
	// These append the value of a column. RawJSON takes JSON in its compact form, and JSONTexts and JSONInts a list as JSON.
	Null()
	Bool(v bool)
	Int(n int64)
	Float(f float64)
	Text(s string)
	RawJSON(text []byte)
	// BeginJSON begins a value that is JSON with quotes in it: append it to the text, with the quote in place of each of
	// its quotes, and give the text to EndJSON.
	BeginJSON() (text []byte, quote Quote)
	EndJSON(text []byte)
	JSONTexts(list []string)
	JSONInts(list []int)
	// Value appends a value with a type of [embedded.Rows.Values].
	Value(v any)
	// End ends the row, and returns b with it.
	End() []byte
}

// A TextWriter writes rows in a format in which the text of a row does not depend on other rows. Write writes one row.
// Where many rows are known, several Encoders can make their texts at a time, which WriteRows writes in their order.
type TextWriter struct {
	out        io.Writer
	newEncoder func() Encoder
	// begin is what is still to be written before the first row, of which a byte is left out: it separates a row from the
	// one before. end is what is written after the last row.
	begin, end []byte

	encoder Encoder
	row     []byte
}

// NewText returns a TextWriter of a format, or nil if the format is not csv, tsv, json or jsonl. The header is written at
// once if the format has one.
func NewText(format string, out io.Writer, columns []embedded.Column, o Options) (*TextWriter, error) {
	switch format {
	case "csv":
		return newCSVWriter(out, columns, ',', o)
	case "tsv":
		return newCSVWriter(out, columns, '\t', o)
	case "json":
		return newJSONWriter(out, columns), nil
	case "jsonl":
		return newJSONLinesWriter(out, columns), nil
	}
	return nil, nil
}

func newTextWriter(out io.Writer, newEncoder func() Encoder) *TextWriter {
	return &TextWriter{out: out, newEncoder: newEncoder, encoder: newEncoder()}
}

// NewEncoder returns an Encoder of the format.
func (w *TextWriter) NewEncoder() Encoder { return w.newEncoder() }

// Write writes a row.
func (w *TextWriter) Write(values []any) error {
	w.encoder.Begin(w.row[:0])
	for _, v := range values {
		w.encoder.Value(v)
	}
	w.row = w.encoder.End()
	return w.WriteRows(w.row)
}

// WriteRows writes the text of one or more rows.
func (w *TextWriter) WriteRows(text []byte) error {
	if w.begin != nil {
		text = append(w.begin, text[1:]...)
		w.begin = nil
	}
	_, err := w.out.Write(text)
	return err
}

// Close ends the result.
func (w *TextWriter) Close() error {
	if len(w.end) == 0 {
		return nil
	}
	_, err := w.out.Write(append(w.begin, w.end...))
	return err
}

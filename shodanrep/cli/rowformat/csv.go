package rowformat

import (
	"encoding/csv"
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// A csvWriter writes a header and one line per row. NULL is an empty field. On a terminal control characters other than
// line feeds are escaped.
type csvWriter struct {
	w          *csv.Writer
	onTerminal bool
	record     []string
}

func newCSVWriter(out io.Writer, columns []embedded.Column, separator rune, o Options) (*csvWriter, error) {
	w := &csvWriter{w: csv.NewWriter(out), onTerminal: stdio.IsTerminal(out), record: make([]string, len(columns))}
	w.w.Comma = separator
	if o.NoHeader {
		return w, nil
	}
	for i, c := range columns {
		w.record[i] = w.field(c.Name)
	}
	return w, w.flush()
}

func (w *csvWriter) Write(values []any) error {
	for i, v := range values {
		w.record[i] = ""
		if v != nil {
			w.record[i] = w.field(Text(v))
		}
	}
	return w.flush()
}

func (w *csvWriter) Close() error { return nil }

func (w *csvWriter) field(text string) string {
	if w.onTerminal {
		return display.PrintableLines(text)
	}
	return text
}

// flush writes the record.
func (w *csvWriter) flush() error {
	_ = w.w.Write(w.record) // Error returns its error
	w.w.Flush()
	return w.w.Error()
}

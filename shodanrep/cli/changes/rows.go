package changes

import (
	"io"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A rowWriter writes changes as rows with the columns of the table shodan_reputation_change, in a format of package
// rowformat. An address that was not checked is a row without a change.
type rowWriter struct {
	rows   rowformat.Writer
	err    error // of the header
	values []any
}

// newRowWriter returns the function New of a [Format].
func newRowWriter(format string) func(io.Writer, Options) Writer {
	return func(out io.Writer, o Options) Writer {
		var columns []embedded.Column
		for _, column := range shodanrep.ChangeColumns() {
			columns = append(columns, embedded.Column{Name: column.Name, Type: column.Type})
		}
		w := &rowWriter{values: make([]any, len(columns))}
		w.rows, w.err = rowformat.New(format, out, columns, rowformat.Options{EscapeFormulas: o.EscapeFormulas})
		return w
	}
}

func (w *rowWriter) Write(r Result) error {
	for _, change := range r.Changes {
		if err := w.write(change.Observed, change); err != nil {
			return err
		}
	}
	if r.Unchecked != "" {
		return w.write(r.NotChecked, nil)
	}
	return nil
}

func (w *rowWriter) write(observed *scan.Observed, change *scan.Change) error {
	if w.err != nil {
		return w.err
	}
	for i, column := range shodanrep.ChangeColumns() {
		w.values[i] = column.Value(observed, change)
		if at, ok := w.values[i].(time.Time); ok {
			w.values[i] = at.Format(time.RFC3339)
		}
	}
	return w.rows.Write(w.values)
}

func (w *rowWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	return w.rows.Close()
}

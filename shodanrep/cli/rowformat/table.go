package rowformat

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/texttable"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

const (
	// maxRecords is up to how many rows are shown as records if a table would lack columns. More rows are always a
	// table: records of many rows cannot be compared.
	maxRecords = 3
	// MaxCellLines is how many lines a row of a table may have on a terminal. Records have all of it.
	MaxCellLines = 8
	// levelColumn is the name of columns with a level, or the end of it.
	levelColumn = "level"
)

// A tableWriter writes a table, at the end.
type tableWriter struct {
	out     io.Writer
	options Options
	table   texttable.Table
}

func newTableWriter(out io.Writer, columns []embedded.Column, o Options) *tableWriter {
	w := &tableWriter{out: out, options: o}
	w.table = texttable.Table{Columns: tableColumns(columns), MaxLines: MaxCellLines, Advice: "use --output line or a wider terminal"}
	for _, column := range w.table.Columns {
		column.Keep = slices.Contains(o.Keep, column.Title)
	}
	return w
}

func (w *tableWriter) Write(values []any) error {
	row := make([]string, len(values))
	for i, v := range values {
		row[i] = readable(v)
		switch v.(type) {
		case int64, float64:
			w.table.Columns[i].Right = true
		}
	}
	w.table.Cells = append(w.table.Cells, row)
	return nil
}

func (w *tableWriter) Close() error { return WriteTable(w.out, w.table, w.options) }

// WriteTable writes a table. On a terminal it fits the width; a few rows that do not fit are written as records.
// Elsewhere it has all columns, with lines around the cells.
func WriteTable(out io.Writer, t texttable.Table, o Options) error {
	t.Width, t.Lines, t.NoTitles, t.Painter = stdio.Width(out), true, o.NoHeader, stdio.Painter(out, o.NoColor)
	if t.Advice == "" {
		t.Advice = "use a wider terminal"
	}
	if len(t.Cells) > 0 && len(t.Cells) <= maxRecords && !t.Fits() {
		w := newTextRecordWriter(out, t.Columns, o)
		for _, row := range t.Cells {
			if err := w.writeTexts(row); err != nil {
				return err
			}
		}
		return nil
	}
	var b bytes.Buffer
	t.Write(&b)
	_, err := b.WriteTo(out)
	return err
}

// tableColumns returns the columns of a result as columns of a table.
func tableColumns(columns []embedded.Column) []*texttable.Column {
	found := texttable.Columns(printableNames(columns)...)
	for _, column := range found {
		name := strings.ToLower(column.Title)
		column.Level = name == levelColumn || strings.HasSuffix(name, "_"+levelColumn)
	}
	return found
}

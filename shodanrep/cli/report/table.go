package report

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/texttable"
)

const (
	// maxCards is up to how many addresses are shown as cards instead of a table.
	maxCards = 3
	// minReasons is how wide the column of reasons must be before other columns get room.
	minReasons      = 44
	maxReasonLines  = 5
	maxOrganization = 28
	// levelColumn and reasonsColumn are indexes: in columns, and of the place that the reasons have among them.
	levelColumn, reasonsColumn = 1, 4
)

// A column is a column of tables for people.
type column struct {
	texttable.Column
	cell func(Result) string
}

// columns returns all columns but the reasons. The ones at the end are left out first.
func columns() []column {
	return []column{
		{texttable.Column{Title: "ADDRESS", Keep: true, NoWrap: true}, Result.IP},
		{texttable.Column{Title: "LEVEL", Keep: true, NoWrap: true, Level: true}, func(r Result) string { return string(r.Level()) }},
		{texttable.Column{Title: "SCORE", Keep: true, NoWrap: true, Right: true}, Result.score},
		{texttable.Column{Title: "CONF", Name: "confidence", NoWrap: true, Right: true}, Result.confidence},
		{texttable.Column{Title: "ORGANIZATION", Name: "organization", NoWrap: true}, Result.organization},
		{texttable.Column{Title: "COUNTRY", Name: "country", NoWrap: true}, Result.country},
		{texttable.Column{Title: "PORTS", Name: "ports", NoWrap: true}, func(r Result) string { return r.ports(6) }},
	}
}

// newTableWriter returns a writer of cards for a few addresses, and else of a table.
func newTableWriter(out io.Writer, o Options) Writer {
	if o.Total <= maxCards {
		return &cardWriter{out: out, options: o}
	}
	w := &tableWriter{out: out, options: o, columns: columns()}
	reasons := column{texttable.Column{Title: "REASONS", Keep: true, MinWidth: minReasons}, Result.reasonText}
	// With a width reasons wrap; without one they come last, because they are long.
	at := reasonsColumn
	if o.Width <= 0 {
		at = len(w.columns)
	}
	w.columns = slices.Insert(w.columns, at, reasons)
	return w
}

// A cardWriter writes a card for each result, and the summary.
type cardWriter struct {
	out     io.Writer
	options Options
	b       bytes.Buffer
	cards   int
}

func (w *cardWriter) Write(r Result) error {
	card{&w.b, w.options.Width, w.options.Painter}.write(r)
	w.b.WriteByte('\n')
	w.cards++
	return nil
}

func (w *cardWriter) Close() error {
	w.options.Summary().write(&w.b, w.cards, w.options.Width, w.options.Painter)
	_, err := w.b.WriteTo(w.out)
	return err
}

// A tableWriter writes a table and the summary. It keeps the cells of the results, and not their hosts.
type tableWriter struct {
	out     io.Writer
	options Options
	columns []column
	cells   [][]string
}

// cellEnd is the end of a cell in the text of a result. No cell has one, because control characters are escaped.
const cellEnd = "\x00"

func (w *tableWriter) Append(b []byte, r Result) []byte {
	for _, column := range w.columns {
		cell := display.Printable(column.cell(r))
		if column.Title == "ORGANIZATION" && w.options.Width > 0 {
			cell = display.Shorten(cell, maxOrganization)
		}
		b = append(append(b, cell...), cellEnd...)
	}
	return b
}

func (w *tableWriter) WriteText(text []byte) error {
	cells := strings.Split(strings.TrimSuffix(string(text), cellEnd), cellEnd)
	w.cells = slices.AppendSeq(w.cells, slices.Chunk(cells, len(w.columns)))
	return nil
}

func (w *tableWriter) Write(r Result) error { return w.WriteText(w.Append(nil, r)) }

func (w *tableWriter) Close() error {
	var b bytes.Buffer
	rows := len(w.cells)
	if rows > 0 {
		t := texttable.Table{
			Cells: w.cells, Width: w.options.Width, MaxLines: maxReasonLines, Painter: w.options.Painter, Advice: "use a wider terminal, or --output csv",
		}
		for j := range w.columns {
			t.Columns = append(t.Columns, &w.columns[j].Column)
		}
		t.Write(&b)
		b.WriteByte('\n')
	}
	w.options.Summary().write(&b, rows, w.options.Width, w.options.Painter)
	_, err := b.WriteTo(w.out)
	return err
}

package report

import (
	"bytes"
	"io"
	"slices"

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

// A tableWriter writes a table, or cards for a few addresses, and the summary.
type tableWriter struct {
	out     io.Writer
	options Options
	results []Result
}

func newTableWriter(out io.Writer, o Options) Writer { return &tableWriter{out: out, options: o} }

func (w *tableWriter) Write(r Result) error {
	w.results = append(w.results, r)
	return nil
}

func (w *tableWriter) Close() error {
	var b bytes.Buffer
	switch {
	case len(w.results) == 0:
	case w.options.Total <= maxCards:
		for _, r := range w.results {
			card{&b, w.options.Width, w.options.Painter}.write(r)
			b.WriteByte('\n')
		}
	default:
		w.writeTable(&b)
		b.WriteByte('\n')
	}
	w.options.Summary().write(&b, len(w.results), w.options.Width, w.options.Painter)
	_, err := b.WriteTo(w.out)
	return err
}

// writeTable writes the table. With a width reasons wrap; without one they come last, because they are long.
func (w *tableWriter) writeTable(b *bytes.Buffer) {
	columns := columns()
	reasons := column{texttable.Column{Title: "REASONS", Keep: true, MinWidth: minReasons}, Result.reasonText}
	at := reasonsColumn
	if w.options.Width <= 0 {
		at = len(columns)
	}
	columns = slices.Insert(columns, at, reasons)
	t := texttable.Table{
		Width: w.options.Width, MaxLines: maxReasonLines, Painter: w.options.Painter, Advice: "use a wider terminal, or --output csv",
	}
	for j := range columns {
		t.Columns = append(t.Columns, &columns[j].Column)
	}
	for _, r := range w.results {
		row := make([]string, len(columns))
		for j, column := range columns {
			row[j] = display.Printable(column.cell(r))
			if column.Title == "ORGANIZATION" && w.options.Width > 0 {
				row[j] = display.Shorten(row[j], maxOrganization)
			}
		}
		t.Cells = append(t.Cells, row)
	}
	t.Write(b)
}

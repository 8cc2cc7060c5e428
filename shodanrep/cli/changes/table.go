package changes

import (
	"bytes"
	"io"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/texttable"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

const (
	// minChanges is how wide the column of changes must be before other columns get room.
	minChanges      = 34
	maxLines        = 5
	maxOrganization = 28
)

// A column is a column of the tables for people.
type column struct {
	texttable.Column
	cell func(event) string
}

// columns returns the columns. The ones at the end are left out first.
func columns() []column {
	return []column{
		{texttable.Column{Title: "ADDRESS", Keep: true, NoWrap: true}, func(e event) string { return e.IP() }},
		{texttable.Column{Title: "LEVEL", Keep: true, NoWrap: true, Level: true}, func(e event) string { return string(e.Level()) }},
		{texttable.Column{Title: "WAS", Keep: true, NoWrap: true, Level: true}, event.was},
		{texttable.Column{Title: "CHANGES", Keep: true, MinWidth: minChanges}, event.text},
		{texttable.Column{Title: "SCORE", NoWrap: true, Right: true}, event.score},
		{texttable.Column{Title: "SEEN (UTC)", Name: "time", NoWrap: true}, event.seen},
		{texttable.Column{Title: "SOURCE", Name: "source", NoWrap: true}, func(e event) string { return string(e.Answer().Source) }},
		{texttable.Column{Title: "ORGANIZATION", Name: "organization", NoWrap: true}, func(e event) string {
			if e.Host() == nil {
				return ""
			}
			return display.Shorten(string(e.Host().Organization), maxOrganization)
		}},
	}
}

// collected are results that are written at the end, the worst first.
type collected struct {
	out     io.Writer
	options Options
	events  []event
}

func (c *collected) Write(r Result) error {
	c.events = append(c.events, events(r)...)
	return nil
}

// A tableWriter writes a table and the summary.
type tableWriter struct{ collected }

func newTableWriter(out io.Writer, o Options) Writer {
	return &tableWriter{collected{out: out, options: o}}
}

func (w *tableWriter) Close() error {
	worstFirst(w.events)
	columns := columns()
	if last := len(columns) - 1; !slices.ContainsFunc(w.events, func(e event) bool { return columns[last].cell(e) != "" }) {
		columns = columns[:last] // InternetDB does not return the organization
	}
	t := texttable.Table{Width: w.options.Width, MaxLines: maxLines, Painter: w.options.Painter, Advice: "use a wider terminal, or --output csv"}
	for j := range columns {
		t.Columns = append(t.Columns, &columns[j].Column)
	}
	for _, e := range w.events {
		row := make([]string, len(columns))
		for j, column := range columns {
			row[j] = display.Printable(column.cell(e))
		}
		t.Cells = append(t.Cells, row)
	}
	var b bytes.Buffer
	if len(t.Cells) > 0 {
		t.Write(&b)
		b.WriteByte('\n')
	}
	w.options.Summary().write(&b, w.options.Width)
	_, err := b.WriteTo(w.out)
	return err
}

// A markdownWriter writes a table in Markdown and the summary.
type markdownWriter struct{ collected }

func newMarkdownWriter(out io.Writer, o Options) Writer {
	return &markdownWriter{collected{out: out, options: o}}
}

func (w *markdownWriter) Close() error {
	worstFirst(w.events)
	var b bytes.Buffer
	b.WriteString("| Address | Level | Was | Changes | Score | Seen (UTC) | Source | Organization |\n|---|---|---|---|--:|---|---|---|\n")
	for _, e := range w.events {
		for _, column := range columns() {
			cell := rowformat.Markdown(column.cell(e))
			if column.Title == "LEVEL" && slices.Contains([]reputation.Level{reputation.Critical, reputation.High}, e.Level()) {
				cell = "**" + cell + "**"
			}
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("|\n")
	}
	b.WriteByte('\n')
	var summary bytes.Buffer
	w.options.Summary().write(&summary, 0)
	b.WriteString(rowformat.MarkdownLines(summary.String()))
	_, err := b.WriteTo(w.out)
	return err
}

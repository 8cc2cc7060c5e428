package changes

import (
	"bytes"
	"io"
	"iter"
	"slices"
	"strings"

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

// cellEnd is the end of a cell in the text of a line. No cell has one, because control characters are escaped.
const cellEnd = "\x00"

// collected are the lines of results that are written at the end, the worst first. They have the text of their cells, and
// not the hosts: the history can have changes of millions.
type collected struct {
	out     io.Writer
	options Options
	columns []column
	format  func(column, event) string // makes a cell
	lines   []line
}

// A line is an event as it is written.
type line struct {
	order
	cells string
}

func (c *collected) Write(r Result) error {
	var b []byte
	for _, e := range events(r) {
		b = b[:0]
		for _, column := range c.columns {
			b = append(append(b, c.format(column, e)...), cellEnd...)
		}
		c.lines = append(c.lines, line{orderOf(e), string(b)})
	}
	return nil
}

// worstFirst yields the cells of the lines, the worst first.
func (c *collected) worstFirst() iter.Seq[[]string] {
	slices.SortStableFunc(c.lines, func(a, b line) int { return a.compare(b.order) })
	return func(yield func([]string) bool) {
		for _, l := range c.lines {
			if !yield(strings.Split(strings.TrimSuffix(l.cells, cellEnd), cellEnd)) {
				return
			}
		}
	}
}

// A tableWriter writes a table and the summary.
type tableWriter struct{ collected }

func newTableWriter(out io.Writer, o Options) Writer {
	return &tableWriter{collected{out: out, options: o, columns: columns(), format: func(c column, e event) string {
		return display.Printable(c.cell(e))
	}}}
}

func (w *tableWriter) Close() error {
	t := texttable.Table{Width: w.options.Width, MaxLines: maxLines, Painter: w.options.Painter, Advice: "use a wider terminal, or --output csv"}
	last, isEmpty := len(w.columns)-1, true
	for row := range w.worstFirst() {
		t.Cells = append(t.Cells, row)
		isEmpty = isEmpty && row[last] == ""
	}
	if isEmpty { // InternetDB does not return the organization
		w.columns = w.columns[:last]
		for i, row := range t.Cells {
			t.Cells[i] = row[:last]
		}
	}
	for j := range w.columns {
		t.Columns = append(t.Columns, &w.columns[j].Column)
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
	return &markdownWriter{collected{out: out, options: o, columns: columns(), format: func(c column, e event) string {
		cell := rowformat.Markdown(c.cell(e))
		if c.Title == "LEVEL" && slices.Contains([]reputation.Level{reputation.Critical, reputation.High}, e.Level()) {
			cell = "**" + cell + "**"
		}
		return cell
	}}}
}

func (w *markdownWriter) Close() error {
	var b bytes.Buffer
	b.WriteString("| Address | Level | Was | Changes | Score | Seen (UTC) | Source | Organization |\n|---|---|---|---|--:|---|---|---|\n")
	for row := range w.worstFirst() {
		for _, cell := range row {
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

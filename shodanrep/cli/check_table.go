package cli

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

const (
	// cardsUpTo is up to how many addresses each gets a card.
	cardsUpTo = 3
	// minReasons is how wide the reasons must be for a column beside them to have room.
	minReasons = 44
)

// writeReport writes the table or the cards, and the summary. A long one on a terminal is shown in a pager.
func (c *check) writeReport(w io.Writer) error {
	width, colors := plainWidth(), painter(false)
	terminal := c.flags.file == "" && isTerminal(w)
	if terminal {
		width, colors = c.width(), painterFor(w, c.flags.noColor)
	}
	var b bytes.Buffer
	if err := c.report(&b, width, colors); err != nil {
		return err
	}
	if terminal && !c.flags.noPager {
		if shown, err := c.page(b.Bytes()); shown {
			return err
		}
	}
	_, err := b.WriteTo(w)
	return err
}

// plainWidth returns the width of a table that does not go to a terminal: the environment variable COLUMNS, or 0, where
// nothing wraps and nothing is dropped.
func plainWidth() int {
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || width < 0 {
		return 0
	}
	return width
}

// report writes the table or the cards, and the summary.
func (c *check) report(b *bytes.Buffer, width int, colors painter) error {
	list, err := sorted(c.findings())
	if err != nil {
		return err
	}
	switch {
	case len(list) == 0:
	case c.list.len() <= cardsUpTo:
		for _, f := range list {
			c.writeCard(b, f, width, colors)
			b.WriteByte('\n')
		}
	default:
		c.writeTable(b, list, width, colors)
		b.WriteByte('\n')
	}
	c.writeSummary(b, len(list), width, colors)
	return nil
}

// A findingColumn is a column of the table of findings.
type findingColumn struct {
	textColumn
	cell func(finding) string
}

// findingColumns are all columns but the reasons. Those that may be left out come last, the least important at the end.
func findingColumns() []findingColumn {
	return []findingColumn{
		{textColumn{title: "ADDRESS", keep: true, whole: true}, finding.IP},
		{textColumn{title: "LEVEL", keep: true, whole: true, level: true}, func(f finding) string { return string(f.Level()) }},
		{textColumn{title: "SCORE", keep: true, whole: true, right: true}, finding.score},
		{textColumn{title: "CONF", name: "confidence", whole: true, right: true}, finding.confidence},
		{textColumn{title: "ORGANIZATION", name: "organization", whole: true}, finding.organization},
		{textColumn{title: "COUNTRY", name: "country", whole: true}, finding.country},
		{textColumn{title: "PORTS", name: "ports", whole: true}, func(f finding) string { return f.ports(6) }},
	}
}

const (
	// levelCell and reasonsCell are the places of columns: the reasons stand after the confidence.
	levelCell, reasonsCell = 1, 4
	maxOrganization        = 28
	maxReasonLines         = 5
)

// writeTable writes a line for each finding; reasons wrap. Without a width the reasons, which are then as wide as they
// are, come last.
func (c *check) writeTable(b *bytes.Buffer, list []finding, width int, colors painter) {
	columns := findingColumns()
	reasons := findingColumn{textColumn{title: "REASONS", keep: true, least: minReasons}, c.reasonText}
	place := reasonsCell
	if width <= 0 {
		place = len(columns)
	}
	columns = slices.Insert(columns, place, reasons)
	t := textTable{width: width, maxLines: maxReasonLines, colors: colors, advice: "use a wider terminal, or --output csv"}
	for j := range columns {
		t.columns = append(t.columns, &columns[j].textColumn)
	}
	for _, f := range list {
		row := make([]string, len(columns))
		for j, column := range columns {
			row[j] = printable(column.cell(f))
			if column.title == "ORGANIZATION" && width > 0 {
				row[j] = shortened(row[j], maxOrganization)
			}
		}
		t.cells = append(t.cells, row)
	}
	t.write(b)
}

// reasonText is the reasons in one text.
func (c *check) reasonText(f finding) string {
	return strings.Join(c.reasons(f), "; ")
}

func (f finding) score() string {
	if f.Score() == nil {
		return "-"
	}
	return strconv.Itoa(f.Score().Score)
}

func (f finding) confidence() string {
	if f.Score() == nil || f.Score().Confidence == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *f.Score().Confidence)
}

func (f finding) organization() string {
	if f.Host() == nil {
		return ""
	}
	return string(f.Host().Organization)
}

func (f finding) country() string {
	if f.Host() == nil {
		return ""
	}
	return string(f.Host().CountryCode)
}

// ports lists some open ports, and how many more there are.
func (f finding) ports(most int) string {
	if f.Host() == nil {
		return ""
	}
	var shown []string
	for i, port := range f.Host().Ports {
		if i == most {
			shown = append(shown, fmt.Sprintf("+%d", len(f.Host().Ports)-most))
			break
		}
		shown = append(shown, strconv.Itoa(port))
	}
	return strings.Join(shown, ", ")
}

// writeMarkdown writes a table in Markdown with the columns of the terminal's, and the summary.
func (c *check) writeMarkdown(w io.Writer, findings iter.Seq2[finding, error]) error {
	columns := findingColumns()
	var b bytes.Buffer
	b.WriteString("| Address | Level | Score | Confidence | Reasons | Organization | Country | Ports |\n|---|---|--:|--:|---|---|---|---|\n")
	n := 0
	for f, err := range findings {
		if err != nil {
			return err
		}
		n++
		for j, column := range columns {
			if j == reasonsCell {
				b.WriteString("| " + markdownText(c.reasonText(f)) + " ")
			}
			cell := markdownText(column.cell(f))
			if j == levelCell && (f.Level() == reputation.Critical || f.Level() == reputation.High) {
				cell = "**" + cell + "**"
			}
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("|\n")
	}
	b.WriteByte('\n')
	c.writeSummary(&b, n, 0, false)
	_, err := b.WriteTo(w)
	return err
}

// markdownEscaper spells out what would be markup.
var markdownEscaper = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`)

// markdownText is a text as a cell of Markdown.
func markdownText(s string) string { return markdownEscaper.Replace(printable(s)) }

package cli

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

const (
	// cardsUpTo is up to how many addresses each gets a card.
	cardsUpTo = 3
	// minReasons is how wide the reasons must be for a column beside them to have room, and leastReasons how narrow they
	// may be where there is none.
	minReasons, leastReasons = 44, 16
)

// levelColors are the colours of levels. Unknown has its own: it is neither good nor bad.
var levelColors = map[reputation.Level]text.Colors{
	reputation.Critical: {text.FgHiWhite, text.BgRed, text.Bold},
	reputation.High:     {text.FgRed, text.Bold},
	reputation.Medium:   {text.FgYellow},
	reputation.Low:      {text.FgGreen},
	reputation.Unknown:  {text.FgMagenta},
}

// A painter colours texts, or leaves them as they are.
type painter bool

func (p painter) level(level reputation.Level, shown string) string {
	if !p {
		return shown
	}
	return levelColors[level].EscapeSeq() + shown + text.Reset.EscapeSeq()
}

func (p painter) bold(shown string) string {
	if !p {
		return shown
	}
	return text.Bold.EscapeSeq() + shown + text.Reset.EscapeSeq()
}

// writeReport writes the table or the cards, and the summary. A long one on a terminal is shown in a pager.
func (c *check) writeReport(w io.Writer) error {
	width, colors := plainWidth(), painter(false)
	terminal := c.flags.file == "" && isTerminal(w)
	if terminal {
		width, colors = c.width(), painter(takesEscapes(w) && !c.flags.noColor && !noColor())
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

// A tableColumn is a column of the table.
type tableColumn struct {
	title   string
	cell    func(finding) string
	width   int
	right   bool // numbers are aligned to the right
	dropped bool
}

// tableColumns are all columns but the reasons. Those that may be dropped come last, the least important at the end.
func tableColumns() []*tableColumn {
	return []*tableColumn{
		{title: "ADDRESS", cell: finding.IP},
		{title: "LEVEL", cell: func(f finding) string { return string(f.Level()) }},
		{title: "SCORE", cell: finding.score, right: true},
		{title: "CONF", cell: finding.confidence, right: true},
		{title: "ORGANIZATION", cell: finding.organization},
		{title: "COUNTRY", cell: finding.country},
		{title: "PORTS", cell: func(f finding) string { return f.ports(6) }},
	}
}

const (
	addressColumn, levelCell, fixedColumns = 0, 1, 3
	columnGap                              = 2
	maxOrganization                        = 28
	maxReasonLines                         = 5
)

// writeTable writes a line for each finding; reasons wrap.
func (c *check) writeTable(b *bytes.Buffer, list []finding, width int, colors painter) {
	columns := tableColumns()
	cells := make([][]string, len(list))
	for i, f := range list {
		cells[i] = make([]string, len(columns))
		for j, column := range columns {
			cells[i][j] = printable(column.cell(f))
		}
	}
	for j, column := range columns {
		column.width = text.StringWidth(column.title)
		for i := range cells {
			if column.title == "ORGANIZATION" && width > 0 {
				cells[i][j] = shortened(cells[i][j], maxOrganization)
			}
			column.width = max(column.width, text.StringWidth(cells[i][j]))
		}
	}
	reasonsWidth, dropped := layOut(columns, width)
	position := reasonsPosition(columns, reasonsWidth)
	line := func(cells []string, reasons string, paint func(j int, cell string) string) {
		var l strings.Builder
		for j, column := range columns {
			if column.dropped {
				continue
			}
			if j == position {
				l.WriteString(text.Pad(reasons, reasonsWidth, ' ') + strings.Repeat(" ", columnGap))
			}
			cell := text.Pad(cells[j], column.width, ' ')
			if column.right {
				cell = strings.Repeat(" ", column.width-text.StringWidth(cells[j])) + cells[j]
			}
			l.WriteString(paint(j, cell) + strings.Repeat(" ", columnGap))
		}
		if position == len(columns) {
			l.WriteString(reasons)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	titles := make([]string, len(columns))
	for j, column := range columns {
		titles[j] = column.title
	}
	line(titles, "REASONS", func(_ int, cell string) string { return cell })
	for i, f := range list {
		for n, reasons := range cut(wrapped(printable(c.reasonText(f)), reasonsWidth), maxReasonLines) {
			row := cells[i]
			if n > 0 {
				row = make([]string, len(columns))
			}
			line(row, reasons, func(j int, cell string) string {
				if j == levelCell && n == 0 {
					return colors.level(f.Level(), cell)
				}
				return cell
			})
		}
	}
	if len(dropped) > 0 {
		fmt.Fprintf(b, "\nNot shown, for lack of room: %s.\n", strings.Join(dropped, ", "))
	}
}

// reasonsPosition returns before which column the reasons stand: after the confidence, or the score where that is dropped.
// Where they are as wide as they are they come last.
func reasonsPosition(columns []*tableColumn, reasonsWidth int) int {
	for j := fixedColumns + 1; j < len(columns) && reasonsWidth > 0; j++ {
		if !columns[j].dropped {
			return j
		}
	}
	return len(columns)
}

// layOut drops the columns for which there is no room beside the reasons, and returns how wide the reasons may be, 0 for
// as wide as they are, and the titles of what is dropped. Without a width nothing is dropped.
func layOut(columns []*tableColumn, width int) (reasons int, dropped []string) {
	if width <= 0 {
		return 0, nil
	}
	used := 0
	for j, column := range columns {
		needed := column.width + columnGap
		if j >= fixedColumns && used+needed+minReasons > width {
			column.dropped = true
			dropped = append(dropped, strings.ToLower(column.title))
			continue
		}
		used += needed
	}
	for i, title := range dropped {
		if title == "conf" {
			dropped[i] = "confidence"
		}
	}
	return max(leastReasons, width-used), dropped
}

// wrapped divides a text into lines of a width, at least one; 0 is any width.
func wrapped(s string, width int) []string {
	if width <= 0 {
		return []string{s}
	}
	lines := strings.Split(text.WrapSoft(s, width), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// cut leaves out the end of lines that are too many to read in a table; a card has them all.
func cut(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	lines = lines[:most]
	last := lines[most-1]
	if space := strings.LastIndexByte(last, ' '); space > 0 {
		last = last[:space]
	}
	lines[most-1] = strings.TrimRight(last, " ,;:(") + " …"
	return lines
}

// shortened cuts a text to a width.
func shortened(s string, width int) string {
	if text.StringWidth(s) <= width {
		return s
	}
	return strings.TrimRight(text.Trim(s, width-1), " ") + "…"
}

// reasonText is the reasons in one text.
func (c *check) reasonText(f finding) string {
	return strings.Join(c.reasons(f), "; ")
}

func (f finding) score() string {
	if f.Result() == nil {
		return "-"
	}
	return strconv.Itoa(f.Result().Score)
}

func (f finding) confidence() string {
	if f.Result() == nil || f.Result().Confidence == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *f.Result().Confidence)
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
	columns := tableColumns()
	var b bytes.Buffer
	b.WriteString("| Address | Level | Score | Confidence | Reasons | Organization | Country | Ports |\n|---|---|--:|--:|---|---|---|---|\n")
	n := 0
	for f, err := range findings {
		if err != nil {
			return err
		}
		n++
		for j, column := range columns {
			if j == fixedColumns+1 {
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

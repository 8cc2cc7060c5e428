package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// null is how Steampipe shows a NULL to people.
	null = "<null>"

	// minWidth is how narrow a column may be made to fit a terminal, and maxLines how many lines its longest cells may
	// take. Below and above these a table can't be read.
	minWidth = 10
	maxLines = 8
)

// printTable writes the rows as a table.
func (a *app) printTable(rows results) error {
	var cells [][]string
	for rows.Next() {
		row := make([]string, len(rows.Values()))
		for i, v := range rows.Values() {
			row[i] = readable(v)
		}
		cells = append(cells, row)
	}
	if rows.Err() != nil {
		return rows.Err()
	}
	return a.writeTable(columnNames(rows), cells)
}

// writeTable writes a table. On a terminal it is made to fit: wide columns wrap, and where even that would leave
// columns too narrow, each row is a list of lines.
func (a *app) writeTable(names []string, cells [][]string) error {
	widths := make([]int, len(names))
	for i, name := range names {
		widths[i] = text.StringWidth(name)
	}
	for _, row := range cells {
		for i := range row {
			widths[i] = max(widths[i], text.StringWidth(row[i]))
		}
	}
	if width := a.width(); width > 0 {
		var fits bool
		if widths, fits = fit(widths, width); !fits {
			for i, row := range cells {
				if err := a.printRecord(i+1, names, row); err != nil {
					return err
				}
			}
			return nil
		}
	}
	w := table.NewWriter()
	style := table.StyleDefault
	style.Format.Header = text.FormatDefault
	w.SetStyle(style)
	if !a.noHeader {
		w.AppendHeader(tableRow(names))
	}
	configs := make([]table.ColumnConfig, len(names))
	for i := range configs {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: widths[i], WidthMaxEnforcer: wrap}
	}
	w.SetColumnConfigs(configs)
	for _, row := range cells {
		w.AppendRow(tableRow(row))
	}
	_, err := fmt.Fprintln(a.stdout, w.Render())
	return err
}

func tableRow(cells []string) table.Row {
	row := make(table.Row, len(cells))
	for i := range cells {
		row[i] = cells[i]
	}
	return row
}

// printLines writes a line a column for each row.
func (a *app) printLines(rows results) error {
	names := columnNames(rows)
	row := make([]string, len(names))
	for n := 1; rows.Next(); n++ {
		for i, v := range rows.Values() {
			row[i] = readable(v)
		}
		if err := a.printRecord(n, names, row); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printRecord(n int, names, values []string) error {
	width := 0
	for _, name := range names {
		width = max(width, text.StringWidth(name))
	}
	var b strings.Builder
	b.WriteString(text.Pad(fmt.Sprintf("-[ RECORD %d ]", n), 60, '-') + "\n")
	for i, name := range names {
		fmt.Fprintf(&b, "%s | %s\n", text.Pad(name, width, ' '), values[i])
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

func columnNames(rows results) []string {
	names := make([]string, len(rows.Columns()))
	for i, c := range rows.Columns() {
		names[i] = printable(c.Name)
	}
	return names
}

// width returns how wide the terminal is, and 0 where standard output is none.
func (a *app) width() int { return widthOf(a.stdout) }

// fit makes columns narrower until a table of them fits, the widest first. It reports false where they cannot be made
// narrow enough.
func fit(widths []int, available int) ([]int, bool) {
	const border, lastBorder = 3, 1 // "| " and " " around each cell, "|" at the end.
	available -= border*len(widths) + lastBorder
	order := make([]int, len(widths))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(widths[a], widths[b]) })
	fitted := slices.Clone(widths)
	for n, i := range order {
		// What the narrow columns leave is shared among the wide ones.
		share := available / (len(order) - n)
		if widths[i] > share {
			if share < minWidth {
				return nil, false
			}
			fitted[i] = share
		}
		available -= fitted[i]
	}
	return fitted, true
}

// wrap breaks a cell into lines, and leaves out the end of one that would be too long to read.
func wrap(cell string, width int) string {
	if text.StringWidth(cell) <= width {
		return cell
	}
	if limit := width * maxLines; text.StringWidth(cell) > limit {
		cell = text.Trim(cell, limit-1) + "…"
	}
	return text.WrapSoft(cell, width)
}

// readable returns a value as people are shown it.
func readable(v any) string {
	if v == nil {
		return null
	}
	return printable(plain(v))
}

// printable returns a text with what would move a terminal's cursor, or change its colours, spelt out. What a host on
// the internet answers must not be obeyed.
func printable(s string) string {
	hidden := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

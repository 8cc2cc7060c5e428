// Package texttable lays rows of text out as a table that fits the width of a terminal.
package texttable

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

const (
	// columnGap is the space between the columns of a table without a grid.
	columnGap = 2
	// textWidth is the width that a column of text needs to be worth showing.
	textWidth = 12
	// wordWidth is the longest word that is not broken: the length of an IPv6 address.
	wordWidth = 39
	// maxPadded is how wide a column of a table without a width may be. A cell that is wider sticks out: if all others were
	// padded to it, one host with a long text would make a table of 5,000 rows as large as 5,000 long texts.
	maxPadded = 400
)

// A Column is a column of a table.
type Column struct {
	Title string
	// Name is what the line below the table calls the column if it is left out; by default the title.
	Name   string
	Right  bool // aligned to the right, as numbers are
	Level  bool // cells are coloured by the level that they name
	Keep   bool // other columns are left out first
	NoWrap bool // cells do not wrap
	// MinWidth is how narrow the column may get to make room for others. With it the column is never left out.
	MinWidth int

	width, natural int
	leftOut        bool
}

// Columns returns columns of the given titles.
func Columns(titles ...string) []*Column {
	columns := make([]*Column, len(titles))
	for i, title := range titles {
		columns[i] = &Column{Title: title}
	}
	return columns
}

// A Table is rows of text. With a width it fits into that width: titles and cells wrap, and columns without room are
// left out and named below the table.
type Table struct {
	Columns []*Column
	// Cells are the rows. They must be printable, see [display.Printable].
	Cells [][]string
	// Width is the width of the table; 0 is unlimited.
	Width int
	// MaxLines is how many lines a row may have; 0 is unlimited. A longer cell is cut and ends in "…".
	MaxLines int
	// Lines draws lines: around the cells of a table without a width, below the titles of a table with one.
	Lines    bool
	NoTitles bool
	Painter  display.Painter
	// Advice says how to see the columns that are left out.
	Advice string
}

// Fits reports whether the width has room for all columns.
func (t *Table) Fits() bool { return len(t.layOut()) == 0 }

// layOut decides the widths of the columns. It returns the names of the columns that have no room and are left out.
func (t *Table) layOut() (leftOut []string) {
	for j, column := range t.Columns {
		column.leftOut = false
		t.measure(j)
	}
	if t.Width <= 0 {
		return nil
	}
	room := t.Width + columnGap
	for j, column := range t.Columns {
		if column.Keep {
			room -= t.place(column, room, j == 0)
		}
	}
	for j, column := range t.Columns {
		if !column.Keep {
			room -= t.place(column, room, j == 0)
		}
		if column.leftOut {
			leftOut = append(leftOut, cmp.Or(column.Name, column.Title))
		}
	}
	t.widen(room)
	return leftOut
}

// measure sets the natural and the smallest width of a column.
func (t *Table) measure(j int) {
	column := t.Columns[j]
	cells, longest := 0, 0
	for _, row := range t.Cells {
		cells = max(cells, text.StringWidth(row[j]))
		if t.Width > 0 && !column.NoWrap {
			longest = max(longest, unbroken(row[j]))
		}
	}
	column.natural = max(cells, text.StringWidth(column.Title))
	switch {
	case t.Width <= 0:
		column.width = min(column.natural, maxPadded)
		return
	case column.NoWrap:
		column.width = column.natural
		return
	case column.MinWidth > 0:
		column.width = column.MinWidth
		return
	}
	column.width = max(longest, min(cells, textWidth))
	for _, piece := range titlePieces(column.Title) {
		column.width = max(column.width, text.StringWidth(piece))
	}
}

// place returns how much of the room a column takes with its gap, or leaves the column out. The first column and
// columns with a MinWidth are never left out.
func (t *Table) place(column *Column, room int, first bool) int {
	if column.width+columnGap > room {
		switch {
		case column.MinWidth > 0:
			column.width = max(display.MinWidth, room-columnGap)
		case !first:
			column.leftOut = true
			return 0
		}
	}
	return column.width + columnGap
}

// widen distributes the remaining room among the columns that wrap. Columns that need little get all they need.
func (t *Table) widen(room int) {
	wrapping := slices.DeleteFunc(slices.Clone(t.Columns), func(c *Column) bool { return c.leftOut || c.natural <= c.width })
	slices.SortStableFunc(wrapping, func(a, b *Column) int { return cmp.Compare(a.natural-a.width, b.natural-b.width) })
	for i, column := range wrapping {
		share := min(column.natural-column.width, max(0, room)/(len(wrapping)-i))
		column.width += share
		room -= share
	}
}

// unbroken returns the width that a column needs for a cell to be readable: the width of its word, or of several words
// that of most of them.
func unbroken(cell string) int {
	longest := display.LongestWord(cell)
	switch {
	case strings.Contains(cell, " "):
		return min(longest, display.MinWidth)
	case longest > wordWidth:
		return textWidth // it has to be broken anyway
	}
	return longest
}

// titlePieces divides a title where it may wrap: after underscores and at spaces.
func titlePieces(title string) []string {
	var pieces []string
	for word := range strings.FieldsSeq(title) {
		pieces = append(pieces, strings.SplitAfter(word, "_")...)
	}
	return pieces
}

// wrappedTitle divides a title into lines.
func wrappedTitle(title string, width int) []string {
	if width <= 0 || text.StringWidth(title) <= width {
		return []string{title}
	}
	lines := []string{""}
	for _, piece := range titlePieces(title) {
		last := lines[len(lines)-1]
		joint := ""
		if last != "" && !strings.HasSuffix(last, "_") {
			joint = " "
		}
		if last != "" && text.StringWidth(last+joint+piece) > width {
			lines = append(lines, piece)
			continue
		}
		lines[len(lines)-1] = last + joint + piece
	}
	return lines
}

// Write writes the table.
func (t *Table) Write(b *bytes.Buffer) {
	leftOut := t.layOut()
	t.Columns, t.Cells = t.shown()
	t.gridLine(b)
	if !t.NoTitles {
		titles := make([][]string, len(t.Columns))
		for j, column := range t.Columns {
			titles[j] = wrappedTitle(column.Title, t.wrapWidth(column))
		}
		t.row(b, titles, t.Painter.Bold)
		t.gridLine(b)
		if t.Lines && t.Width > 0 {
			rule := make([][]string, len(t.Columns))
			for j, column := range t.Columns {
				rule[j] = []string{strings.Repeat("-", column.width)}
			}
			t.row(b, rule, nil)
		}
	}
	for _, cells := range t.Cells {
		wrapped := make([][]string, len(cells))
		for j, cell := range cells {
			wrapped[j] = t.wrapped(t.Columns[j], cell)
		}
		t.row(b, wrapped, nil)
	}
	t.gridLine(b)
	if len(leftOut) > 0 {
		b.WriteByte('\n')
		line := "Not shown: " + strings.Join(leftOut, ", ")
		if t.Advice != "" {
			line += "; " + t.Advice
		}
		for _, part := range display.Wrap(line, t.Width) {
			b.WriteString(part + "\n")
		}
	}
}

// shown returns the columns that are not left out, and their cells.
func (t *Table) shown() (columns []*Column, cells [][]string) {
	cells = make([][]string, len(t.Cells))
	for j, column := range t.Columns {
		if column.leftOut {
			continue
		}
		columns = append(columns, column)
		for i := range t.Cells {
			cells[i] = append(cells[i], t.Cells[i][j])
		}
	}
	return columns, cells
}

// wrapWidth returns the width at which a column wraps, and 0 where it does not.
func (t *Table) wrapWidth(column *Column) int {
	if t.Width <= 0 || column.NoWrap {
		return 0
	}
	return column.width
}

// wrapped returns the lines of a cell.
func (t *Table) wrapped(column *Column, cell string) []string {
	width := t.wrapWidth(column)
	if width <= 0 {
		return []string{cell}
	}
	if t.MaxLines > 0 {
		cell = text.Trim(cell, width*(t.MaxLines+1)) // it is cut anyway, and may be a whole web page
	}
	return display.Cut(display.Wrap(cell, width), t.MaxLines, width)
}

// row writes a row whose cells are divided into lines. Paint colours each line; if it is nil, levels are coloured.
func (t *Table) row(b *bytes.Buffer, cells [][]string, paint func(string) string) {
	height := 1
	for _, lines := range cells {
		height = max(height, len(lines))
	}
	left, between, right := "", strings.Repeat(" ", columnGap), ""
	if t.Lines && t.Width <= 0 {
		left, between, right = "| ", " | ", " |"
	}
	for n := range height {
		var l strings.Builder
		for j, column := range t.Columns {
			part := ""
			if n < len(cells[j]) {
				part = cells[j][n]
			}
			blanks := strings.Repeat(" ", max(0, column.width-text.StringWidth(part)))
			switch {
			case paint != nil:
				part = paint(part)
			case column.Level && n == 0:
				part = t.Painter.Level(display.LevelIn(part), part)
			}
			if column.Right {
				part = blanks + part
			} else {
				part += blanks
			}
			if j > 0 {
				l.WriteString(between)
			}
			l.WriteString(part)
		}
		line := left + l.String() + right
		if right == "" {
			line = strings.TrimRightFunc(line, unicode.IsSpace)
		}
		b.WriteString(line + "\n")
	}
}

// gridLine writes a line of the grid.
func (t *Table) gridLine(b *bytes.Buffer) {
	if !t.Lines || t.Width > 0 {
		return
	}
	b.WriteByte('+')
	for _, column := range t.Columns {
		b.WriteString(strings.Repeat("-", column.width+2) + "+")
	}
	b.WriteByte('\n')
}

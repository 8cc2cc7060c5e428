package cli

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// columnGap is the space between the columns of a table without lines.
	columnGap = 2
	// textWidth is how wide a column of texts must be to be worth its place, and wordWidth the length up to which a
	// cell of one word is not broken: that of an IPv6 address.
	textWidth, wordWidth = 12, 39
	// leastWidth is how narrow a text of several words may be made.
	leastWidth = 16
)

// A textColumn is a column of a table of text.
type textColumn struct {
	title string
	// name is what the line below the table calls the column where it is left out; the title where empty.
	name  string
	right bool // aligned to the right, as numbers are
	level bool // its cells are coloured by the level that they name
	keep  bool // has its place before the others
	whole bool // does not wrap
	// least is how narrow the column may be made for others to have room. It is then never left out.
	least int

	width, natural int
	leftOut        bool
}

// A textTable writes rows of text. Where it has a width it fits into it: titles and cells wrap, and columns for which
// there is no room are left out and named below the table.
type textTable struct {
	columns []*textColumn
	// cells are the rows, which must be printable.
	cells [][]string
	// width is how wide the table may be, and 0 for as wide as it is.
	width int
	// maxLines is how many lines a row may have; 0 for all that it needs. A cell with more is cut and ends in "…".
	maxLines int
	// grid draws lines around the cells of a table without a width, and rule one below the titles of one with a width.
	grid, rule bool
	noTitles   bool
	colors     painter
	// advice says how to see the columns that are left out.
	advice string
}

// layOut decides how wide the columns are, and leaves out those that have no room. It returns the names of these.
func (t *textTable) layOut() (leftOut []string) {
	for j, column := range t.columns {
		column.leftOut = false
		t.measure(j)
	}
	if t.width <= 0 {
		return nil
	}
	room := t.width + columnGap
	for j, column := range t.columns {
		if column.keep {
			room -= t.place(column, room, j == 0)
		}
	}
	for j, column := range t.columns {
		if !column.keep {
			room -= t.place(column, room, j == 0)
		}
		if column.leftOut {
			leftOut = append(leftOut, cmp.Or(column.name, column.title))
		}
	}
	t.widen(room)
	return leftOut
}

// measure finds out how wide a column would be, and how narrow it may be.
func (t *textTable) measure(j int) {
	column := t.columns[j]
	cells, longest := 0, 0
	for _, row := range t.cells {
		cells = max(cells, text.StringWidth(row[j]))
		if t.width > 0 && !column.whole {
			longest = max(longest, unbroken(row[j]))
		}
	}
	column.natural = max(cells, text.StringWidth(column.title))
	switch {
	case t.width <= 0 || column.whole:
		column.width = column.natural
		return
	case column.least > 0:
		column.width = column.least
		return
	}
	column.width = max(longest, min(cells, textWidth))
	for _, piece := range titlePieces(column.title) {
		column.width = max(column.width, text.StringWidth(piece))
	}
}

// place returns how much of the room a column takes with the gap before it, or leaves it out. The first column and one
// that says how narrow it may be are never left out: they take what there is.
func (t *textTable) place(column *textColumn, room int, first bool) int {
	if column.width+columnGap > room {
		switch {
		case column.least > 0:
			column.width = max(leastWidth, room-columnGap)
		case !first:
			column.leftOut = true
			return 0
		}
	}
	return column.width + columnGap
}

// widen shares the room that is left among the columns that wrap. Those that need little get all they need.
func (t *textTable) widen(room int) {
	wrapping := slices.DeleteFunc(slices.Clone(t.columns), func(c *textColumn) bool { return c.leftOut || c.natural <= c.width })
	slices.SortStableFunc(wrapping, func(a, b *textColumn) int { return cmp.Compare(a.natural-a.width, b.natural-b.width) })
	for i, column := range wrapping {
		share := min(column.natural-column.width, max(0, room)/(len(wrapping)-i))
		column.width += share
		room -= share
	}
}

// unbroken returns how wide a column must be for a cell to be readable: as wide as its word, or where it has several as
// most of them.
func unbroken(cell string) int {
	longest := longestWord(cell)
	switch {
	case strings.Contains(cell, " "):
		return min(longest, leastWidth)
	case longest > wordWidth:
		return textWidth // it has to be broken in any case
	}
	return longest
}

// longestWord returns the width of the widest word of a cell.
func longestWord(cell string) int {
	longest := 0
	for word := range strings.FieldsSeq(cell) {
		longest = max(longest, text.StringWidth(word))
	}
	return longest
}

// titlePieces divides a title where it may wrap: after underscores, and at spaces.
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

// write writes the table.
func (t *textTable) write(b *bytes.Buffer) {
	leftOut := t.layOut()
	t.columns, t.cells = t.shown()
	t.gridLine(b)
	if !t.noTitles {
		titles := make([][]string, len(t.columns))
		for j, column := range t.columns {
			titles[j] = wrappedTitle(column.title, t.wrapWidth(column))
		}
		t.row(b, titles, t.colors.bold)
		t.gridLine(b)
		if t.rule && t.width > 0 {
			rule := make([][]string, len(t.columns))
			for j, column := range t.columns {
				rule[j] = []string{strings.Repeat("-", column.width)}
			}
			t.row(b, rule, nil)
		}
	}
	for _, cells := range t.cells {
		wrapped := make([][]string, len(cells))
		for j, cell := range cells {
			wrapped[j] = t.wrapped(t.columns[j], cell)
		}
		t.row(b, wrapped, nil)
	}
	t.gridLine(b)
	if len(leftOut) > 0 {
		b.WriteByte('\n')
		line := "Not shown: " + strings.Join(leftOut, ", ")
		if t.advice != "" {
			line += "; " + t.advice
		}
		for _, part := range wrapped(line, t.width) {
			b.WriteString(part + "\n")
		}
	}
}

// shown returns the columns that are not left out, and their cells.
func (t *textTable) shown() (columns []*textColumn, cells [][]string) {
	cells = make([][]string, len(t.cells))
	for j, column := range t.columns {
		if column.leftOut {
			continue
		}
		columns = append(columns, column)
		for i := range t.cells {
			cells[i] = append(cells[i], t.cells[i][j])
		}
	}
	return columns, cells
}

// wrapWidth returns the width at which a column wraps, and 0 where it does not.
func (t *textTable) wrapWidth(column *textColumn) int {
	if t.width <= 0 || column.whole {
		return 0
	}
	return column.width
}

// wrapped returns the lines of a cell.
func (t *textTable) wrapped(column *textColumn, cell string) []string {
	width := t.wrapWidth(column)
	if width <= 0 {
		return []string{cell}
	}
	if t.maxLines > 0 {
		cell = text.Trim(cell, width*(t.maxLines+1)) // which is cut in any case, and may be a whole web page
	}
	return cut(wrapped(cell, width), t.maxLines)
}

// row writes the lines of a row, whose cells are lines. Paint colours each; where it is nil, levels are coloured.
func (t *textTable) row(b *bytes.Buffer, cells [][]string, paint func(string) string) {
	height := 1
	for _, lines := range cells {
		height = max(height, len(lines))
	}
	left, between, right := "", strings.Repeat(" ", columnGap), ""
	if t.grid && t.width <= 0 {
		left, between, right = "| ", " | ", " |"
	}
	for n := range height {
		var l strings.Builder
		for j, column := range t.columns {
			part := ""
			if n < len(cells[j]) {
				part = cells[j][n]
			}
			blanks := strings.Repeat(" ", max(0, column.width-text.StringWidth(part)))
			switch {
			case paint != nil:
				part = paint(part)
			case column.level && n == 0:
				part = t.colors.level(levelIn(part), part)
			}
			if column.right {
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
func (t *textTable) gridLine(b *bytes.Buffer) {
	if !t.grid || t.width > 0 {
		return
	}
	b.WriteByte('+')
	for _, column := range t.columns {
		b.WriteString(strings.Repeat("-", column.width+2) + "+")
	}
	b.WriteByte('\n')
}

// wrapped divides a text into lines of a width, at least one; 0 is any width.
func wrapped(s string, width int) []string {
	if width <= 0 || text.StringWidth(s) <= width {
		return []string{s}
	}
	lines := strings.Split(text.WrapSoft(s, width), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// cut leaves out the end of lines that are too many to read in a table; 0 is any number.
func cut(lines []string, most int) []string {
	if most <= 0 || len(lines) <= most {
		return lines
	}
	lines = lines[:most]
	last := lines[most-1]
	if space := strings.LastIndexByte(last, ' '); space > 0 {
		last = last[:space]
	} else {
		last = text.Trim(last, max(0, text.StringWidth(last)-2))
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

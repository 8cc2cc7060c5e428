package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// null is how Steampipe shows a NULL to people.
	null = "<null>"

	// recordsUpTo is how few rows are shown as records, a line for each column, where a table of them would lack
	// columns. More rows are a table in any case: records of many rows cannot be compared.
	recordsUpTo = 3
	// maxCellLines is how many lines of a table a row of a query may take. Records have all of it.
	maxCellLines = 8
)

// printTable writes the rows as a table. The columns that are named have their place before the others.
func (a *app) printTable(rows results, kept ...string) error {
	var cells [][]string
	columns := columnsOf(rows)
	for _, column := range columns {
		column.keep = slices.Contains(kept, column.title)
	}
	for rows.Next() {
		row := make([]string, len(columns))
		for i, v := range rows.Values() {
			row[i] = readable(v)
			switch v.(type) {
			case int64, float64:
				columns[i].right = true
			}
		}
		cells = append(cells, row)
	}
	if rows.Err() != nil {
		return rows.Err()
	}
	t := textTable{columns: columns, cells: cells, maxLines: maxCellLines, advice: "use --output line or a wider terminal"}
	return a.writeTable(t)
}

// writeTable writes a table. On a terminal it is made to fit; a few rows that do not are records. Elsewhere it has all
// columns, with lines around the cells.
func (a *app) writeTable(t textTable) error {
	t.width, t.grid, t.rule, t.noTitles = a.width(), true, true, a.noHeader
	t.colors = painterFor(a.stdout, a.noColor)
	if t.advice == "" {
		t.advice = "use a wider terminal"
	}
	if len(t.cells) <= recordsUpTo && len(t.cells) > 0 && len(t.layOut()) > 0 {
		for i, row := range t.cells {
			if err := a.printRecord(i+1, t.columns, row); err != nil {
				return err
			}
		}
		return nil
	}
	var b bytes.Buffer
	t.write(&b)
	_, err := b.WriteTo(a.stdout)
	return err
}

// columnsOf returns the columns of rows.
func columnsOf(rows results) []*textColumn {
	columns := textColumns(columnNames(rows)...)
	for _, column := range columns {
		name := strings.ToLower(column.title)
		column.level = name == levelColumn || strings.HasSuffix(name, "_"+levelColumn)
	}
	return columns
}

// textColumns returns columns of the given titles.
func textColumns(titles ...string) []*textColumn {
	columns := make([]*textColumn, len(titles))
	for i, title := range titles {
		columns[i] = &textColumn{title: title}
	}
	return columns
}

// printLines writes a line for each column of each row.
func (a *app) printLines(rows results) error {
	columns := columnsOf(rows)
	row := make([]string, len(columns))
	for n := 1; rows.Next(); n++ {
		for i, v := range rows.Values() {
			row[i] = readable(v)
		}
		if err := a.printRecord(n, columns, row); err != nil {
			return err
		}
	}
	return nil
}

// printRecord writes a row as a line for each column. On a terminal long values wrap, but for those with a word that
// would have to be broken, such as an address of a web page, which could then not be copied.
func (a *app) printRecord(n int, columns []*textColumn, values []string) error {
	names := 0
	for _, column := range columns {
		names = max(names, text.StringWidth(column.title))
	}
	colors, width := painterFor(a.stdout, a.noColor), 0
	if available := a.width(); available > 0 {
		width = max(leastWidth, available-names-3)
	}
	var b strings.Builder
	b.WriteString(text.Pad(fmt.Sprintf("-[ RECORD %d ]", n), 60, '-') + "\n")
	for i, column := range columns {
		name := column.title
		lines := []string{values[i]}
		if longestWord(values[i]) <= width {
			lines = wrapped(values[i], width)
		}
		for _, part := range lines {
			if column.level {
				part = colors.level(levelIn(part), part)
			}
			fmt.Fprintf(&b, "%s | %s\n", text.Pad(name, names, ' '), part)
			name = ""
		}
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

// readable returns a value as people are shown it: a list as its elements with commas between them.
func readable(v any) string {
	if v == nil {
		return null
	}
	if raw, ok := v.(json.RawMessage); ok {
		if list, ok := listText(raw); ok {
			return printable(list)
		}
	}
	return printable(plain(v))
}

// listText returns a JSON array of texts, numbers and truth values as a list for people. It reports false where the
// value is something else. An element that could be taken for more or less than one is in quotes.
func listText(raw json.RawMessage) (list string, ok bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return "", false
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return "", false
	}
	texts := make([]string, len(elements))
	for i, element := range elements {
		texts[i] = string(element)
		switch element[0] {
		case '{', '[':
			return "", false
		case '"':
			var s string
			if err := json.Unmarshal(element, &s); err != nil {
				return "", false
			}
			if s != "" && s == strings.TrimSpace(s) && !strings.ContainsAny(s, `,"`) {
				texts[i] = s
			}
		}
	}
	return strings.Join(texts, ", "), true
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

package texttable

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// rendered returns a table as it is written.
func rendered(width, maxLines int, cells [][]string, columns ...*Column) string {
	var b bytes.Buffer
	t := Table{Columns: columns, Cells: cells, Width: width, MaxLines: maxLines, Lines: true}
	t.Write(&b)
	return b.String()
}

func TestATableFitsItsWidth(t *testing.T) {
	t.Parallel()
	const long = "one word after another that goes on"
	for name, tt := range map[string]struct {
		got, want string
	}{
		"what fits stays": {rendered(40, 0, [][]string{{"a", "12"}}, &Column{Title: "name"}, &Column{Title: "n", Right: true}),
			"name   n\n----  --\na     12\n"},
		"titles wrap at underscores": {rendered(12, 0, [][]string{{"1", "2"}}, Columns("vuln_count", "port_count")...),
			"vuln_  port_\ncount  count\n-----  -----\n1      2\n"},
		"texts wrap at spaces": {rendered(20, 0, [][]string{{"1", long}}, Columns("n", "text")...),
			"n  text\n-  -----------------\n1  one word after\n   another that goes\n   on\n"},
		"too many lines are cut": {rendered(20, 2, [][]string{{"1", long}}, Columns("n", "text")...),
			"n  text\n-  -----------------\n1  one word after\n   another that …\n"},
		"a column without room is named": {rendered(20, 0, [][]string{{"192.0.2.1", "a long word", "2"}}, Columns("ip", "text", "n")...),
			"ip         n\n---------  -\n192.0.2.1  2\n\nNot shown: text\n"},
		"a column that is kept comes before the others": {rendered(20, 0, [][]string{{"192.0.2.1", "7777777", "88888888"}}, &Column{Title: "ip"}, &Column{Title: "n"}, &Column{Title: "m", Keep: true}),
			"ip         m\n---------  --------\n192.0.2.1  88888888\n\nNot shown: n\n"},
		"without a width it is a grid": {rendered(0, 0, [][]string{{"1", long}}, Columns("n", "text")...),
			"+---+-------------------------------------+\n| n | text                                |\n+---+-------------------------------------+\n| 1 | one word after another that goes on |\n+---+-------------------------------------+\n"},
		"no rows":    {rendered(40, 0, nil, Columns("n", "text")...), "n  text\n-  ----\n"},
		"no columns": {rendered(40, 0, nil), "\n\n"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, tt.got, tt.want)
		}
	}
}

// No table is wider than its width, whatever is in its cells, from the width on that its first column needs.
func FuzzTable(f *testing.F) {
	f.Add("192.0.2.1\x00indexed\x00a text of some words\x00漢字漢字漢字漢字漢字漢字", uint8(40))
	f.Add("a_b_c_d_e_f\x00"+strings.Repeat("x", 200), uint8(50))
	f.Fuzz(func(t *testing.T, joined string, width uint8) {
		var cells, titles []string
		for _, part := range strings.Split(joined, "\x00") {
			cells, titles = append(cells, display.Printable(part)), append(titles, display.Printable(part[:min(len(part), 20)]))
		}
		if len(cells) > 20 {
			t.Skip()
		}
		available := max(int(width), wordWidth*2+columnGap)
		got := rendered(available, 8, [][]string{cells}, Columns(titles...)...)
		for line := range strings.Lines(got) {
			if n := text.StringWidth(strings.TrimSuffix(line, "\n")); n > available {
				t.Errorf("a line of %d, wider than %d: %q", n, available, line)
			}
		}
	})
}

// A host chooses how long its texts are. The table must not grow by that for each other row.
func TestALongTextDoesNotWidenOtherRows(t *testing.T) {
	t.Parallel()
	cells := [][]string{{strings.Repeat("a", 100_000), "1"}}
	for range 999 {
		cells = append(cells, []string{"b", "2"})
	}
	got := rendered(0, 0, cells, Columns("text", "n")...)
	lines := strings.Split(got, "\n")
	if len(got) > 100_000+1_000*(maxPadded+20) || lines[3] != "| "+cells[0][0]+" | 1 |" || len(lines[4]) != maxPadded+len("| ")+len(" | 2 |") {
		t.Errorf("%d bytes; %.20q… has %d, %.20q… has %d", len(got), lines[3], len(lines[3]), lines[4], len(lines[4]))
	}
}

package display

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain – ünïcödé 漢字":                          "plain – ünïcödé 漢字",
		"\x1b[31mred\x1b]0;title\a":                   `\x1b[31mred\x1b]0;title\a`,
		"one\r\ntwo\tthree":                           `one\r\ntwo\tthree`,
		"\u202eright to left\u200b":                   `\u202eright to left\u200b`,
		"not \xff UTF-8":                              `not � UTF-8`,
		"\x00\x7f\u009b":                              `\x00\x7f\u009b`,
		"e" + strings.Repeat("\u0301", 6) + "a\u0301": "e" + strings.Repeat("\u0301", 4) + `\u0301\u0301` + "a\u0301",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1bb")
	f.Add("0123456789012345678漢")
	f.Fuzz(func(t *testing.T, s string) {
		got := Printable(s)
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar }) {
			t.Errorf("%q", got)
		}
		for _, line := range Wrap(got, 20) {
			if text.StringWidth(line) > 20 {
				t.Errorf("a line of %d: %q", text.StringWidth(line), line)
			}
		}
	})
}

func TestCellsAreColouredByTheLevelTheyName(t *testing.T) {
	t.Parallel()
	for cell, coloured := range map[string]bool{"critical": true, "low": true, "unknown": true, "error": true, "not_indexed": true, "indexed": false, "": false, "fine": false} {
		if got := Painter(true).Level(LevelIn(cell), cell); (got != cell) != coloured {
			t.Errorf("%q is %q", cell, got)
		}
		if got := Painter(false).Level(LevelIn(cell), cell); got != cell {
			t.Errorf("without colours %q is %q", cell, got)
		}
	}
	if !slices.Equal(Wrap("", 10), []string{""}) {
		t.Error("an empty cell has no line")
	}
}

// A character of two columns does not fit into the last one.
func TestNoLineIsWiderThanTheColumn(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"0123456789012345678漢", "0漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", "one 0123456789012345678漢 two"} {
		lines := Wrap(word, 20)
		for _, line := range lines {
			if text.StringWidth(line) > 20 {
				t.Errorf("%q has the line %q of %d columns", word, line, text.StringWidth(line))
			}
		}
		if joined := strings.Join(lines, ""); strings.ReplaceAll(word, " ", "") != strings.ReplaceAll(joined, " ", "") {
			t.Errorf("%q becomes %q", word, lines)
		}
	}
}

// A word that is cut must not look like another word.
func TestACutWordShowsThatItIsCut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		width int
		want  string // of the second and last line
	}{
		{"CVE-2021-40000, CVE-2021-40001, CVE-2021-40002", 20, "CVE-2021-40001 …"},
		{"CVE-2021-40000, CVE-2021-40001, CVE-2021-40002", 16, "CVE-2021-40001 …"},
		{"CVE-2021-40000, CVE-2021-40001, CVE-2021-40002", 15, "CVE-2021-40001…"},
		{"one two three four five six", 9, "three …"},
		{"0123456789abcdef0123456789abcdef", 10, "abcdef012…"},
		{"漢字漢字漢字漢字漢字漢字", 8, "漢字漢…"},
	} {
		lines := Cut(Wrap(test.text, test.width), 2, test.width)
		if got := lines[len(lines)-1]; len(lines) != 2 || got != test.want || text.StringWidth(got) > test.width {
			t.Errorf("%q at %d: %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

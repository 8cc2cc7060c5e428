// Package display formats text for people: what is safe to print on a terminal, how it wraps, and its colours.
package display

import (
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// MaxMarks is how many combining marks may follow each other. No writing needs more, and hundreds of them would cover the
// lines above and below.
const MaxMarks = 4

// Printable returns a text in which every character that would move a terminal's cursor or change its colours is
// escaped, and so are combining marks after MaxMarks others. A host on the internet chooses what its services answer, and
// must not control the user's terminal.
func Printable(s string) string {
	isPlain := func(r rune) bool { return r >= ' ' && r < utf8.RuneSelf && r != '\x7f' }
	if !strings.ContainsFunc(s, func(r rune) bool { return !isPlain(r) }) {
		return s
	}
	var b strings.Builder
	for r, isExcess := range runes(s) {
		switch {
		case isExcess:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		case r != utf8.RuneError && !unicode.IsPrint(r):
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// DropMarks returns a text without the combining marks after MaxMarks others.
func DropMarks(s string) string {
	var b strings.Builder
	for r, isExcess := range runes(s) {
		if !isExcess {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// runes yields the characters of a text, and whether each is a combining mark after MaxMarks others.
func runes(s string) iter.Seq2[rune, bool] {
	return func(yield func(rune, bool) bool) {
		marks := 0
		for _, r := range s {
			if marks++; !unicode.Is(unicode.M, r) {
				marks = 0
			}
			if !yield(r, marks > MaxMarks) {
				return
			}
		}
	}
}

// PrintableLines is [Printable] for a text of several lines: line feeds stay.
func PrintableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}

// Plural returns a count with its noun, such as "1 address" or "2,000 addresses".
func Plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		noun += "e"
	}
	return humanize.Comma(n) + " " + noun + "s"
}

// Package display formats text for people: what is safe to print on a terminal, how it wraps, and its colours.
package display

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// Printable returns a text in which every character that would move a terminal's cursor or change its colours is
// escaped. A host on the internet chooses what its services answer, and must not control the user's terminal.
func Printable(s string) string {
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

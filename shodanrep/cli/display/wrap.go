package display

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// MinWidth is the narrowest width to which text of several words is wrapped.
const MinWidth = 16

// Wrap divides a text into lines of a width, at least one; a width of 0 is unlimited.
func Wrap(s string, width int) []string {
	if width <= 0 || text.StringWidth(s) <= width {
		return []string{s}
	}
	lines := softWrapped(s, width)
	// Where WrapSoft divides a word before the last column, it may put a character of two columns there.
	if width > 1 && slices.ContainsFunc(lines, func(line string) bool { return text.StringWidth(line) > width }) {
		return softWrapped(s, width-1)
	}
	return lines
}

// softWrapped returns the lines of WrapSoft without the blanks that fill them up.
func softWrapped(s string, width int) []string {
	lines := strings.Split(text.WrapSoft(s, width), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// Cut returns at most the first lines up to a limit, the last of which then ends in "…"; a limit of 0 is unlimited. The
// lines have at most the width. A word that is not whole has the mark at its end: CVE-2021-4444 is another vulnerability
// than CVE-2021-44440.
func Cut(lines []string, limit, width int) []string {
	if limit <= 0 || len(lines) <= limit {
		return lines
	}
	lines = lines[:limit]
	const separators = " ,;:("
	last, mark := lines[limit-1], " …"
	if space := strings.LastIndexByte(last, ' '); space > 0 {
		last = strings.TrimRight(last[:space], separators)
	} else if word := strings.TrimRight(last, separators); text.StringWidth(word+mark) <= width {
		last = word
	} else {
		last, mark = text.Trim(last, max(0, min(text.StringWidth(last), width)-1)), "…"
	}
	lines[limit-1] = last + mark
	return lines
}

// Shorten cuts a text to a width.
func Shorten(s string, width int) string {
	if text.StringWidth(s) <= width {
		return s
	}
	return strings.TrimRight(text.Trim(s, width-1), " ") + "…"
}

// LongestWord returns the width of the widest word of a text.
func LongestWord(s string) int {
	longest := 0
	for word := range strings.FieldsSeq(s) {
		longest = max(longest, text.StringWidth(word))
	}
	return longest
}

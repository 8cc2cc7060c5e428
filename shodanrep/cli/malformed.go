package cli

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
)

// malformedArgument returns an error about the first word of an argument that was meant as an address or a network and
// is none: to check the address of 198.51.100.1/33 would hide that its network is not checked.
func malformedArgument(argument string) error {
	for _, word := range strings.FieldsFunc(argument, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;", r) }) {
		if reason := iptext.Malformed([]byte(word)); reason != "" {
			return usageError{fmt.Errorf("%s %s", word, reason)}
		}
	}
	return nil
}

// malformedLines are the lines of inputs that have nothing but what was meant as addresses or a network and is read as
// less.
type malformedLines struct {
	// leftOut are the lines without an address. Of shortened only the address is looked up, and of ranges, which
	// arguments are as well, the two ends.
	leftOut, shortened, ranges lineCount
	// parts are the encoded parts of emails whose text is hidden, such as attached archives.
	parts lineCount
	// wide are the inputs that have text in UTF-16 within other text: the shell of Windows appends such lines.
	wide lineCount
}

// found reports whether there are any.
func (m *malformedLines) found() bool {
	return m.leftOut.n+m.shortened.n+m.ranges.n+m.parts.n+m.wide.n > 0
}

// addArgument counts the ranges in an argument.
func (m *malformedLines) addArgument(argument string) {
	for part := range rangesIn([]byte(argument)) {
		m.ranges.add(string(part))
	}
}

// rangesIn yields the ranges in a text, which may be one or a list with commas or semicolons.
func rangesIn(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for part := range bytes.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
			if part = bytes.TrimSpace(part); iptext.IsRange(part) && !yield(part) {
				return
			}
		}
	}
}

// A lineCount is a number of lines, with what is said about the first.
type lineCount struct {
	n     int64
	first string
	// line is the number of the first line, and name the name of its input.
	line int64
	name string
}

// reader returns a text that is checked while it is read. Emails in it are decoded.
func (m *malformedLines) reader(text io.Reader, name string) io.Reader {
	name = inputNames([]string{name})
	decoded := iptext.NewMailReader(text, func(line int64, form string) { m.parts.addLine(line, name, "it is "+form) })
	return &malformedReader{Reader: decoded, lines: m, name: name}
}

// add counts a line if it is malformed, and reports whether it is.
func (m *malformedLines) add(line []byte, number int64, name string) bool {
	reason := iptext.Malformed(line)
	if reason == "" {
		found := false
		for part := range rangesIn(line) {
			found = true
			m.ranges.addLine(number, name, string(part))
		}
		return found
	}
	count := &m.leftOut
	for range iptext.Find(line) {
		count = &m.shortened
	}
	count.addLine(number, name, string(line)+" "+reason)
	return true
}

// addList counts the lines of a list that have no address.
func (m *malformedLines) addList(l *listLines, name string) {
	if !l.isList() || l.missing == 0 {
		return
	}
	m.leftOut.addLine(l.firstNumber, name, l.first+" is not an address")
	m.leftOut.n += l.missing - 1
}

// add counts an argument, or keeps it if it is the first.
func (c *lineCount) add(argument string) {
	if c.n++; c.n == 1 {
		c.first = argument
	}
}

// addLine counts a line, or keeps what is said about it if it is the first. The lines of an input may come in any order.
func (c *lineCount) addLine(number int64, name, about string) {
	if c.n++; c.n == 1 || c.name == name && number < c.line {
		c.first, c.line, c.name = "line "+humanize.Comma(number)+" of "+name+": "+about, number, name
	}
}

// notices says how many lines are malformed, and which is the first.
func (m *malformedLines) notices() []string {
	var lines []string
	if m.leftOut.n > 0 {
		lines = append(lines, m.leftOut.text("was left out", "were left out"))
	}
	if m.shortened.n > 0 {
		lines = append(lines, m.shortened.text("looks like a network, and only its address is read",
			"look like networks, and only their addresses are read"))
	}
	if m.ranges.n > 0 {
		const advice = "; name networks to check the addresses between"
		if m.ranges.n == 1 {
			lines = append(lines, "1 range is read as its first and its last address: "+m.ranges.first+advice)
		} else {
			lines = append(lines, fmt.Sprintf("%s ranges are read as their first and their last addresses, the first is %s%s",
				humanize.Comma(m.ranges.n), m.ranges.first, advice))
		}
	}
	if m.parts.n > 0 {
		lines = append(lines, m.parts.text("of an email begins a part that was not searched", "of emails begin parts that were not searched"))
	}
	if m.wide.n > 0 {
		lines = append(lines, m.wide.text("begins text in UTF-16 within other text, which was not searched", "begin text in UTF-16 within other text, which was not searched"))
	}
	return lines
}

// merge adds the lines that others has counted.
func (m *malformedLines) merge(others malformedLines) {
	m.leftOut.merge(others.leftOut)
	m.shortened.merge(others.shortened)
	m.ranges.merge(others.ranges)
}

func (c *lineCount) merge(others lineCount) {
	if others.n == 0 {
		return
	}
	if c.n == 0 || c.name == others.name && others.line < c.line {
		c.first, c.line, c.name = others.first, others.line, others.name
	}
	c.n += others.n
}

func (c lineCount) text(one, several string) string {
	if c.n == 1 {
		return "1 line " + one + ": " + c.first
	}
	return fmt.Sprintf("%s lines %s, the first is %s", humanize.Comma(c.n), several, c.first)
}

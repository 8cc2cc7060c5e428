package cli

import (
	"bytes"
	"slices"
	"unicode"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
)

// listLines are the lines of an input that may be a list of addresses, one per line. In a list, a line without an
// address is a mistake, such as 2130706433 or example.com. In other text it is not.
type listLines struct {
	// entries are the lines that are an address, also with a port, or a network and nothing else, and others the lines
	// that are not. Comments and lines without letters and digits are neither.
	entries, others int64
	// missing are those of the others that have no address and seem to be meant as one.
	missing     int64
	mistyped    int64  // those of them that are nothing but a mistyped address
	first       string // the first of them
	firstNumber int64
	isText      bool // there were too many others: the following lines are not looked at
}

// maxOthers is how many more other lines than addresses mean that a text is not a list.
const maxOthers = 100

// isList reports whether most lines are addresses, or mistyped ones.
func (l *listLines) isList() bool {
	return !l.isText && l.entries > 0 && l.entries >= l.others-l.mistyped
}

// add counts a line, without a comment at its end and white space around it.
func (l *listLines) add(line []byte, number int64) {
	if !bytes.ContainsFunc(line, isLetterOrDigit) {
		return
	}
	kind := iptext.ListLineOf(line)
	if kind == iptext.EntryLine {
		l.entries++
		return
	}
	l.addOther()
	if kind == iptext.NameLine || kind == iptext.MistypedLine {
		if kind == iptext.MistypedLine {
			l.mistyped++ // it does not make a list another text
		}
		if l.missing++; l.missing == 1 {
			l.first, l.firstNumber = string(line), number
		}
	}
}

// addOther counts a line that is not an address.
func (l *listLines) addOther() {
	l.others++
	l.isText = l.isText || l.others > l.entries+maxOthers
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// isComment reports whether a line is a comment of a list.
func isComment(line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	return slices.ContainsFunc([]string{"#", ";", "//", "--", "%", "!"}, func(mark string) bool { return bytes.HasPrefix(line, []byte(mark)) })
}

// withoutComment returns a line without a comment at its end, which white space precedes.
func withoutComment(line []byte) []byte {
	for i := 1; i < len(line); i++ {
		isMark := line[i] == '#' || line[i] == ';' || line[i] == '/' && i+1 < len(line) && line[i+1] == '/'
		if isMark && (line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i-1]
		}
	}
	return line
}

package cli

import (
	"bytes"
	"regexp"
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
	found := false
	for m := range iptext.Find(line) {
		if m.Text == string(line) || isPort(bytes.Replace(line, []byte(m.Text), nil, 1)) {
			l.entries++
			return
		}
		found = true
	}
	l.addOther()
	if !found && seemsAddress(line) {
		if isMistyped(line) {
			l.mistyped++
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

// isPort reports whether a text is what remains of an address with a port, such as 192.0.2.44:443 or [2001:db8::1]:443,
// without the address.
func isPort(text []byte) bool {
	port, found := bytes.CutPrefix(bytes.TrimPrefix(text, []byte("[]")), []byte{':'})
	return found && len(port) > 0 && len(bytes.TrimFunc(port, isDigit)) == 0
}

// dateOrTime matches a date, a time or both.
var dateOrTime = regexp.MustCompile(`^(\d{4}-\d\d-\d\d([ T]|$))?(\d\d?:\d\d(:\d\d([.,]\d+)?)?(Z| ?[+-]\d\d:?\d\d)?)?$`)

// seemsAddress reports whether a line of a list is meant as an address or the name of a host: its first word has a dot
// or a colon within it, or the line begins with a digit and has no letters but those of a hexadecimal number. The name
// of a column, a heading, a sentence and a hash have neither. A date and a time are meant as what they are.
func seemsAddress(line []byte) bool {
	if dateOrTime.Match(line) {
		return false
	}
	word, _, _ := bytes.Cut(line, []byte{' '})
	for i, c := range word {
		if (c == '.' || c == ':') && i > 0 && i+1 < len(word) {
			return true
		}
	}
	return isDigit(rune(line[0])) && (isHexadecimal(line) || !bytes.ContainsFunc(line, unicode.IsLetter))
}

// isMistyped reports whether a line of any text is an address in another form, or with a wrong character: a number of
// 8 to 10 digits, a hexadecimal number, or numbers with three dots or two colons. Such a line does not make a list
// another text.
func isMistyped(line []byte) bool {
	if len(bytes.TrimFunc(line, isDigit)) == 0 {
		return len(line) >= 8 && len(line) <= 10
	}
	const address = "0123456789abcdefABCDEF.:"
	hasForm := bytes.Count(line, []byte{'.'}) >= 3 || bytes.Contains(line, []byte("::"))
	return isHexadecimal(line) || len(line) <= maxAddress && hasForm && len(bytes.Trim(line, address)) == 0
}

// maxAddress is the length of the longest IPv6 address.
const maxAddress = 45

// isHexadecimal reports whether a line is a hexadecimal number such as 0x7f000001.
func isHexadecimal(line []byte) bool {
	digits, found := bytes.CutPrefix(bytes.ToLower(line), []byte("0x"))
	return found && len(digits) > 0 && len(digits) <= 8 && len(bytes.Trim(digits, "0123456789abcdef")) == 0
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

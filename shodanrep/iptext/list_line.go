package iptext

import (
	"bytes"
	"regexp"
	"unicode"
)

// A ListLine says what a line of a list of addresses is.
type ListLine int

// The kinds of lines.
const (
	OtherLine    ListLine = iota // no address, and not meant as one: a heading, a sentence, a date
	EntryLine                    // an address, also with a port, or a network, and nothing else
	TextLine                     // an address or a network, and more
	NameLine                     // meant as an address or the name of a host, and no address
	MistypedLine                 // an address in another form, or with a wrong character
)

// ListLineOf returns what a line of a list is. The line has no white space around it, and no comment.
func ListLineOf(line []byte) ListLine {
	found := false
	for m := range Find(line) {
		if m.Text == string(line) || isPort(bytes.Replace(line, []byte(m.Text), nil, 1)) {
			return EntryLine
		}
		found = true
	}
	switch {
	case found:
		return TextLine
	case !seemsAddress(line):
		return OtherLine
	case isMistyped(line):
		return MistypedLine
	}
	return NameLine
}

// isPort reports whether a text is what remains of an address with a port, such as 192.0.2.44:443 or [2001:db8::1]:443,
// without the address.
func isPort(text []byte) bool {
	port, found := bytes.CutPrefix(bytes.TrimPrefix(text, []byte("[]")), []byte{':'})
	return found && len(port) > 0 && isNumber(port)
}

// dateOrTime matches a date, a time or both.
var dateOrTime = regexp.MustCompile(`^(\d{4}-\d\d-\d\d([ T]|$))?(\d\d?:\d\d(:\d\d([.,]\d+)?)?(Z| ?[+-]\d\d:?\d\d)?)?$`)

// seemsAddress reports whether a line of a list is meant as an address or the name of a host: its first word has a dot
// or a colon within it, or the line begins with a digit and has no letters but those of a hexadecimal number. The name
// of a column, a heading, a sentence and a hash have neither. A date and a time are meant as what they are.
func seemsAddress(line []byte) bool {
	if len(line) == 0 || dateOrTime.Match(line) {
		return false
	}
	word, _, _ := bytes.Cut(line, []byte{' '})
	for i, c := range word {
		if (c == '.' || c == ':') && i > 0 && i+1 < len(word) {
			return true
		}
	}
	return isDigit(line[0]) && (isHexadecimal(line) || !bytes.ContainsFunc(line, unicode.IsLetter))
}

// isMistyped reports whether a line of any text is an address in another form, or with a wrong character: a number of
// 8 to 10 digits, a hexadecimal number, or numbers with three dots or two colons.
func isMistyped(line []byte) bool {
	if isNumber(line) {
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

// isNumber reports whether a text has digits only.
func isNumber(text []byte) bool { return len(bytes.Trim(text, "0123456789")) == 0 }

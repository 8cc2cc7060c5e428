package shodan

// This file has the strings, numbers and literals of a scanner; scanner.go has lists and objects.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
)

// string reads a string, and returns its text in quotes.
func (s *scanner) string() ([]byte, error) {
	text, start := s.text, s.pos
	s.marked = s.marked || mayBeMark(text[start+1:])
	for i := start + 1; i < len(text); {
		if i+8 <= len(text) {
			special := specials(binary.LittleEndian.Uint64(text[i:]))
			if special == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(special) >> 3
		}
		switch c := text[i]; {
		case c == '"':
			s.pos = i + 1
			return text[start:s.pos], nil
		case c == '\\':
			length := s.escape(text[i:])
			if length == 0 {
				return nil, errSyntax
			}
			i += length
			s.marked = s.marked || mayBeMark(text[i:])
		case c < ' ':
			return nil, errSyntax
		default:
			i++
		}
	}
	return nil, errSyntax
}

// specials marks the bytes of a word that are quotes, backslashes or control characters, up to the first at least.
func specials(word uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, backslash := word^(ones*'"'), word^(ones*'\\')
	return ((word-ones*' ')&^word | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs
}

// escape returns the length of the escape at the beginning of a text, or 0 if it is none.
func (s *scanner) escape(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		unit, ok := unicodeEscape(text)
		if !ok {
			return 0
		}
		s.unclean = s.unclean || unit == 0 || unit >= 0xd800 && unit < 0xe000
		s.marked = s.marked || unit < 0x80 && markBytes[unit]
		return 6
	}
	return 0
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.text[s.pos:], []byte(word)) {
		return errSyntax
	}
	s.pos += len(word)
	return nil
}

// number reads a number as JSON has it: without a plus sign, without zeros before the first digit, with digits on both
// sides of a point.
func (s *scanner) number() error {
	start := s.pos
	if s.pos < len(s.text) && s.text[s.pos] == '-' {
		s.pos++
	}
	first := s.pos
	if s.digits(); s.pos == first || s.text[first] == '0' && s.pos > first+1 {
		return errSyntax
	}
	if s.pos < len(s.text) && s.text[s.pos] == '.' {
		s.pos++
		if s.digits() == 0 {
			return errSyntax
		}
	}
	if s.pos < len(s.text) && s.text[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.text) && (s.text[s.pos] == '+' || s.text[s.pos] == '-') {
			s.pos++
		}
		if s.digits() == 0 {
			return errSyntax
		}
	}
	s.unclean = s.unclean || !fitsReaders(s.text[start:s.pos])
	return nil
}

func (s *scanner) digits() (n int) {
	for ; s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9'; s.pos++ {
		n++
	}
	return n
}

// unquoted returns the content of a string.
func unquoted(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // the scanner has checked it
	return []byte(text)
}

// key returns the name of a field as the types of this package have it: encoding/json takes capital letters for small.
// It is no string, because a switch over string(key(name)) needs no memory, and a banner has some fifty names.
func key(name []byte) []byte {
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			return bytes.ToLower(name)
		}
	}
	return name
}

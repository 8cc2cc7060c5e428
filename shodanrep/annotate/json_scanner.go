package annotate

import "encoding/json"

// A jsonState is what a JSON value may continue with.
type jsonState int

const (
	jsonValue    jsonState = iota // a value
	jsonElement                   // the first element of an array, or its end
	jsonFirstKey                  // the first key of an object, or its end
	jsonKey                       // a key
	jsonColon                     // the colon after a key
	jsonAfter                     // a comma, or the end of the array or the object
	jsonString                    // a byte of a string
	jsonEscape                    // a byte after a backslash
	jsonWord                      // a byte of a number, true, false or null
)

// maxJSONDepth is the depth up to which encoding/json reads values.
const maxJSONDepth = 10_000

// A jsonScanner follows a JSON array or object byte by byte, to find its end while it is read and to notice early that a
// text is not JSON. It does not check what is in strings.
type jsonScanner struct {
	open  []byte // the brackets and braces that are open
	state jsonState
	isKey bool   // the string is a key
	word  []byte // of the number or the name
	// closed is the bracket or brace with which the last value ended, or 0.
	closed byte
}

// isEnded reports whether the value is complete.
func (s *jsonScanner) isEnded() bool { return len(s.open) == 0 && s.state == jsonAfter }

// isArray reports whether the value is an array that is not complete.
func (s *jsonScanner) isArray() bool { return len(s.open) > 0 && s.open[0] == '[' }

// hasObject reports whether the last value was an object in the outermost array.
func (s *jsonScanner) hasObject() bool {
	return len(s.open) == 1 && s.open[0] == '[' && s.state == jsonAfter && s.closed == '}'
}

// beginsElement reports whether a value that begins now is an element of the outermost array.
func (s *jsonScanner) beginsElement() bool {
	return len(s.open) == 1 && s.open[0] == '[' && (s.state == jsonValue || s.state == jsonElement)
}

// step reports whether the value can continue with a byte.
func (s *jsonScanner) step(c byte) bool {
	switch s.state {
	case jsonString:
		switch {
		case c == '\\':
			s.state = jsonEscape
		case c == '"' && s.isKey:
			s.state = jsonColon
		case c == '"':
			s.state, s.closed = jsonAfter, 0
		}
		return c >= ' '
	case jsonEscape:
		s.state = jsonString
		return c >= ' '
	case jsonWord:
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '.' || c == '-' || c == '+' {
			s.word = append(s.word, c)
			return true
		}
		if !json.Valid(s.word) {
			return false
		}
		s.state, s.closed = jsonAfter, 0
	}
	if isJSONSpace(c) {
		return true
	}
	switch s.state {
	case jsonColon:
		s.state = jsonValue
		return c == ':'
	case jsonAfter:
		return s.stepAfter(c)
	case jsonFirstKey, jsonKey:
		if c == '}' && s.state == jsonFirstKey {
			return s.close(c)
		}
		s.state, s.isKey = jsonString, true
		return c == '"'
	}
	return s.stepValue(c)
}

// stepAfter is step after a value.
func (s *jsonScanner) stepAfter(c byte) bool {
	if c != ',' {
		return s.close(c)
	}
	if len(s.open) == 0 {
		return false
	}
	s.state = jsonValue
	if s.open[len(s.open)-1] == '{' {
		s.state = jsonKey
	}
	return true
}

// stepValue is step where a value begins.
func (s *jsonScanner) stepValue(c byte) bool {
	switch c {
	case '{':
		s.open, s.state = append(s.open, c), jsonFirstKey
		return len(s.open) <= maxJSONDepth
	case '[':
		s.open, s.state = append(s.open, c), jsonElement
		return len(s.open) <= maxJSONDepth
	case ']':
		return s.state == jsonElement && s.close(c)
	case '"':
		s.state, s.isKey = jsonString, false
		return true
	}
	s.state, s.word = jsonWord, append(s.word[:0], c)
	return c >= '0' && c <= '9' || c == '-' || c == 't' || c == 'f' || c == 'n'
}

// close is step for the end of an array or an object.
func (s *jsonScanner) close(c byte) bool {
	last := len(s.open) - 1
	if last < 0 || s.open[last] != c-2 { // '[' and '{' are two before ']' and '}'
		return false
	}
	s.open, s.state, s.closed = s.open[:last], jsonAfter, c
	return true
}

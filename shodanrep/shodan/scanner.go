package shodan

import (
	"bytes"
	"errors"
)

// A scanner reads a JSON text once, and checks all of it. encoding/json reads a banner four times, most of it only to
// find where a page or a certificate ends. Its values are those that encoding/json reads.
type scanner struct {
	text []byte
	pos  int
	open []byte // the brackets that are open around pos

	// unclean says that there was something that Clean changes.
	unclean bool
	// summaryOnly says that long texts, such as a banner's data, are not needed.
	summaryOnly bool
	// isUTF8 says that the whole text is known to be valid UTF-8.
	isUTF8 bool
	// marked says that one of the marks of httpDatabases may be in a string, see mayBeMark.
	marked bool
}

// maxOpen is how many levels encoding/json decodes.
const maxOpen = 10000

var errSyntax = errors.New("the JSON text is damaged")

// peek skips white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// take skips white space and the byte c, and reports whether that was next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) push(bracket byte) error {
	if len(s.open) == maxOpen {
		return errSyntax
	}
	if len(s.open) == MaxDepth {
		s.unclean = true
	}
	s.open = append(s.open, bracket)
	s.pos++
	return nil
}

func (s *scanner) pop() {
	s.open = s.open[:len(s.open)-1]
	s.pos++
}

// end reports whether nothing follows but white space.
func (s *scanner) end() error {
	if s.peek(); s.pos < len(s.text) {
		return errSyntax
	}
	return nil
}

// value reads a value, and returns its text.
func (s *scanner) value() ([]byte, error) {
	s.peek()
	start := s.pos
	err := s.skip()
	return s.text[start:s.pos], err
}

// into reads a value into one of the lenient types, which are known here: behind an interface each would need memory.
func (s *scanner) into(v any) error {
	if texts, ok := v.(*Texts); ok {
		return s.texts(texts)
	}
	raw, err := s.value()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *Text:
		*v = Text(s.content(raw))
	case *Time:
		v.Time = ParseTime(s.content(raw))
	case *Null[int64]:
		return v.UnmarshalJSON(raw)
	case *Null[float64]:
		return v.UnmarshalJSON(raw)
	case *Null[bool]:
		return v.UnmarshalJSON(raw)
	case *Ints:
		return v.UnmarshalJSON(raw)
	default:
		panic("shodan: not a lenient type")
	}
	return nil
}

// content is literal for a value that the scanner has read.
func (s *scanner) content(raw []byte) string {
	if s.isUTF8 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	return literal(raw)
}

// texts reads a list as Texts has it.
func (s *scanner) texts(t *Texts) error {
	if s.peek() != '[' {
		raw, err := s.value()
		if err != nil {
			return err
		}
		return t.UnmarshalJSON(raw)
	}
	*t = Texts{}
	return s.list(func() error {
		raw, err := s.value()
		if err != nil {
			return err
		}
		if item := s.content(raw); item != "" {
			*t = append(*t, item)
		}
		return nil
	})
}

// skip reads a value. It uses no recursion: a hostile text may be nested deeply.
func (s *scanner) skip() error {
	outer := len(s.open)
	for {
		more, err := s.begin()
		for err == nil && !more {
			if len(s.open) == outer {
				return nil
			}
			more, err = s.next()
		}
		if err != nil {
			return err
		}
	}
}

// begin reads a value that is no list or object, or the beginning of one. It reports whether another value follows.
func (s *scanner) begin() (more bool, err error) {
	switch c := s.peek(); c {
	case '{', '[':
		if err := s.push(c); err != nil {
			return false, err
		}
		if s.peek() == c+2 { // in ASCII a bracket's end is two after its beginning
			s.pop()
			return false, nil
		}
		if c == '{' {
			_, err = s.name()
		}
		return true, err
	case '"':
		_, err = s.string()
	case 'n':
		err = s.literal("null")
	case 't':
		err = s.literal("true")
	case 'f':
		err = s.literal("false")
	default:
		err = s.number()
	}
	return false, err
}

// next reads what follows a value in a list or an object. It reports whether another value follows.
func (s *scanner) next() (more bool, err error) {
	bracket := s.open[len(s.open)-1]
	switch s.peek() {
	case ',':
		s.pos++
		if bracket == '{' {
			_, err = s.name()
		}
		return true, err
	case bracket + 2:
		s.pop()
		return false, nil
	}
	return false, errSyntax
}

// name reads the name of an object's field, with the colon that follows it. It returns the text in quotes.
func (s *scanner) name() (quoted []byte, err error) {
	if s.peek() != '"' {
		return nil, errSyntax
	}
	if quoted, err = s.string(); err == nil && !s.take(':') {
		err = errSyntax
	}
	return quoted, err
}

// object reads an object, or any other value without effect. It calls field for each field, which has to read its value.
func (s *scanner) object(field func(name []byte) error) error {
	if s.peek() != '{' {
		return s.skip()
	}
	if err := s.push('{'); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.pop()
		return nil
	}
	quoted, err := s.name()
	for more := true; more && err == nil; {
		if err = field(unquoted(quoted)); err != nil {
			break
		}
		switch s.peek() {
		case ',':
			s.pos++
			quoted, err = s.name()
		case '}':
			s.pop()
			more = false
		default:
			err = errSyntax
		}
	}
	return err
}

// list reads a list. It calls item for each item, which has to read it.
func (s *scanner) list(item func() error) error {
	if err := s.push('['); err != nil {
		return err
	}
	if s.peek() == ']' {
		s.pop()
		return nil
	}
	for {
		s.peek()
		if err := item(); err != nil {
			return err
		}
		switch more, err := s.next(); {
		case err != nil:
			return err
		case !more:
			return nil
		}
	}
}

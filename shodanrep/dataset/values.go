package dataset

import (
	"errors"
	"io"
)

var (
	errNotObject  = errors.New("the text is not a JSON object")
	errDamaged    = errors.New("the JSON text is damaged")
	errUnfinished = errors.New("the file breaks off in the middle of a JSON object")
	errOpenArray  = errors.New("the file breaks off in the middle of a JSON array")
)

// valueReader reads a text whose records are JSON objects in any layout: one after the other, with or without line
// breaks in and between them, or in arrays. Other than encoding/json's Decoder it goes on after a damaged object, keeps
// only one object of limited length in memory, and knows its line.
type valueReader struct {
	text   *text
	long   int // the longest object that is read
	arrays int // how many arrays are open
	err    error
	object syntax
	start  int64 // the line in which the last object begins

	// The last byte that was read, its line, and how far that is indented where there are only spaces before it, or -1.
	last   byte
	number int64
	indent int
	again  bool // the last byte is to be read again
}

func newValueReader(t *text) *valueReader { return &valueReader{text: t, long: maxRecord, last: '\n'} }

// line returns the number of the line in which the object begins that next returned last.
func (v *valueReader) line() int64 { return v.start }

// next appends the next object to buf. Its errors are those of (*lineReader).next, and others for which isBadRecord holds.
// With these it appends what it has of the object, and what it skips after it: they may name addresses.
func (v *valueReader) next(buf []byte) ([]byte, error) {
	for {
		c, err := v.read()
		v.start = v.number
		switch {
		case err == io.EOF && v.arrays > 0:
			v.arrays = 0
			return buf, errOpenArray
		case err != nil:
			return buf, err
		case c == '{':
			return v.rest(buf)
		case c == '[':
			v.arrays++
		case c == ']':
			v.arrays = max(0, v.arrays-1)
		case c != ',' && !isSpace(c):
			start := len(buf)
			for err == nil && c != '\n' && c != '{' && c != '[' {
				if len(buf)-start < v.long {
					buf = append(buf, c)
				}
				c, err = v.read()
			}
			v.again = err == nil
			return buf, errNotObject
		}
	}
}

// rest appends the object that begins with the last byte.
func (v *valueReader) rest(buf []byte) ([]byte, error) {
	start, indent, c, tooLong := len(buf), v.indent, byte('{'), false
	v.object.reset()
	for {
		if !v.object.accepts(c) {
			return v.skip(buf, start+v.long, indent), errDamaged
		}
		if tooLong = tooLong || len(buf)-start == v.long; !tooLong {
			buf = append(buf, c)
		}
		if v.object.isComplete() {
			if tooLong {
				return buf, errTooLong
			}
			return buf, nil
		}
		if v.object.inString && !v.object.escaped {
			plain := v.plainText()
			if tooLong = tooLong || len(buf)-start+len(plain) > v.long; !tooLong {
				buf = append(buf, plain...)
			}
		}
		var err error
		if c, err = v.read(); err == io.EOF {
			return buf, errUnfinished
		} else if err != nil {
			return buf, err
		}
	}
}

// skip reads from the byte at which an object is damaged to where the next begins: a brace that follows on the same line,
// or one that is alone at the beginning of its line and indented as the damaged object, or not at all. It appends what it
// skips to buf, up to a length.
func (v *valueReader) skip(buf []byte, longest, indent int) []byte {
	c, err := v.last, error(nil)
	for sameLine := c != '\n'; err == nil; c, err = v.read() {
		sameLine = sameLine && c != '\n'
		atStart := v.indent == 0 || v.indent >= 0 && v.indent == indent
		if c == '{' && (atStart || sameLine && v.indent < 0) || c == '[' && v.indent == 0 {
			v.again = true
			break
		}
		if len(buf) < longest {
			buf = append(buf, c)
		}
	}
	return buf
}

// plainText reads the part of a string that has neither its end nor an escape, as far as it is in the buffer: most of a
// banner is in strings, and reading it byte by byte takes as long as decoding it.
func (v *valueReader) plainText() []byte {
	plain, _ := v.text.Peek(v.text.Buffered())
	n := 0
	for n < len(plain) && plain[n] != '"' && plain[n] != '\\' && plain[n] != '\n' {
		n++
	}
	if n > 0 {
		v.last, v.indent = plain[n-1], -1
		_, _ = v.text.Discard(n) // it is buffered
	}
	return plain[:n]
}

func (v *valueReader) read() (byte, error) {
	if v.again {
		v.again = false
		return v.last, nil
	}
	if v.err != nil {
		return 0, v.err
	}
	c, err := v.text.ReadByte()
	if err != nil {
		v.err = v.text.broken(err)
		return 0, v.err
	}
	switch {
	case v.last == '\n':
		v.number++
		v.indent = 0
	case v.indent >= 0 && isSpace(v.last):
		v.indent++
	default:
		v.indent = -1
	}
	v.last = c
	return c, nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// maxNesting is how many levels encoding/json decodes.
const maxNesting = 10000

// syntax follows a JSON text byte by byte to the end of its first object. It sees where brackets do not match and where
// something is cut off, and leaves everything else to the one who decodes the object.
type syntax struct {
	open     []byte // the brackets that are open
	previous byte   // the last byte that is neither space nor in a string
	inString bool
	escaped  bool
}

func (s *syntax) reset() { *s = syntax{open: s.open[:0]} }

// isComplete reports whether the object is at its end.
func (s *syntax) isComplete() bool { return len(s.open) == 0 }

// accepts takes the next byte, and reports whether it may stand there.
func (s *syntax) accepts(c byte) bool {
	if s.inString {
		switch {
		case c == '\n':
			return false
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.inString = false
		}
		return true
	}
	switch c {
	case ' ', '\n', '\r', '\t':
		return true
	case '"':
		s.inString = true
	case '{', '[':
		if !s.isComplete() && !s.mayOpen() || len(s.open) == maxNesting {
			return false
		}
		s.open = append(s.open, c)
	case '}', ']':
		top := len(s.open) - 1
		if s.open[top] != c-2 { // in ASCII a bracket's end is two after its beginning
			return false
		}
		s.open = s.open[:top]
	}
	s.previous = c
	return true
}

// mayOpen reports whether an object or an array may stand here.
func (s *syntax) mayOpen() bool {
	if s.open[len(s.open)-1] == '{' {
		return s.previous == ':'
	}
	return s.previous == '[' || s.previous == ','
}

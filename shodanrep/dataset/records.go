package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// records reads the records of a text one by one.
type records interface {
	// next appends the next record to buf, see (*lineReader).next.
	next(buf []byte) ([]byte, error)
	// line returns the number of the line in which that record begins.
	line() int64
}

// newRecords recognizes the layout of a text by its beginning. A text that is not in lines can be read as values only. One
// that is in lines is read faster by line, and damage to a line never costs another.
func newRecords(t *text) records {
	start, _ := t.Peek(t.Size())
	if hasRecordPerLine(start) {
		return &lineRecords{lineReader: newLineReader(t)}
	}
	return newValueReader(t)
}

// lineRecords reads the records of a text that begins with a record per line. From a line on that only opens an object or
// an array, it reads values: that is the beginning of a pretty-printed one, and no record nor what is left of one.
type lineRecords struct {
	*lineReader
	values *valueReader
}

func (r *lineRecords) next(buf []byte) ([]byte, error) {
	if r.values == nil {
		start := len(buf)
		next, err := r.lineReader.next(buf)
		if err != nil || !opensValue(next[start:]) {
			return next, err
		}
		t := r.text
		t.Reader = bufio.NewReaderSize(io.MultiReader(strings.NewReader(string(next[start:])+"\n"), t.Reader), t.Size())
		r.values = newValueReader(t)
		r.values.number = r.number - 1
	}
	return r.values.next(buf)
}

func (r *lineRecords) line() int64 {
	if r.values != nil {
		return r.values.line()
	}
	return r.lineReader.line()
}

// opensValue reports whether a line has nothing but an opening bracket.
func opensValue(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 1 && (line[0] == '{' || line[0] == '[')
}

// hasRecordPerLine reports whether a text that begins like this has a record per line: its first line is a JSON object, or
// is not the beginning of one that goes on in the next line.
func hasRecordPerLine(start []byte) bool {
	start = bytes.TrimLeft(start, " \n\r\t")
	switch {
	case bytes.HasPrefix(start, []byte{'['}):
		return false
	case !bytes.HasPrefix(start, []byte{'{'}):
		return true
	}
	var first syntax
	firstLine, _, _ := bytes.Cut(start, []byte{'\n'})
	for i, c := range start {
		if !first.accepts(c) {
			return true
		}
		if i > len(firstLine) && !isSpace(c) {
			return false
		}
		if first.isComplete() {
			return len(bytes.TrimSpace(firstLine[i+1:])) == 0
		}
	}
	// The line is very long. Responses for hosts are, and may follow one another on one line.
	return false
}

// isBadRecord reports whether an error of next is about one record, after which there may be more.
func isBadRecord(err error) bool {
	for _, bad := range []error{errTooLong, errNotObject, errDamaged, errUnfinished, errOpenArray} {
		if errors.Is(err, bad) {
			return true
		}
	}
	return false
}

package dataset

import (
	"bytes"
	"errors"
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
		return newLineReader(t)
	}
	return newValueReader(t)
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

package dataset

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// maxRecord is the longest record that is read, in bytes. There are banners of several MB; a longer one is a fault or an
// attack on the memory.
const maxRecord = 64 << 20

var errTooLong = fmt.Errorf("the record is longer than %d MB", maxRecord>>20)

// lineReader reads a text that has a record per line.
type lineReader struct {
	text   *text
	long   int // the longest line that is read
	number int64
	err    error
}

func newLineReader(t *text) *lineReader { return &lineReader{text: t, long: maxRecord} }

// next appends the next line to buf, without its line break. It returns io.EOF after the last line, errTooLong for a line
// that it skipped, errBroken where the rest of the file cannot be decompressed, and any other error where the file cannot
// be read. Only errTooLong has further lines after it. With errTooLong and errBroken it appends what it has of the line,
// which may name an address.
func (l *lineReader) next(buf []byte) ([]byte, error) {
	if l.err != nil {
		return buf, l.err
	}
	l.number++
	start, tooLong := len(buf), false
	for {
		part, err := l.text.ReadSlice('\n')
		if tooLong = tooLong || len(buf)-start+len(part) > l.long; tooLong {
			part = part[:min(len(part), max(0, l.long-(len(buf)-start)))]
		}
		buf = append(buf, part...)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && (len(buf) > start || tooLong):
			// The last line need not end in a line break.
		case err != nil:
			l.err = l.text.broken(err)
			return buf, l.err
		}
		if tooLong {
			return buf, errTooLong
		}
		return bytes.TrimSuffix(buf, []byte{'\n'}), nil
	}
}

// line returns the number of the line that next returned last.
func (l *lineReader) line() int64 { return l.number }

package dataset

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line that is read, in bytes. There are banners of several MB; a longer line is a fault or an
// attack on the memory.
const maxLine = 64 << 20

var (
	errTooLong = fmt.Errorf("the line is longer than %d MB", maxLine>>20)
	errBroken  = errors.New("the file breaks off: its gzip data is damaged or incomplete")
)

// lineReader reads a file line by line. It decompresses gzip data, which it recognizes by content, not by name.
type lineReader struct {
	r    *bufio.Reader
	long int // the longest line that is read
	err  error
}

func newLineReader(r io.Reader) *lineReader {
	l := &lineReader{r: bufio.NewReaderSize(r, 1<<18), long: maxLine}
	if magic, _ := l.r.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(l.r)
		if err != nil {
			l.err = broken(err)
			return l
		}
		l.r = bufio.NewReaderSize(unpacked, 1<<18)
	}
	if bom := []byte("\uFEFF"); l.startsWith(bom) {
		_, l.err = l.r.Discard(len(bom))
	}
	return l
}

func (l *lineReader) startsWith(prefix []byte) bool {
	start, _ := l.r.Peek(len(prefix))
	return bytes.Equal(start, prefix)
}

// next appends the next line to buf, without its line break. It returns io.EOF after the last line, errTooLong for a line
// that it skipped, errBroken where the rest of the file cannot be decompressed, and any other error where the file cannot
// be read. Only errTooLong has further lines after it.
func (l *lineReader) next(buf []byte) ([]byte, error) {
	if l.err != nil {
		return buf, l.err
	}
	start, tooLong := len(buf), false
	for {
		part, err := l.r.ReadSlice('\n')
		if tooLong = tooLong || len(buf)-start+len(part) > l.long; !tooLong {
			buf = append(buf, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && (len(buf) > start || tooLong):
			// The last line need not end in a line break.
		case err != nil:
			l.err = broken(err)
			return buf[:start], l.err
		}
		if tooLong {
			return buf[:start], errTooLong
		}
		return bytes.TrimSuffix(buf, []byte{'\n'}), nil
	}
}

// broken returns errBroken for damaged gzip data: the lines before it are good. It returns any other error unchanged.
func broken(err error) error {
	var corrupt flate.CorruptInputError
	if err == io.ErrUnexpectedEOF || err == gzip.ErrHeader || err == gzip.ErrChecksum || errors.As(err, &corrupt) {
		return errBroken
	}
	return err
}

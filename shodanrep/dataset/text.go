package dataset

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
)

var errBroken = errors.New("the file breaks off: its compressed data is damaged or incomplete")

// text is the content of a data file in UTF-8. It decompresses gzip, zstd and bzip2 data and decodes UTF-16, which it
// recognizes by the content, not by the file's name.
type text struct {
	*bufio.Reader
	file  *fileReader
	close func() error
}

// textBuffer is how much of a text is read at a time.
const textBuffer = 256 << 10

// newText begins to read a file. The reading ends with the context, also within a line: a few bytes that are compressed
// can have gigabytes in one.
func newText(ctx context.Context, r io.Reader) (*text, error) {
	t := &text{file: &fileReader{Reader: r}}
	decoded, err := iptext.NewReader(t.file)
	if err != nil {
		return nil, t.broken(err)
	}
	t.Reader, t.close = bufio.NewReaderSize(&contextReader{decoded, ctx, t.file}, textBuffer), decoded.Close
	return t, nil
}

// lineText returns a line of a text as a text. Its buffer is no larger than the line: files of other programs have millions of
// lines that are no records.
func lineText(line []byte) *text {
	return &text{Reader: bufio.NewReaderSize(bytes.NewReader(line), min(len(line), textBuffer)), file: &fileReader{}}
}

// broken returns errBroken for damaged compressed data: what came before it is good. It returns io.EOF, and an error of
// the file itself, unchanged.
func (t *text) broken(err error) error {
	switch {
	case t.file.err != nil:
		return t.file.err
	case err == io.EOF:
		return err
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// fileReader keeps the error of a reader, to tell it from errors in what is read.
type fileReader struct {
	io.Reader
	err error
}

func (r *fileReader) Read(b []byte) (int, error) {
	count, err := r.Reader.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return count, err
}

// contextReader ends with a context, whose error it keeps as one of the file.
type contextReader struct {
	io.Reader
	ctx  context.Context
	file *fileReader
}

func (r *contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		r.file.err = err
		return 0, err
	}
	return r.Reader.Read(b)
}

// Package gzipfile reads gzip data as gzip(1) does: several compressed files one after the other are one, and zeros after
// the last are ignored, as tapes and block devices have them.
package gzipfile

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
)

// A Reader decompresses gzip data.
type Reader struct {
	part   *gzip.Reader // one compressed file
	source *bufio.Reader
	err    error
}

// NewReader returns a Reader. It reads no more of the source than it needs.
func NewReader(source *bufio.Reader) (*Reader, error) {
	part, err := gzip.NewReader(source)
	if err != nil {
		return nil, err
	}
	part.Multistream(false)
	return &Reader{part: part, source: source}, nil
}

// Read reads decompressed data.
func (r *Reader) Read(b []byte) (int, error) {
	for r.err == nil {
		n, err := r.part.Read(b)
		if err == nil || n > 0 {
			return n, nil // an error comes again
		}
		if r.err = err; err == io.EOF {
			r.err = r.next()
		}
	}
	return 0, r.err
}

// next begins the next compressed file. It returns io.EOF if there is none.
func (r *Reader) next() error {
	first, err := r.source.Peek(1)
	if err != nil {
		return err
	}
	if first[0] == 0 {
		return r.skipZeros()
	}
	if err := r.part.Reset(r.source); err != nil {
		return err
	}
	r.part.Multistream(false)
	return nil
}

// skipZeros reads the zeros at the end. Anything after them is an error.
func (r *Reader) skipZeros() error {
	for {
		c, err := r.source.ReadByte()
		if err != nil {
			return err
		}
		if c != 0 {
			return gzip.ErrHeader
		}
	}
}

// Close frees the memory of the decompressor. It does not close the source.
func (r *Reader) Close() error { return r.part.Close() }

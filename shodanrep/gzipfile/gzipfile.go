// Package gzipfile reads gzip data as gzip(1) does: several compressed files one after the other are one, and zeros after
// the last are ignored, as tapes and block devices have them.
package gzipfile

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/inflate"
)

// A Reader decompresses gzip data.
type Reader struct {
	source   *bufio.Reader
	header   *gzip.Reader // reads the header of a compressed file, and nothing else
	text     *inflate.Reader
	checksum uint32 // of the compressed file's text, and its length
	length   uint32
	err      error
}

// NewReader returns a Reader. It reads no more of the source than it needs.
func NewReader(source *bufio.Reader) (*Reader, error) {
	header, err := gzip.NewReader(source)
	if err != nil {
		return nil, err
	}
	return &Reader{source: source, header: header, text: inflate.NewReader(source)}, nil
}

// Read reads decompressed data.
func (r *Reader) Read(b []byte) (int, error) {
	for r.err == nil {
		n, err := r.text.Read(b)
		r.checksum = crc32.Update(r.checksum, crc32.IEEETable, b[:n])
		r.length += uint32(n)
		if err == nil {
			return n, nil
		}
		if r.err = err; err == io.EOF {
			r.err = r.next()
		}
	}
	return 0, r.err
}

// next checks the end of a compressed file, and begins the next one. It returns io.EOF if there is none.
func (r *Reader) next() error {
	var end [8]byte
	if _, err := io.ReadFull(r.source, end[:]); err == io.EOF {
		return io.ErrUnexpectedEOF
	} else if err != nil {
		return err
	}
	if r.checksum != binary.LittleEndian.Uint32(end[:]) || r.length != binary.LittleEndian.Uint32(end[4:]) {
		return gzip.ErrChecksum
	}
	first, err := r.source.Peek(1)
	if err != nil {
		return err
	}
	if first[0] == 0 {
		return r.skipZeros()
	}
	if err := r.header.Reset(r.source); err != nil {
		return err
	}
	r.text.Reset()
	r.checksum, r.length = 0, 0
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

// Package inflate decompresses DEFLATE data (RFC 1951), of which gzip files consist.
//
// The libraries for Go read the bits of a symbol byte by byte, which took a third of the processor time of indexing a file of
// Shodan's. This package reads eight bytes at a time and decodes into one buffer that is both its output and its
// window. BenchmarkReader compares it with github.com/klauspost/compress and the standard library.
package inflate

import (
	"bufio"
	"errors"
	"io"
)

// ErrDamaged is the error of data that no compressor wrote.
var ErrDamaged = errors.New("inflate: the compressed data is damaged")

const (
	windowSize = 32 << 10  // a match copies what is at most so far back
	outputSize = 128 << 10 // so much is decompressed at a time
	maxMatch   = 258
	// What the bits at hand have may be decoded when the output is full: literals of a bit each, and a match, which is copied
	// in words of 8 bytes.
	outputSlack = 64 + maxMatch + 8
	outputEnd   = windowSize + outputSize
)

// A Reader decompresses one stream of DEFLATE data.
type Reader struct {
	source *bufio.Reader
	in     []byte // what the source has buffered
	pos    int    // so much of it is read

	// The bits that are read, but not decoded yet, from the lowest. Except within decodeFast they are fewer than 8, so that
	// nothing after the stream is read.
	bits      uint64
	bitsCount uint

	// out begins with the window. After it comes the output, of which Read has returned what is before start.
	out        []byte
	oldest     int // no output is before it
	start, end int

	step   func(*Reader) error // decodes what is next, until the output is full
	final  bool                // in the last block
	stored int                 // what is left of a stored block
	err    error               // of step

	flushed bool // an empty block came

	literals  [literalTableSize]uint32
	distances [distanceTableSize]uint32
	lengths   [maxLiterals + maxDistances]uint8
}

// NewReader returns a Reader. It reads no more of the source than the stream.
func NewReader(source *bufio.Reader) *Reader {
	r := &Reader{source: source, out: make([]byte, outputEnd+outputSlack)}
	r.Reset()
	return r
}

// Reset begins the next stream of the source. Call it only after io.EOF.
func (r *Reader) Reset() {
	r.in, r.pos, r.bits, r.bitsCount = nil, 0, 0, 0
	r.oldest, r.start, r.end = windowSize, windowSize, windowSize
	r.step, r.final, r.err = (*Reader).readHeader, false, nil
}

// Read returns io.EOF at the end of the stream, ErrDamaged, io.ErrUnexpectedEOF if the stream breaks off, or an error of the
// source. What comes before an error is returned first.
func (r *Reader) Read(b []byte) (int, error) {
	for r.start == r.end && r.err == nil {
		r.decode()
	}
	if r.start == r.end {
		return 0, r.err
	}
	n := copy(b, r.out[r.start:r.end])
	r.start += n
	return n, nil
}

// decode decodes until the output is full, or the compressor was flushed: it then wrote an empty block. Before, Read has
// returned all output.
func (r *Reader) decode() {
	if r.end >= outputEnd {
		copy(r.out, r.out[r.end-windowSize:r.end])
		r.oldest, r.start, r.end = 0, windowSize, windowSize
	}
	r.flushed = false
	for r.err == nil && r.end < outputEnd && !r.flushed {
		r.err = r.step(r)
	}
}

// finishBlock goes on after the last symbol of a block.
func (r *Reader) finishBlock() error {
	r.step = (*Reader).readHeader
	if !r.final {
		return nil
	}
	if _, err := r.source.Discard(r.pos); err != nil {
		return err
	}
	r.in, r.pos = nil, 0
	return io.EOF
}

// readHeader reads the header of a block.
func (r *Reader) readHeader() error {
	header, err := r.take(3)
	if err != nil {
		return err
	}
	r.final = header&1 != 0
	switch header >> 1 {
	case 0:
		return r.beginStored()
	case 1:
		r.step = (*Reader).decodeSymbols
		return r.makeFixedTables()
	case 2:
		r.step = (*Reader).decodeSymbols
		return r.readTables()
	}
	return ErrDamaged
}

// beginStored reads the length of a block that is not compressed. It begins at a whole byte.
func (r *Reader) beginStored() error {
	r.bits, r.bitsCount = 0, 0
	length, err := r.take(16)
	if err != nil {
		return err
	}
	complement, err := r.take(16)
	if err != nil {
		return err
	}
	if length != complement^0xffff {
		return ErrDamaged
	}
	r.stored, r.step = length, (*Reader).copyStored
	r.flushed = length == 0
	return nil
}

// copyStored copies a block that is not compressed.
func (r *Reader) copyStored() error {
	for r.stored > 0 && r.end < outputEnd {
		if r.pos == len(r.in) {
			if err := r.fill(); err != nil {
				return err
			}
		}
		n := copy(r.out[r.end:min(r.end+r.stored, outputEnd)], r.in[r.pos:])
		r.pos += n
		r.end += n
		r.stored -= n
	}
	if r.stored > 0 {
		return nil
	}
	return r.finishBlock()
}

// fill reads more of the source, when all that it had buffered is read.
func (r *Reader) fill() error {
	if _, err := r.source.Discard(r.pos); err != nil {
		return err
	}
	r.in, r.pos = nil, 0
	if _, err := r.source.Peek(1); err == io.EOF {
		return io.ErrUnexpectedEOF
	} else if err != nil {
		return err
	}
	in, err := r.source.Peek(r.source.Buffered())
	r.in = in
	return err
}

// readByte adds a byte to the bits.
func (r *Reader) readByte() error {
	if r.pos == len(r.in) {
		if err := r.fill(); err != nil {
			return err
		}
	}
	r.bits |= uint64(r.in[r.pos]) << r.bitsCount
	r.bitsCount += 8
	r.pos++
	return nil
}

// take returns the next n bits.
func (r *Reader) take(n uint) (int, error) {
	for r.bitsCount < n {
		if err := r.readByte(); err != nil {
			return 0, err
		}
	}
	value := r.bits & (1<<n - 1)
	r.bits >>= n
	r.bitsCount -= n
	return int(value), nil
}

package iptext

import (
	"io"
	"iter"
)

// bufferSize is how much of a text is in memory. Lines may be longer.
const bufferSize = 256 << 10

// maxEmptyReads is how often a reader may return nothing.
const maxEmptyReads = 100

// A Scanner finds the addresses and networks of a stream.
type Scanner struct {
	reader io.Reader
	size   int
}

// NewScanner makes a Scanner of a text. [NewReader] makes a text of what is compressed or in UTF-16.
func NewScanner(r io.Reader) *Scanner { return &Scanner{reader: r, size: bufferSize} }

// All returns the matches in order. An error of the reader is the last element; the matches before it are good.
func (s *Scanner) All() iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		buffer := make([]byte, s.size+maxBehind+maxAhead)
		f, pos, n := finder{lastEnd: -1}, position{line: 1}, 0
		for {
			read, err := fill(s.reader, buffer[n:])
			n += read
			// What may go on after the buffer waits for the rest, unless there is none.
			limit := n - maxAhead
			if err != nil {
				limit = n
			}
			f.text = buffer[:n]
			for f.next(limit) {
				if !yield(f.match(&pos), nil) {
					return
				}
			}
			if err != nil {
				if err != io.EOF {
					yield(Match{}, err)
				}
				return
			}
			drop := max(0, limit-maxBehind)
			pos.move(f.text, max(pos.at, drop))
			copy(buffer, buffer[drop:n])
			n, f.i, f.lastEnd, pos.at = n-drop, max(f.i, limit)-drop, f.lastEnd-drop, pos.at-drop
		}
	}
}

// fill reads until the buffer is full. With the end of the text, or another error, it returns what it has read.
func fill(r io.Reader, b []byte) (n int, err error) {
	for empty := 0; n < len(b) && err == nil; {
		var read int
		read, err = r.Read(b[n:])
		if n += read; read > 0 {
			empty = 0
		} else if empty++; empty > maxEmptyReads {
			err = io.ErrNoProgress
		}
	}
	return n, err
}

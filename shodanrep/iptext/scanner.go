package iptext

import (
	"io"
	"iter"
)

// bufferSize is how much of a text is in memory. Lines can be longer.
const bufferSize = 256 << 10

// maxEmptyReads is how many reads in a row may return nothing.
const maxEmptyReads = 100

// A Scanner finds the addresses and networks of a stream.
type Scanner struct {
	reader io.Reader
	size   int
}

// NewScanner returns a Scanner of a text. Use [NewReader] for a text that may be compressed or in UTF-16.
func NewScanner(r io.Reader) *Scanner { return &Scanner{reader: r, size: bufferSize} }

// All returns the matches in order. An error of the reader is the last element; the matches before it are valid.
func (s *Scanner) All() iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		buffer := make([]byte, s.size+maxBehind+maxAhead)
		f, pos, n := finder{lastStart: -1, lastEnd: -1}, position{line: 1}, 0
		for {
			read, err := fill(s.reader, buffer[n:])
			n += read
			// A match that may continue after the buffer has to wait for the rest of the text.
			limit := n - maxAhead
			if err != nil {
				limit = n
			}
			f.setText(buffer[:n], f.i)
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
			n, f.i, pos.at = n-drop, max(f.i, limit)-drop, pos.at-drop
			f.lastStart, f.lastEnd = f.lastStart-drop, f.lastEnd-drop
		}
	}
}

// fill reads until the buffer is full, or an error. It returns the number of bytes read also with an error.
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

package iptext

import (
	"bytes"
	"io"
)

// A mailParts passes a text on as it is, and finds the encoded parts of emails in it.
type mailParts struct {
	io.Reader
	report func(line int64)
	lines  mailLines
	begun  []byte // the beginning of the line that has not ended
}

// FindMailParts returns a reader that passes a text on as it is, also a line that has not ended. The function is called
// with the first line of each part of an email that is encoded.
func FindMailParts(text io.Reader, report func(line int64)) io.Reader {
	return &mailParts{Reader: text, report: report, lines: mailLines{line: 1}}
}

func (r *mailParts) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	rest := b[:n]
	for {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			break
		}
		line := rest[:end+1]
		if len(r.begun) > 0 {
			line = r.begin(line)
		}
		r.end(line)
		rest = rest[end+1:]
	}
	r.begun = r.begin(rest)
	if err != nil && len(r.begun) > 0 {
		r.end(r.begun)
	}
	return n, err
}

// maxHeader is how much of a line is read: headers and encoded lines are shorter.
const maxHeader = 1000

// begin returns the line that has not ended, with what follows.
func (r *mailParts) begin(text []byte) []byte {
	return append(r.begun, text[:min(len(text), maxHeader-len(r.begun))]...)
}

// end looks at a line.
func (r *mailParts) end(line []byte) {
	if r.lines.inBody {
		if !r.lines.endsBody(line) {
			r.report(r.lines.line)
		}
		r.lines.inBody, r.lines.encoding = false, plain
	}
	r.lines.readHeader(line)
	r.lines.line++
	r.begun = r.begun[:0]
}

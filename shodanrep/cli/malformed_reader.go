package cli

import (
	"bytes"
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
)

// lineMargin is what may be around an address in a line that has nothing else.
const lineMargin = " \t\r\"',;"

// maxMalformedLine is how long a line may be that has nothing but a malformed address.
const maxMalformedLine = 128

// A malformedReader passes a text on and looks at its lines.
type malformedReader struct {
	io.Reader
	lines  *malformedLines
	name   string
	number int64 // of the lines that have ended
	// begun is the beginning of the line that has not ended, up to maxMalformedLine bytes.
	begun []byte
	list  listLines
	words firstWords
}

func (r *malformedReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	rest := b[:n]
	for {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			break
		}
		line := rest[:end]
		if len(r.begun) > 0 {
			line = r.begin(line)
		}
		r.end(line)
		rest = rest[end+1:]
	}
	r.begun = r.begin(rest)
	if err != nil {
		r.end(r.begun)
		if r.list.isList() || r.words.areOfList(r.list.entries) {
			r.lines.merge(r.words.malformed)
		}
		r.lines.addList(&r.list, r.name)
	}
	return n, err
}

// begin returns the line that has not ended, with what follows.
func (r *malformedReader) begin(text []byte) []byte {
	return append(r.begun, text[:min(len(text), maxMalformedLine-len(r.begun))]...)
}

// end looks at a line. A longer line than it may be is not looked at.
func (r *malformedReader) end(line []byte) {
	r.number++
	entry := bytes.Trim(line, lineMargin)
	switch {
	case len(line) >= maxMalformedLine:
		r.words.add(entry, r.number, r.name)
		r.list.addOther()
	case iptext.IsAddress4(entry):
		r.list.entries++
	default:
		entry = bytes.Trim(withoutComment(entry), lineMargin)
		switch {
		case r.lines.add(entry, r.number, r.name), isComment(line):
		case r.words.add(entry, r.number, r.name):
			r.list.addOther()
		case !r.list.isText:
			r.list.add(entry, r.number)
		}
	}
	r.begun = r.begun[:0]
}

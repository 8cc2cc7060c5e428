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
	wide  bool // text in UTF-16 was found
}

func (r *malformedReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if !r.wide {
		r.findWide(b[:n])
	}
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

// findWide looks for a number in UTF-16: [iptext.NewReader] decodes a text that is in UTF-16 from its beginning, so this one
// is within another.
func (r *malformedReader) findWide(text []byte) {
	for i := 0; ; i++ {
		next := bytes.IndexByte(text[i:], 0)
		if next < 0 {
			return
		}
		i += next
		if i > 0 && i+2 < len(text) && isDigit(text[i-1]) && (isDigit(text[i+1]) || text[i+1] == '.') && text[i+2] == 0 {
			r.wide = true
			number := r.number + 1 + int64(bytes.Count(text[:i], []byte{'\n'}))
			r.lines.wide.addLine(number, r.name, "convert it to UTF-8")
			return
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

package rowformat

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// A csvEncoder appends rows as lines in the form of encoding/csv. NULL is an empty field. On a terminal control characters
// other than line feeds are escaped.
type csvEncoder struct {
	separator  byte
	special    *[256]bool // the bytes because of which a field is quoted
	onTerminal bool
	// escapesFormulas says that texts are changed, see escapeFormulas.
	escapesFormulas bool
	line            []byte
	start, fields   int    // where the row begins in the line, and how many fields it has
	json            []byte // a buffer for JSON
}

// newCSVWriter returns a writer of a header and one line per row.
func newCSVWriter(out io.Writer, columns []embedded.Column, separator byte, o Options) (*TextWriter, error) {
	var special [256]bool
	for _, c := range []byte{'"', '\r', '\n', separator} {
		special[c] = true
	}
	onTerminal := stdio.IsTerminal(out)
	w := newTextWriter(out, func() Encoder {
		return &csvEncoder{separator: separator, special: &special, onTerminal: onTerminal, escapesFormulas: o.EscapeFormulas}
	})
	if o.NoHeader {
		return w, nil
	}
	names := make([]any, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return w, w.Write(names)
}

func (e *csvEncoder) Begin(b []byte) { e.line, e.start, e.fields = b, len(b), 0 }

// End quotes an only field that is empty, as Python does: most programs skip an empty line, and would lose the row.
func (e *csvEncoder) End() []byte {
	if len(e.line) == e.start {
		e.line = append(e.line, `""`...)
	}
	return append(e.line, '\n')
}

// begin begins a field.
func (e *csvEncoder) begin() {
	if e.fields > 0 {
		e.line = append(e.line, e.separator)
	}
	e.fields++
}

func (e *csvEncoder) Null() { e.begin() }

func (e *csvEncoder) Bool(v bool) {
	e.begin()
	e.line = strconv.AppendBool(e.line, v)
}

func (e *csvEncoder) Int(n int64) {
	e.begin()
	e.line = strconv.AppendInt(e.line, n, 10)
}

func (e *csvEncoder) Float(f float64) {
	e.begin()
	e.line = appendFloat(e.line, f)
}

func (e *csvEncoder) Text(s string) {
	e.begin()
	appendField(e, s)
}

func (e *csvEncoder) RawJSON(text []byte) {
	e.begin()
	appendField(e, text)
}

func (e *csvEncoder) BeginJSON() ([]byte, Quote) {
	e.begin()
	if e.onTerminal || e.escapesFormulas {
		return e.json[:0], JSONQuote
	}
	return append(e.line, '"'), csvQuote
}

func (e *csvEncoder) EndJSON(b []byte) {
	if e.onTerminal || e.escapesFormulas {
		e.json = b
		appendField(e, b)
		return
	}
	e.line = append(b, '"')
}

func (e *csvEncoder) JSONTexts(list []string) {
	if len(list) == 0 { // without quotes
		e.begin()
		e.line = JSONQuote.AppendStrings(e.line, list)
		return
	}
	b, quote := e.BeginJSON()
	e.EndJSON(quote.AppendStrings(b, list))
}

func (e *csvEncoder) JSONInts(list []int) {
	e.begin()
	isQuoted := len(list) > 1 && e.special[',']
	if isQuoted {
		e.line = append(e.line, '"')
	}
	e.line = AppendInts(e.line, list)
	if isQuoted {
		e.line = append(e.line, '"')
	}
}

func (e *csvEncoder) Value(v any) {
	switch v := v.(type) {
	case nil:
		e.Null()
	case int64:
		e.Int(v)
	case float64:
		e.Float(v)
	case bool:
		e.Bool(v)
	case json.RawMessage:
		e.RawJSON(v)
	case string:
		e.Text(v)
	default:
		e.Text(Text(v))
	}
}

// appendField appends a text to the line, in quotes if it needs them.
func appendField[T string | []byte](e *csvEncoder, text T) {
	if e.onTerminal || e.escapesFormulas {
		changed := string(text)
		if e.escapesFormulas {
			changed = escapeFormulas(changed)
		}
		if e.onTerminal {
			changed = display.PrintableLines(changed)
		}
		if needsQuotes(e.special, changed) {
			e.line = appendQuoted(e.line, changed)
		} else {
			e.line = append(e.line, changed...)
		}
		return
	}
	if needsQuotes(e.special, text) {
		e.line = appendQuoted(e.line, text)
	} else {
		e.line = append(e.line, text...)
	}
}

// appendQuoted appends a text in quotes, and each quote in it twice. It copies eight bytes at a time: the JSON of a row
// has so many quotes that a search for the next one does not pay.
func appendQuoted[T string | []byte](line []byte, text T) []byte {
	const word = 8
	line = append(line, '"')
	to := len(line)
	line = slices.Grow(line, 2*len(text)+word+1)
	line = line[:cap(line)]
	from := 0
	for from+word <= len(text) {
		next := uint64(text[from]) | uint64(text[from+1])<<8 | uint64(text[from+2])<<16 | uint64(text[from+3])<<24 |
			uint64(text[from+4])<<32 | uint64(text[from+5])<<40 | uint64(text[from+6])<<48 | uint64(text[from+7])<<56
		binary.LittleEndian.PutUint64(line[to:], next)
		quote := quoteIn(next)
		if quote == word {
			from, to = from+word, to+word
			continue
		}
		from, to = from+quote+1, to+quote+1
		line[to] = '"'
		to++
	}
	for ; from < len(text); from++ {
		line[to] = text[from]
		if to++; text[from] == '"' {
			line[to] = '"'
			to++
		}
	}
	line[to] = '"'
	return line[:to+1]
}

// quoteIn returns the index of the first quote in eight bytes, of which the lowest is the first, or 8 if there is none.
func quoteIn(bytes uint64) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	// A byte of others is zero where there is a quote. Subtracting 1 from it borrows, which sets the highest bit. Bytes
	// above the first zero can be set as well.
	others := bytes ^ ones*'"'
	return bits.TrailingZeros64((others-ones)&^others&highs) / 8
}

// needsQuotes reports whether a field needs quotes, because it has a special byte. As in encoding/csv, one with a space
// at its beginning does, because some readers remove it, and so does \. alone, which ends the data for PostgreSQL.
func needsQuotes[T string | []byte](special *[256]bool, text T) bool {
	if len(text) == 0 {
		return false
	}
	for i := range len(text) {
		if special[text[i]] {
			return true
		}
	}
	if first := text[0]; first > ' ' && first < utf8.RuneSelf && first != '\\' {
		return false // the usual case
	}
	if string(text) == `\.` {
		return true
	}
	first, _ := utf8.DecodeRuneInString(string(text[:min(len(text), utf8.UTFMax)]))
	return unicode.IsSpace(first)
}

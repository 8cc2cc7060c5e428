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

// A csvWriter writes a header and one line per row, in the form of encoding/csv. NULL is an empty field. On a terminal
// control characters other than line feeds are escaped.
type csvWriter struct {
	out        io.Writer
	separator  byte
	special    [256]bool // the bytes because of which a field is quoted
	onTerminal bool
	line       []byte
}

func newCSVWriter(out io.Writer, columns []embedded.Column, separator byte, o Options) (*csvWriter, error) {
	w := &csvWriter{out: out, separator: separator, onTerminal: stdio.IsTerminal(out)}
	for _, c := range []byte{'"', '\r', '\n', separator} {
		w.special[c] = true
	}
	if o.NoHeader {
		return w, nil
	}
	names := make([]any, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return w, w.Write(names)
}

func (w *csvWriter) Write(values []any) error {
	w.line = w.line[:0]
	for i, v := range values {
		if i > 0 {
			w.line = append(w.line, w.separator)
		}
		switch v := v.(type) {
		case nil:
		case int64:
			w.line = strconv.AppendInt(w.line, v, 10)
		case float64:
			w.line = appendFloat(w.line, v)
		case bool:
			w.line = strconv.AppendBool(w.line, v)
		case json.RawMessage:
			appendField(w, []byte(v))
		case *json.RawMessage:
			appendField(w, []byte(*v))
		case string:
			appendField(w, v)
		default:
			appendField(w, Text(v))
		}
	}
	w.line = append(w.line, '\n')
	_, err := w.out.Write(w.line)
	return err
}

func (w *csvWriter) Close() error { return nil }

// appendField appends a text to the line, in quotes if it needs them.
func appendField[T string | []byte](w *csvWriter, text T) {
	if w.onTerminal {
		printable := display.PrintableLines(string(text))
		if needsQuotes(&w.special, printable) {
			w.line = appendQuoted(w.line, printable)
		} else {
			w.line = append(w.line, printable...)
		}
		return
	}
	if needsQuotes(&w.special, text) {
		w.line = appendQuoted(w.line, text)
	} else {
		w.line = append(w.line, text...)
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

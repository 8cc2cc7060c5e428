package rowformat

import (
	"bytes"
	"encoding/json"
	"io"
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
		case json.RawMessage:
			w.appendField(v)
		case string:
			w.line = append(w.line, v...)
			w.quote(len(w.line) - len(v))
		default:
			w.appendField([]byte(Text(v)))
		}
	}
	w.line = append(w.line, '\n')
	_, err := w.out.Write(w.line)
	return err
}

func (w *csvWriter) Close() error { return nil }

// appendField appends a text, in quotes if it needs them.
func (w *csvWriter) appendField(text []byte) {
	begin := len(w.line)
	w.line = append(w.line, text...)
	w.quote(begin)
}

// quote puts the end of the line in quotes if it needs them.
func (w *csvWriter) quote(begin int) {
	if w.onTerminal {
		w.line = append(w.line[:begin], display.PrintableLines(string(w.line[begin:]))...)
	}
	text := w.line[begin:]
	if !w.needsQuotes(text) {
		return
	}
	// From the end on: each quote moves what follows it by one more byte.
	quotes := bytes.Count(text, []byte{'"'})
	w.line = slices.Grow(w.line, quotes+2)[:len(w.line)+quotes+2]
	to := len(w.line) - 1
	w.line[to] = '"'
	for from := begin + len(text) - 1; from >= begin; from-- {
		to--
		if w.line[to] = w.line[from]; w.line[to] == '"' {
			to--
			w.line[to] = '"'
		}
	}
	w.line[begin] = '"'
}

// needsQuotes reports whether a field needs quotes. As in encoding/csv, one with a space at its beginning does, because
// some readers remove it, and so does \. alone, which ends the data for PostgreSQL.
func (w *csvWriter) needsQuotes(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	for _, c := range text {
		if w.special[c] {
			return true
		}
	}
	if string(text) == `\.` {
		return true
	}
	first, _ := utf8.DecodeRune(text)
	return unicode.IsSpace(first)
}

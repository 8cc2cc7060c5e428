package rowformat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// A jsonWriter writes one document in Steampipe's format: the columns with their types, then the rows as objects.
type jsonWriter struct {
	out  io.Writer
	keys []string
	b    bytes.Buffer
	rows int
}

func newJSONWriter(out io.Writer, columns []embedded.Column) *jsonWriter {
	type column struct {
		Name     string `json:"name"`
		DataType string `json:"data_type"`
	}
	w := &jsonWriter{out: JSONOutput(out), keys: uniqueKeys(columns)}
	w.b.WriteString("{\n \"columns\": [")
	for i, c := range columns {
		w.b.WriteString(elementSeparator(i))
		AppendJSON(&w.b, column{w.keys[i], c.Type})
	}
	w.b.WriteString("\n ],\n \"rows\": [")
	return w
}

func (w *jsonWriter) Write(values []any) error {
	w.b.WriteString(elementSeparator(w.rows))
	w.rows++
	appendObject(&w.b, w.keys, values)
	_, err := w.b.WriteTo(w.out)
	return err
}

func (w *jsonWriter) Close() error {
	w.b.WriteString("\n ]\n}\n")
	_, err := w.b.WriteTo(w.out)
	return err
}

// elementSeparator returns what stands before the i-th element of an array.
func elementSeparator(i int) string {
	if i == 0 {
		return "\n  "
	}
	return ",\n  "
}

// A jsonLinesWriter writes one object per line and row.
type jsonLinesWriter struct {
	out  io.Writer
	keys []string
	b    bytes.Buffer
}

func newJSONLinesWriter(out io.Writer, columns []embedded.Column) *jsonLinesWriter {
	return &jsonLinesWriter{out: JSONOutput(out), keys: uniqueKeys(columns)}
}

func (w *jsonLinesWriter) Write(values []any) error {
	appendObject(&w.b, w.keys, values)
	w.b.WriteByte('\n')
	_, err := w.b.WriteTo(w.out)
	return err
}

func (w *jsonLinesWriter) Close() error { return nil }

// uniqueKeys returns the names of columns as keys of an object. The columns of a join can have the same name.
func uniqueKeys(columns []embedded.Column) []string {
	keys, used := make([]string, len(columns)), make(map[string]bool)
	for i, c := range columns {
		key := c.Name
		for n := 2; used[key]; n++ {
			key = c.Name + "_" + strconv.Itoa(n)
		}
		used[key] = true
		keys[i] = key
	}
	return keys
}

func appendObject(b *bytes.Buffer, keys []string, values []any) {
	b.WriteByte('{')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		AppendJSON(b, keys[i])
		b.WriteByte(':')
		AppendJSON(b, v)
	}
	b.WriteByte('}')
}

// AppendJSON appends a value as JSON.
func AppendJSON(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
		return
	case int64:
		b.Write(strconv.AppendInt(b.AvailableBuffer(), v, 10))
		return
	case string:
		if needsNoEscape(v) {
			b.WriteByte('"')
			b.WriteString(v)
			b.WriteByte('"')
			return
		}
	}
	if f, ok := v.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
		v = nil // JSON has no such numbers.
	}
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		b.WriteString("null\n") // SQLite returns no value that fails.
	}
	b.Truncate(b.Len() - 1) // The encoder ends with a new line.
}

// needsNoEscape reports whether a string is the same in JSON.
func needsNoEscape(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// JSONOutput returns a writer for JSON. On a terminal it escapes control characters.
func JSONOutput(out io.Writer) io.Writer {
	if stdio.IsTerminal(out) {
		return jsonEscaper{out}
	}
	return out
}

// A jsonEscaper escapes characters that would move a terminal's cursor or change its colours. In JSON they only occur
// in strings. Each write must be of whole characters.
type jsonEscaper struct{ io.Writer }

func (w jsonEscaper) Write(p []byte) (int, error) {
	var b strings.Builder
	for _, r := range string(p) {
		switch {
		case r == '\n' || r != utf8.RuneError && unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	if _, err := io.WriteString(w.Writer, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

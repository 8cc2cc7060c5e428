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

// newJSONWriter returns a writer of one document in Steampipe's format: the columns with their types, then the rows as
// objects.
func newJSONWriter(out io.Writer, columns []embedded.Column) *TextWriter {
	type column struct {
		Name     string `json:"name"`
		DataType string `json:"data_type"`
	}
	keys := uniqueKeys(columns)
	var b bytes.Buffer
	b.WriteString("{\n \"columns\": [")
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  ")
		AppendJSON(&b, column{keys[i], c.Type})
	}
	b.WriteString("\n ],\n \"rows\": [")
	w := newTextWriter(JSONOutput(out), newJSONEncoder(keys, ",\n  ", ""))
	w.begin, w.end = b.Bytes(), []byte("\n ]\n}\n")
	return w
}

// newJSONLinesWriter returns a writer of one object per line and row.
func newJSONLinesWriter(out io.Writer, columns []embedded.Column) *TextWriter {
	return newTextWriter(JSONOutput(out), newJSONEncoder(uniqueKeys(columns), "", "\n"))
}

// A jsonEncoder appends rows as objects, with a text before and after each.
type jsonEncoder struct {
	keys          []string // each as JSON with what stands before and after it
	before, after string
	b             []byte
	values        int // of the row
}

// newJSONEncoder returns a function that makes jsonEncoders.
func newJSONEncoder(keys []string, before, after string) func() Encoder {
	begins := make([]string, len(keys))
	for i, key := range keys {
		var b bytes.Buffer
		AppendJSON(&b, key)
		begins[i] = "," + b.String() + ":"
	}
	if len(begins) > 0 {
		begins[0] = begins[0][1:]
	}
	return func() Encoder { return &jsonEncoder{keys: begins, before: before + "{", after: "}" + after} }
}

func (e *jsonEncoder) Begin(b []byte) { e.b, e.values = append(b, e.before...), 0 }

func (e *jsonEncoder) End() []byte { return append(e.b, e.after...) }

// begin begins a value.
func (e *jsonEncoder) begin() {
	e.b = append(e.b, e.keys[e.values]...)
	e.values++
}

func (e *jsonEncoder) Null() {
	e.begin()
	e.b = append(e.b, "null"...)
}

func (e *jsonEncoder) Bool(v bool) {
	e.begin()
	e.b = strconv.AppendBool(e.b, v)
}

func (e *jsonEncoder) Int(n int64) {
	e.begin()
	e.b = strconv.AppendInt(e.b, n, 10)
}

func (e *jsonEncoder) Float(f float64) { e.Value(f) }

func (e *jsonEncoder) Text(s string) {
	e.begin()
	if needsNoEscape(s) {
		e.b = append(append(append(e.b, '"'), s...), '"')
		return
	}
	e.append(s)
}

func (e *jsonEncoder) RawJSON(text []byte) {
	e.begin()
	e.b = append(e.b, text...)
}

func (e *jsonEncoder) BeginJSON() ([]byte, Quote) {
	e.begin()
	return e.b, JSONQuote
}

func (e *jsonEncoder) EndJSON(b []byte) { e.b = b }

func (e *jsonEncoder) JSONTexts(list []string) {
	e.begin()
	e.b = JSONQuote.AppendStrings(e.b, list)
}

func (e *jsonEncoder) JSONInts(list []int) {
	e.begin()
	e.b = AppendInts(e.b, list)
}

func (e *jsonEncoder) Value(v any) {
	switch v := v.(type) {
	case nil:
		e.Null()
	case int64:
		e.Int(v)
	case string:
		e.Text(v)
	default:
		e.begin()
		e.append(v)
	}
}

// append appends a value of any type.
func (e *jsonEncoder) append(v any) {
	b := bytes.NewBuffer(e.b)
	AppendJSON(b, v)
	e.b = b.Bytes()
}

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

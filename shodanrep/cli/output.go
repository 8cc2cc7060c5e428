package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// outputNames are the formats of a result.
var outputNames = []string{"table", "csv", "tsv", "json", "jsonl", "line", "markdown"}

// print writes the rows of a statement to standard output. All formats but the table are written as the rows come, so
// that they need no more memory for more rows.
func (a *app) print(format string, rows results) error {
	switch format {
	case "csv":
		return a.printCSV(rows, ',')
	case "tsv":
		return a.printCSV(rows, '\t')
	case "json":
		return a.printJSON(rows)
	case "jsonl":
		return a.printJSONLines(rows)
	case "markdown":
		return a.printMarkdown(rows)
	case "line":
		return a.printLines(rows)
	}
	return a.printTable(rows)
}

// printCSV writes a header line and a line a row, where NULL is an empty field. On a terminal what would move its cursor
// or change its colours is spelt out, but for the ends of lines.
func (a *app) printCSV(rows results, separator rune) error {
	w := csv.NewWriter(a.stdout)
	w.Comma = separator
	field := func(text string) string { return text }
	if isTerminal(a.stdout) {
		field = printableLines
	}
	record := make([]string, len(rows.Columns()))
	if !a.noHeader {
		for i, c := range rows.Columns() {
			record[i] = field(c.Name)
		}
		w.Write(record)
		w.Flush()
	}
	for w.Error() == nil && rows.Next() {
		for i, v := range rows.Values() {
			record[i] = ""
			if v != nil {
				record[i] = field(plain(v))
			}
		}
		w.Write(record)
		w.Flush()
	}
	return w.Error()
}

// printJSON writes one document in Steampipe's form: the columns with their types, then the rows as objects.
func (a *app) printJSON(rows results) error {
	type column struct {
		Name     string `json:"name"`
		DataType string `json:"data_type"`
	}
	out := a.jsonOut()
	names := keys(rows)
	columns := make([]column, len(names))
	for i, c := range rows.Columns() {
		columns[i] = column{names[i], c.Type}
	}

	var b bytes.Buffer
	b.WriteString("{\n \"columns\": [")
	for i, c := range columns {
		b.WriteString(separator(i))
		writeJSON(&b, c)
	}
	b.WriteString("\n ],\n \"rows\": [")
	for n := 0; rows.Next(); n++ {
		b.WriteString(separator(n))
		writeObject(&b, names, rows.Values())
		if _, err := b.WriteTo(out); err != nil {
			return err
		}
	}
	if rows.Err() != nil {
		return rows.Err()
	}
	b.WriteString("\n ]\n}\n")
	_, err := b.WriteTo(out)
	return err
}

// jsonOut returns where JSON goes.
func (a *app) jsonOut() io.Writer {
	if isTerminal(a.stdout) {
		return jsonEscaper{a.stdout}
	}
	return a.stdout
}

// A jsonEscaper writes JSON to a terminal: what would move its cursor or change its colours stands within a string of
// JSON, and is escaped as such. Each write must be of whole characters.
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

// printJSONLines writes an object a line for each row.
func (a *app) printJSONLines(rows results) error {
	out, names := a.jsonOut(), keys(rows)
	var b bytes.Buffer
	for rows.Next() {
		writeObject(&b, names, rows.Values())
		b.WriteByte('\n')
		if _, err := b.WriteTo(out); err != nil {
			return err
		}
	}
	return rows.Err()
}

// printMarkdown writes a table in Markdown.
func (a *app) printMarkdown(rows results) error {
	var b bytes.Buffer
	for _, name := range columnNames(rows) {
		b.WriteString("| " + markdownText(name) + " ")
	}
	b.WriteString("|\n" + strings.Repeat("|---", len(rows.Columns())) + "|\n")
	if a.noHeader {
		b.Reset() // rows to add to a table
	}
	for rows.Next() {
		for _, v := range rows.Values() {
			cell := ""
			if v != nil {
				cell = markdownText(readable(v))
			}
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("|\n")
		if _, err := b.WriteTo(a.stdout); err != nil {
			return err
		}
	}
	if rows.Err() != nil {
		return rows.Err()
	}
	_, err := b.WriteTo(a.stdout)
	return err
}

// keys returns the names of the columns as keys of an object, which must differ; the columns of a join may not.
func keys(rows results) []string {
	names, used := make([]string, len(rows.Columns())), make(map[string]bool)
	for i, c := range rows.Columns() {
		name := c.Name
		for n := 2; used[name]; n++ {
			name = c.Name + "_" + strconv.Itoa(n)
		}
		used[name] = true
		names[i] = name
	}
	return names
}

// writeObject writes an object.
func writeObject(b *bytes.Buffer, names []string, values []any) {
	b.WriteByte('{')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSON(b, names[i])
		b.WriteByte(':')
		writeJSON(b, v)
	}
	b.WriteByte('}')
}

// separator returns what stands before the i-th element of a list.
func separator(i int) string {
	if i == 0 {
		return "\n  "
	}
	return ",\n  "
}

func writeJSON(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
		return
	case int64:
		b.Write(strconv.AppendInt(b.AvailableBuffer(), v, 10))
		return
	case string:
		if isPlainText(v) {
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
		b.WriteString("null\n") // No value that SQLite returns gets here.
	}
	b.Truncate(b.Len() - 1) // The encoder ends with a new line.
}

// isPlainText reports whether a text is the same in JSON.
func isPlainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// plain returns a value as text.
func plain(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case json.RawMessage:
		return string(v)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

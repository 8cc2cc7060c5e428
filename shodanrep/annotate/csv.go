package annotate

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"strings"
)

// delimiters are what may be between the fields of CSV, the most usual first.
const delimiters = ",\t;|"

// A quoteState is where in a record of CSV a byte is.
type quoteState int

const (
	atFieldStart quoteState = iota
	inField
	inQuotes
	afterQuote // which ends the quoted part unless another one follows
)

// next returns the state after a byte, and whether the byte ends the field. A quote within a field that does not begin
// with one is an ordinary byte.
func (s quoteState) next(c, delimiter byte) (state quoteState, ends bool) {
	switch {
	case s == inQuotes && c != '"':
		return inQuotes, false
	case s == inQuotes:
		return afterQuote, false
	case c == delimiter:
		return atFieldStart, true
	case c == '"' && (s == atFieldStart || s == afterQuote):
		return inQuotes, false
	}
	return inField, false
}

// fieldsOf splits a line into its fields, without the quotes around them.
func fieldsOf(line []byte, delimiter byte) []string {
	var fields []string
	start, state := 0, atFieldStart
	for i, c := range line {
		var ends bool
		if state, ends = state.next(c, delimiter); ends {
			fields = append(fields, string(line[start:i]))
			start = i + 1
		}
	}
	fields = append(fields, string(line[start:]))
	for i, field := range fields {
		if n := len(field); n > 1 && field[0] == '"' && field[n-1] == '"' {
			fields[i] = strings.ReplaceAll(field[1:n-1], `""`, `"`)
		}
	}
	return fields
}

// delimiterOf returns the delimiter of a header: the one that makes the most fields of it.
func delimiterOf(header []byte) byte {
	best, most := delimiters[0], 0
	for _, d := range []byte(delimiters) {
		if n := len(fieldsOf(header, d)); n > most {
			best, most = d, n
		}
	}
	return best
}

var (
	// columnName is the name of a column in the header of CSV, and addressName a part of one that has addresses.
	columnName  = regexp.MustCompile(`^[A-Za-z_@#][A-Za-z0-9_@#.:/()-]*( [A-Za-z0-9_.:/()-]+){0,3}$`)
	addressName = regexp.MustCompile(`(?i)(^|[^a-z])(ip|ips|ipv[46]|ip[46]?_?addr(ess)?|addr|address|src|dst|source|destination|host|client|remote|server|peer|indicator|ioc)([^a-z]|$)|ip$`)
)

// isHeader reports whether a line is plainly a header of CSV: at least two names, and one that addresses have. A text
// that is not one is seldom taken for one.
func isHeader(line []byte) bool {
	content, _ := splitEnding(line)
	fields := fieldsOf(content, delimiterOf(content))
	hasAddress := false
	for _, field := range fields {
		if !columnName.MatchString(field) {
			return false
		}
		hasAddress = hasAddress || addressName.MatchString(field)
	}
	return hasAddress && len(fields) > 1
}

// AppendCSV appends a record of CSV with columns added at its end, before its line ending. A record with fewer fields
// than columns, which is how many there were, is filled up, so that the values are below their names.
func (r *Reader) AppendCSV(dst []byte, record Record, values []string) []byte {
	content, ending := splitEnding(record.Text)
	dst = append(dst, content...)
	for range r.columns - record.Fields {
		dst = append(dst, r.delimiter)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = rune(r.delimiter)
	_ = w.Write(append([]string{""}, values...)) // the empty field makes the first delimiter
	w.Flush()
	dst = append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
	return append(dst, ending...)
}

// Columns returns the names of the columns of CSV, or nil where it has no header.
func (r *Reader) Columns() []string { return r.names }

package annotate

import (
	"regexp"
	"strings"
)

// delimiters are the possible delimiters of CSV fields, the most common first.
const delimiters = ",\t;|"

// A quoteState is the position of a byte within a CSV record.
type quoteState int

const (
	atFieldStart quoteState = iota
	inField
	inQuotes
	afterQuote // which ends the quoted part unless another one follows
)

// next returns the state after a byte, and whether the byte ends the field. A quote in a field that does not begin with
// a quote is an ordinary byte.
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

// delimiterOf returns the delimiter of a header: the one that gives the most fields.
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
	// columnName matches the name of a column in a CSV header, and addressName the name of a column with addresses.
	columnName  = regexp.MustCompile(`^[A-Za-z_@#][A-Za-z0-9_@#.:/()-]*( [A-Za-z0-9_.:/()-]+){0,3}$`)
	addressName = regexp.MustCompile(`(?i)(^|[^a-z])(ip|ips|ipv[46]|ip[46]?_?addr(ess)?|addr|address|src|dst|source|destination|host|client|remote|server|peer|indicator|ioc)([^a-z]|$)|ip$`)
)

// isHeader reports whether a line is clearly a CSV header: at least two names, one of which is the name of a column
// with addresses. Other text is rarely mistaken for a header.
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

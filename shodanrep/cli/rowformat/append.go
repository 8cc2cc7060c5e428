package rowformat

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// A Quote is what JSON has for each quote.
type Quote string

const (
	// JSONQuote is the quote of JSON, and csvQuote that of JSON in a field of CSV that is in quotes.
	JSONQuote Quote = `"`
	csvQuote  Quote = `""`
)

// AppendStrings appends a list of strings as encoding/json encodes it, null if it is nil.
func (q Quote) AppendStrings(b []byte, list []string) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = q.AppendString(b, s)
	}
	return append(b, ']')
}

// AppendString appends a string as encoding/json encodes it.
func (q Quote) AppendString(b []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(b, q...), s...), q...)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return append(append(b, q...), q...) // no string fails
	}
	return q.Append(b, text)
}

// Append appends JSON that has the usual quotes.
func (q Quote) Append(b, text []byte) []byte {
	if q == JSONQuote {
		return append(b, text...)
	}
	return append(b, bytes.ReplaceAll(text, []byte(JSONQuote), []byte(q))...)
}

// AppendInts appends a list of integers as encoding/json encodes it, null if it is nil.
func AppendInts(b []byte, list []int) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}

// asItIs are the bytes that encoding/json does not escape wherever they are.
var asItIs = func() (as [256]bool) {
	for c := ' '; c <= '~'; c++ {
		as[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return as
}()

// isPlain reports whether encoding/json escapes nothing in a string.
func isPlain(s string) bool {
	for i := range len(s) {
		if !asItIs[s[i]] {
			return false
		}
	}
	return true
}

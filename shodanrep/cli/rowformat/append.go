package rowformat

import (
	"encoding/json"
	"strconv"
)

// AppendStrings appends a list of strings as encoding/json encodes it, null if it is nil.
func AppendStrings(b []byte, list []string) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, s)
	}
	return append(b, ']')
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

// AppendString appends a string as encoding/json encodes it.
func AppendString(b []byte, s string) []byte {
	if !isPlain(s) {
		text, err := json.Marshal(s)
		if err != nil {
			return append(b, `""`...) // no string fails
		}
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

package shodan

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Clean makes a JSON text acceptable to everything that reads its values:
//
//   - PostgreSQL rejects NUL in text and jsonb, lone surrogates in jsonb, and bytes that are not UTF-8. Clean removes NUL
//     and replaces the others by U+FFFD.
//   - Steampipe reads numbers as float64, and a number that is too large for it ends the query, with the rows of all
//     addresses. PostgreSQL's numeric has limits too. A number beyond them becomes a string with the same digits, see
//     fitsReaders.
//   - SQLite reads JSON of at most 1,000 levels, and other readers have other limits. An object or a list that is nested
//     deeper than MaxDepth becomes null.
//
// Clean expects valid JSON. Of any other text it cleans the characters and keeps the structure. It does not copy a text
// that needs no change.
func Clean(body []byte) []byte {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	// Most responses have no such escape, and this check is fast.
	if bytes.Contains(body, []byte(`\u0000`)) || bytes.Contains(body, []byte(`\ud`)) || bytes.Contains(body, []byte(`\uD`)) {
		body = cleanEscapes(body)
	}
	return cleanValues(body)
}

// cleanEscapes removes escapes of NUL and replaces escapes of lone surrogates.
func cleanEscapes(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		if body[i] != '\\' {
			out = append(out, body[i])
			i++
			continue
		}
		unit, ok := unicodeEscape(body[i:])
		switch {
		case !ok:
			// Another escape, such as \n or \\. Copy both bytes, so that the second does not start a new escape.
			end := min(i+2, len(body))
			out = append(out, body[i:end]...)
			i = end
		case unit == 0:
			i += 6
		case utf16.IsSurrogate(unit):
			if low, ok := unicodeEscape(body[i+6:]); ok && utf16.DecodeRune(unit, low) != utf8.RuneError {
				out = append(out, body[i:i+12]...)
				i += 12
				break
			}
			out = append(out, `\ufffd`...)
			i += 6
		default:
			out = append(out, body[i:i+6]...)
			i += 6
		}
	}
	return out
}

// unicodeEscape reads the \uXXXX at the start of b.
func unicodeEscape(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return 0, false
	}
	return rune(unit), true
}

// MaxDepth is how many levels of objects and lists Clean keeps. Real responses have about ten. SQLite reads 1,000,
// which leaves room for a query that puts the value into other lists and objects.
const MaxDepth = 500

const (
	// maxFloatDigits is how many digits the largest float64 has before the decimal point.
	maxFloatDigits = 309
	// maxNumericFraction is how many digits PostgreSQL's numeric has after the decimal point.
	//
	// https://www.postgresql.org/docs/current/datatype-numeric.html
	maxNumericFraction = 16383
)

// cleanValues replaces values that are nested deeper than MaxDepth, and quotes numbers that do not fit.
func cleanValues(body []byte) []byte {
	var out []byte // nil until something is replaced
	copied := 0    // how much of body is in out
	replace := func(from, to int, with ...[]byte) {
		out = append(out, body[copied:from]...)
		for _, part := range with {
			out = append(out, part...)
		}
		copied = to
	}
	depth, start := 0, 0 // start is where the value begins that is too deep
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			i = stringEnd(body, i)
			continue
		case c == '{' || c == '[':
			if depth++; depth == MaxDepth+1 {
				start = i
			}
		case c == '}' || c == ']':
			if depth--; depth == MaxDepth {
				replace(start, i+1, []byte("null"))
			}
		case c == '-' || c >= '0' && c <= '9':
			end := numberEnd(body, i)
			if depth <= MaxDepth && !fitsReaders(body[i:end]) {
				replace(i, end, []byte{'"'}, body[i:end], []byte{'"'})
			}
			i = end
			continue
		}
		i++
	}
	if out == nil {
		return body
	}
	return append(out, body[copied:]...)
}

// stringEnd returns the end of the string that begins at body[start].
func stringEnd(body []byte, start int) int {
	for i := start + 1; i < len(body); {
		next := bytes.IndexByte(body[i:], '"')
		if next < 0 {
			break
		}
		i += next
		escapes := 0
		for body[i-1-escapes] == '\\' {
			escapes++
		}
		if i++; escapes%2 == 0 {
			return i
		}
	}
	return len(body)
}

// numberEnd returns the end of the number that begins at body[start].
func numberEnd(body []byte, start int) int {
	i := start + 1
	for i < len(body) && (body[i] >= '0' && body[i] <= '9' || body[i] == '.' || body[i] == 'e' || body[i] == 'E' || body[i] == '+' || body[i] == '-') {
		i++
	}
	return i
}

// fitsReaders reports whether a JSON number fits float64 and PostgreSQL's numeric, which holds larger numbers, but not all
// small ones. The latter depends on the notation as well as on the value: 1e-20000 and 0e-20000 have too many digits after
// the point.
func fitsReaders(number []byte) bool {
	mantissa, exponent := number, 0
	e := max(bytes.IndexByte(number, 'e'), bytes.IndexByte(number, 'E'))
	if e < 0 && len(number) < 300 {
		return true // the ordinary case: below 1e300
	}
	if e >= 0 {
		var ok bool
		if exponent, ok = smallInt(number[e+1:]); !ok {
			return false
		}
		mantissa = number[:e]
	}
	mantissa = bytes.TrimPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	if len(fraction)-exponent > maxNumericFraction {
		return false
	}
	// Leading zeros do not count.
	digits := len(whole) + exponent
	for _, part := range [][]byte{whole, fraction} {
		for _, digit := range part {
			if digit != '0' {
				if digits == maxFloatDigits {
					_, err := strconv.ParseFloat(string(number), 64)
					return err == nil
				}
				return digits < maxFloatDigits
			}
			digits--
		}
	}
	return true // zero
}

// smallInt reads an exponent, and reports whether it has at most six digits, which is more than the readers take.
func smallInt(text []byte) (n int, ok bool) {
	negative := len(text) > 0 && text[0] == '-'
	digits := bytes.TrimLeft(bytes.TrimLeft(text, "+-"), "0")
	if len(digits) > 6 {
		return 0, false
	}
	for _, digit := range digits {
		n = n*10 + int(digit-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

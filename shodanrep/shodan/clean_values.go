package shodan

import "bytes"

// MaxDepth is how many levels of objects and lists Clean leaves. Real responses have about ten. SQLite reads 1,000, so
// that a query can still put what it reads into lists and objects of its own.
const MaxDepth = 500

// The limits of PostgreSQL's numeric: digits before the decimal point, and digits after it.
//
// https://www.postgresql.org/docs/current/datatype-numeric.html
const (
	maxNumericDigits   = 131072
	maxNumericFraction = 16383
)

// cleanValues cuts what is nested deeper than MaxDepth, and quotes numbers that PostgreSQL's numeric cannot hold.
func cleanValues(body []byte) []byte {
	var out []byte // nil as long as nothing is replaced
	kept := 0      // up to where body is in out
	replace := func(from, to int, with ...[]byte) {
		out = append(out, body[kept:from]...)
		for _, part := range with {
			out = append(out, part...)
		}
		kept = to
	}
	depth, cut := 0, 0 // cut is where the value begins that is cut
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			i = stringEnd(body, i)
			continue
		case c == '{' || c == '[':
			if depth++; depth == MaxDepth+1 {
				cut = i
			}
		case c == '}' || c == ']':
			if depth--; depth == MaxDepth {
				replace(cut, i+1, []byte("null"))
			}
		case c == '-' || c >= '0' && c <= '9':
			end := numberEnd(body, i)
			if depth <= MaxDepth && !fitsNumeric(body[i:end]) {
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
	return append(out, body[kept:]...)
}

// stringEnd returns where the string ends that begins at body[start].
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

// numberEnd returns where the number ends that begins at body[start].
func numberEnd(body []byte, start int) int {
	i := start + 1
	for i < len(body) && (body[i] >= '0' && body[i] <= '9' || body[i] == '.' || body[i] == 'e' || body[i] == 'E' || body[i] == '+' || body[i] == '-') {
		i++
	}
	return i
}

// fitsNumeric reports whether PostgreSQL's numeric can hold a JSON number. Not only its value counts but also how it is
// written: 1e-20000 and 0e-20000 have too many digits after the point, 0e131072 has one before it.
func fitsNumeric(number []byte) bool {
	if len(number) < 6 && bytes.IndexByte(number, 'e') < 0 && bytes.IndexByte(number, 'E') < 0 {
		return true // the ordinary case
	}
	mantissa, exponent := number, 0
	if e := bytes.IndexAny(number, "eE"); e >= 0 {
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
	// Zeros at the beginning have no place in the digits before the point.
	digits := len(whole) + exponent
	for _, part := range [][]byte{whole, fraction} {
		for _, digit := range part {
			if digit != '0' {
				return digits <= maxNumericDigits
			}
			digits--
		}
	}
	return true // zero
}

// smallInt reads an exponent, and reports whether it has at most six digits, which is more than numeric takes.
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

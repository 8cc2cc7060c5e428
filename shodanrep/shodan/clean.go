package shodan

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Clean makes a JSON text fit for all that its values pass through:
//
//   - PostgreSQL refuses NUL in text and jsonb, half of a surrogate pair in jsonb, and bytes that are not UTF-8.
//     NUL is dropped, the others become U+FFFD.
//   - PostgreSQL's numeric has limits, see fitsNumeric. A number beyond them becomes a string of the same digits.
//   - SQLite reads JSON of at most 1,000 levels, and other readers have limits of their own. An object or a list that
//     is nested deeper than MaxDepth becomes null.
//
// Clean expects valid JSON; any other text is returned with its texts cleaned and its structure as it was. A text that
// is fit already is returned as it is, without a copy.
func Clean(body []byte) []byte {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	// Most responses have no such escape, and are through here at memory speed.
	if bytes.Contains(body, []byte(`\u0000`)) || bytes.Contains(body, []byte(`\ud`)) || bytes.Contains(body, []byte(`\uD`)) {
		body = cleanEscapes(body)
	}
	return cleanValues(body)
}

// cleanEscapes drops escapes of NUL, and replaces those of half a surrogate pair.
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
			// Another escape, such as \n or \\: both its bytes are taken, so that the second is not read as a new escape.
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

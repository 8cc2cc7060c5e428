package shodan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The types of fields in Shodan's responses change over the years and between crawlers: a CVSS score is a string in one
// banner and a number in the next, a list is null, a title is a number. One such field must not invalidate the host, so
// the types below never fail to decode. They leave empty what they cannot read.

// Text is a JSON string. A number or a boolean is read as written, anything else is empty.
type Text string

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (t *Text) UnmarshalJSON(b []byte) error {
	*t = Text(literal(b))
	return nil
}

// literal returns a JSON scalar as text: the content of a string, a number or boolean as written, "" for anything else.
func literal(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	switch b[0] {
	case '"':
		if isPlain(b) {
			return string(b[1 : len(b)-1])
		}
		var s string
		if json.Unmarshal(b, &s) != nil {
			return ""
		}
		return s
	case '{', '[', 'n':
		return ""
	}
	return string(b)
}

// isPlain reports whether a text is a string in quotes whose content stands for itself.
func isPlain(b []byte) bool {
	s := scanner{text: b}
	quoted, err := s.string()
	return err == nil && len(quoted) == len(b) && bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b)
}

// Null is a value that a response may lack. Valid reports whether it is there.
type Null[T int64 | float64 | bool] struct {
	V     T
	Valid bool
}

// Ptr returns the value, or nil if there is none.
func (n Null[T]) Ptr() *T {
	if !n.Valid {
		return nil
	}
	return new(n.V) // a pointer to the field would allocate a null value too
}

// UnmarshalJSON implements json.Unmarshaler and never fails. Numbers may be in quotes.
func (n *Null[T]) UnmarshalJSON(b []byte) error {
	*n = Null[T]{}
	if i, ok := any(&n.V).(*int64); ok && len(b) > 0 && b[0] != '"' {
		i64, err := strconv.ParseInt(string(b), 10, 64) // the usual case: it keeps no text, so that this needs no memory
		if err == nil {
			*i, n.Valid = i64, true
			return nil
		}
	}
	s := strings.TrimSpace(literal(b))
	switch v := any(&n.V).(type) {
	case *int64:
		*v, n.Valid = parseInt(s)
	case *float64:
		f, err := strconv.ParseFloat(s, 64)
		// ParseFloat also reads NaN and infinities, which JSON does not have and SQL cannot compare.
		if n.Valid = err == nil && f-f == 0; n.Valid {
			*v = f
		}
	case *bool:
		b, err := strconv.ParseBool(s)
		*v, n.Valid = b, err == nil
	}
	return nil
}

// parseInt reads a whole number, also in the form 443.0.
func parseInt(s string) (int64, bool) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(s, 64)
	// What Go makes of a number outside int64 depends on the processor.
	if err != nil || !(f >= math.MinInt64 && f < math.MaxInt64) || f != math.Trunc(f) {
		return 0, false
	}
	return int64(f), true
}

// Texts is a JSON list of strings. A single string is a list of one. It is nil if there is no list, and empty but not
// nil if the list is empty.
type Texts []string

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (t *Texts) UnmarshalJSON(b []byte) error {
	*t = nil
	items, ok := list(b)
	if !ok {
		if s := literal(b); s != "" {
			*t = Texts{s}
		}
		return nil
	}
	*t = make(Texts, 0, len(items))
	for _, item := range items {
		if s := literal(item); s != "" {
			*t = append(*t, s)
		}
	}
	return nil
}

// unique sorts a list and removes duplicates. It returns nil for nil.
func (t Texts) unique() Texts {
	slices.Sort(t)
	return slices.Compact(t)
}

// Ints is a JSON list of whole numbers, in quotes or not. It is nil if there is no list.
type Ints []int

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (t *Ints) UnmarshalJSON(b []byte) error {
	*t = nil
	items, ok := list(b)
	if !ok {
		return nil
	}
	*t = make(Ints, 0, len(items))
	for _, item := range items {
		if i, ok := parseInt(literal(item)); ok {
			*t = append(*t, int(i))
		}
	}
	return nil
}

// list splits a JSON array into its items.
func list(b []byte) (items []json.RawMessage, ok bool) {
	s := scanner{text: b}
	if s.peek() != '[' {
		return nil, false
	}
	err := s.list(func() error {
		item, err := s.value()
		items = append(items, item)
		return err
	})
	return items, err == nil && s.end() == nil
}

// Time is a time in one of Shodan's forms: "2023-07-15T08:31:35.019046" (in UTC), RFC 3339, or the form of
// certificates, "20260119082400Z". Anything else is the zero time, and so is a year in UTC other than 1 to 9999, which
// protobuf, and so Steampipe's SDK, does not have.
type Time struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (t *Time) UnmarshalJSON(b []byte) error {
	t.Time = ParseTime(literal(b))
	return nil
}

// Ptr returns the time, or nil for the zero time.
func (t Time) Ptr() *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.Time)
}

// ParseTime reads a time in one of the forms of Time. It returns the zero time for any other text.
func ParseTime(s string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05", time.RFC3339, "20060102150405Z", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && IsStorable(t) {
			return t.UTC()
		}
	}
	return time.Time{}
}

// isPort reports whether a number is a port. Some banners have port 0, which is not.
func isPort(n int64) bool { return n >= 1 && n <= 1<<16-1 }

// IsStorable reports whether protobuf can represent a time: its year in UTC is from 1 to 9999.
func IsStorable(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}

// unmarshalObject decodes a JSON object. Fields of an unexpected type stay empty.
func unmarshalObject(body []byte, v any) error {
	if !isObject(body) {
		return errNotObject
	}
	if err := json.Unmarshal(body, v); err != nil && !isTypeError(err) {
		return fmt.Errorf("the response is not complete JSON: %w", err)
	}
	return nil
}

var errNotObject = errors.New("the response is not a JSON object")

func isObject(body []byte) bool {
	trimmed := bytes.TrimSpace(body)
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// decodeObject is unmarshalObject with a scanner.
func decodeObject(s *scanner, decode func(*scanner) error) error {
	if !isObject(s.text) {
		return errNotObject
	}
	err := decode(s)
	if err == nil {
		err = s.end()
	}
	if err == nil {
		return nil
	}
	var ignored json.RawMessage
	if cause := json.Unmarshal(s.text, &ignored); cause != nil {
		err = cause // which says what is wrong
	}
	return fmt.Errorf("the response is not complete JSON: %w", err)
}

// decodeCleaned is decodeObject for a text that may need Clean. It returns the cleaned text. decode may be called twice.
func decodeCleaned(body []byte, summaryOnly bool, decode func(*scanner) error) ([]byte, error) {
	if utf8.Valid(body) {
		s := scanner{text: body, summaryOnly: summaryOnly, isUTF8: true}
		if decodeObject(&s, decode) == nil && !s.unclean {
			return body, nil
		}
	}
	body = Clean(body)
	return body, decodeObject(&scanner{text: body, summaryOnly: summaryOnly, isUTF8: true}, decode)
}

// isTypeError reports whether decoding was complete and only skipped fields of an unexpected type.
func isTypeError(err error) bool {
	var typeError *json.UnmarshalTypeError
	return errors.As(err, &typeError)
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

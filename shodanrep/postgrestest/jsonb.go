package postgrestest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is less than the limit of PostgreSQL with the default max_stack_depth, which is some thousands of levels.
const maxDepth = 1000

var (
	escape         = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)
	high           = regexp.MustCompile(`(?i)^\\ud[89ab]`)
	low            = regexp.MustCompile(`(?i)^\\ud[c-f]`)
	numberExponent = regexp.MustCompile(`(?i)^(-?[0-9.]+)(?:e(.*))?$`)
)

// CheckSteampipe returns an error for a text that does not reach a jsonb column in Steampipe. Its foreign data wrapper reads
// the text with encoding/json, and one number that does not fit float64 ends the query. Then PostgreSQL takes it.
func CheckSteampipe(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return fmt.Errorf("failed to populate column: %w", err)
	}
	return CheckJSONB(text)
}

// CheckJSONB returns an error for a text that PostgreSQL does not accept as jsonb. It is a model of PostgreSQL for fuzz
// tests, for which a server is too slow. A test of this package compares the two.
func CheckJSONB(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("invalid byte sequence for encoding UTF8")
	}
	if err := checkEscapes(text); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	depth, values := 0, 0
	for {
		token, err := decoder.Token()
		if err == io.EOF && values > 0 && depth == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("invalid input syntax for type json: %w", err)
		}
		switch value := token.(type) {
		case json.Delim:
			if value == '{' || value == '[' {
				depth++
			} else {
				depth--
			}
			if depth > maxDepth {
				return errors.New("stack depth limit exceeded")
			}
		case json.Number:
			if err := checkNumeric(value.String()); err != nil {
				return err
			}
		case string:
			if strings.ContainsRune(value, 0) {
				return errors.New("unsupported Unicode escape sequence: \\u0000")
			}
		}
		if depth == 0 {
			if values++; values > 1 {
				return errors.New("invalid input syntax for type json: more than one value")
			}
		}
	}
}

// checkEscapes returns an error for an escape of a lone surrogate.
func checkEscapes(text []byte) error {
	expected := -1 // where the low half must be
	for _, at := range escape.FindAllIndex(text, -1) {
		unit := text[at[0]:at[1]]
		switch {
		case low.Match(unit) != (expected == at[0]):
			return errors.New("a half of a surrogate pair")
		case high.Match(unit):
			expected = at[1]
			continue
		}
		expected = -1
	}
	if expected >= 0 {
		return errors.New("a half of a surrogate pair")
	}
	return nil
}

// checkNumeric returns an error for a number that does not fit PostgreSQL's numeric: its weight, in groups of four
// digits, has 16 bits, and its scale has 14 bits.
func checkNumeric(number string) error {
	parts := numberExponent.FindStringSubmatch(number)
	if parts == nil {
		return fmt.Errorf("%.40q is not a number", number)
	}
	mantissa, exponent := strings.TrimPrefix(parts[1], "-"), 0
	if parts[2] != "" {
		value, ok := new(big.Int).SetString(strings.TrimPrefix(parts[2], "+"), 10)
		if !ok || !value.IsInt64() || value.Int64() >= 1<<30-1 || value.Int64() <= -(1<<30-1) {
			return fmt.Errorf("%.40q: value overflows numeric format", number)
		}
		exponent = int(value.Int64())
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	scale := max(0, len(fraction)-exponent)
	if scale > 1<<14-1 {
		return fmt.Errorf("%.40q: value overflows numeric format: scale %s", number, strconv.Itoa(scale))
	}
	digits := whole + fraction
	first := strings.IndexFunc(digits, func(r rune) bool { return r != '0' })
	if first < 0 {
		return nil
	}
	if weight := len(whole) + exponent - first - 1; weight/4 > 1<<15-1 && weight > 0 {
		return fmt.Errorf("%.40q: value overflows numeric format: weight %d", number, weight)
	}
	return nil
}

// CheckText returns an error for a text that PostgreSQL does not accept as text.
func CheckText(text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return errors.New("invalid byte sequence for encoding UTF8")
	}
	return nil
}

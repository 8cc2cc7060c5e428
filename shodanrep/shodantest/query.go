package shodantest

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// query is a search query: terms that must all match.
type query []term

// term is a filter with values, of which one must match, or words to find in a banner's data.
type term struct {
	negated bool
	filter  string // "" for words
	values  []string
}

// parseQuery reads a query: words and "quoted words", filter:value, filter:"a value", filter:one,two,"and a third", and
// a "-" before any of them that must not match. A quote within quotes is not possible.
func parseQuery(text string) (query, error) {
	p := parser{rest: strings.TrimFunc(text, unicode.IsSpace)}
	if p.rest == "" {
		return nil, errors.New("the query is empty")
	}
	var q query
	for p.rest != "" {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		q = append(q, t)
		p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	}
	return q, nil
}

type parser struct{ rest string }

func (p *parser) term() (term, error) {
	var t term
	if rest, minus := strings.CutPrefix(p.rest, "-"); minus && rest != "" && strings.TrimLeftFunc(rest, unicode.IsSpace) == rest {
		t.negated, p.rest = true, rest
	}
	if name, rest, ok := cutFilter(p.rest); ok {
		f, known := filters[name]
		if !known {
			return t, fmt.Errorf("there is no filter %q", name)
		}
		t.filter, p.rest = name, rest
		for {
			value, err := p.value(",")
			if err == nil && f.valid != nil {
				err = f.valid(value)
			}
			if err != nil {
				return t, fmt.Errorf("%s: %w", name, err)
			}
			t.values = append(t.values, value)
			if !strings.HasPrefix(p.rest, ",") {
				return t, nil
			}
			p.rest = p.rest[1:]
		}
	}
	value, err := p.value("")
	t.values = []string{value}
	return t, err
}

// cutFilter splits "name:rest". A name has lower-case letters, digits, "_" and ".".
func cutFilter(s string) (name, rest string, ok bool) {
	i := strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.'
	})
	if i < 1 || s[i] != ':' {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// value reads a quoted value, or one that ends at a space or at one of the stops.
func (p *parser) value(stops string) (string, error) {
	if quoted, ok := strings.CutPrefix(p.rest, `"`); ok {
		value, rest, closed := strings.Cut(quoted, `"`)
		next, _ := utf8.DecodeRuneInString(rest)
		switch {
		case !closed:
			return "", errors.New("a quote is not closed")
		case strings.TrimSpace(value) == "":
			return "", errors.New("a value is empty")
		case rest != "" && !unicode.IsSpace(next) && !strings.ContainsRune(stops, next):
			return "", fmt.Errorf("%q follows a closing quote", next)
		}
		p.rest = rest
		return value, nil
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		return unicode.IsSpace(r) || r == '"' || strings.ContainsRune(stops, r)
	})
	if end < 0 {
		end = len(p.rest)
	}
	value := p.rest[:end]
	switch {
	case value == "":
		return "", errors.New("a value is missing")
	case strings.HasPrefix(p.rest[end:], `"`):
		return "", errors.New("a quote is within a word")
	}
	p.rest = p.rest[end:]
	return value, nil
}

// filtered reports whether a query has a filter and so costs a credit.
func (q query) filtered() bool {
	for _, t := range q {
		if t.filter != "" {
			return true
		}
	}
	return false
}

// matches reports whether a query matches a banner.
func (q query) matches(banner map[string]any) bool {
	for _, t := range q {
		if t.matches(banner) == t.negated {
			return false
		}
	}
	return true
}

func (t term) matches(banner map[string]any) bool {
	f := words("data")
	if t.filter != "" {
		f = filters[t.filter]
	}
	for _, has := range f.values(banner) {
		for _, wanted := range t.values {
			if f.match(has, wanted) {
				return true
			}
		}
	}
	return false
}

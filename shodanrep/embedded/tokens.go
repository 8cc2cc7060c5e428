package embedded

import "strings"

// A token is a part of a statement: a word, a quoted name or string, a number, or one other character.
type token struct {
	text       string
	start, end int // in the statement
	kind       tokenKind
	// match is the index of the other parenthesis of a pair, and inside the index of the parenthesis around the token;
	// -1 is none.
	match, inside int
}

type tokenKind byte

const (
	wordToken tokenKind = iota // a keyword or a name without quotes
	nameToken                  // a name in quotes; text is without them
	valueToken
	signToken
)

// is reports whether the token is one of the keywords, in any case.
func (t token) is(keywords ...string) bool {
	for _, keyword := range keywords {
		if t.kind == wordToken && strings.EqualFold(t.text, keyword) {
			return true
		}
	}
	return false
}

func (t token) sign(text string) bool { return t.kind == signToken && t.text == text }

// tokenize returns the tokens of the first statement of sql, without comments. A quote that is not closed ends with the
// text; SQLite reports it.
func tokenize(sql string) []token {
	var tokens []token
	var open []int
	for i := 0; i < len(sql); {
		start, c := i, sql[i]
		switch {
		case strings.HasPrefix(sql[i:], "--"):
			i = after(sql, i, "\n")
			continue
		case strings.HasPrefix(sql[i:], "/*"):
			i = after(sql, i+2, "*/")
			continue
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
			i++
			continue
		case c == ';':
			return tokens
		}
		t := token{start: start, match: -1, kind: signToken}
		switch {
		case c == '\'':
			i = afterQuote(sql, i, c)
			t.kind, t.text = valueToken, sql[start:i]
		case c == '"' || c == '`':
			i = afterQuote(sql, i, c)
			t.kind = nameToken
			t.text = strings.ReplaceAll(strings.Trim(sql[start:i], string(c)), string([]byte{c, c}), string(c))
		case c == '[':
			i = after(sql, i, "]")
			t.kind, t.text = nameToken, strings.Trim(sql[start:i], "[]")
		case isWord(c):
			for i < len(sql) && isWord(sql[i]) {
				i++
			}
			t.kind, t.text = wordToken, sql[start:i]
			if c >= '0' && c <= '9' || c == '$' || (c == 'x' || c == 'X') && i == start+1 && strings.HasPrefix(sql[i:], "'") {
				t.kind = valueToken
			}
		default:
			i++
			t.text = sql[start:i]
		}
		t.end, t.inside = i, -1
		if len(open) > 0 {
			t.inside = open[len(open)-1]
		}
		switch {
		case t.sign("("):
			open = append(open, len(tokens))
		case t.sign(")") && len(open) > 0:
			t.match = open[len(open)-1]
			open = open[:len(open)-1]
			tokens[t.match].match = len(tokens)
		}
		tokens = append(tokens, t)
	}
	return tokens
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

// after returns the index after the next end, or the end of the text.
func after(sql string, i int, end string) int {
	if n := strings.Index(sql[i:], end); n >= 0 {
		return i + n + len(end)
	}
	return len(sql)
}

// afterQuote returns the index after the quoted text at i. A doubled quote is part of the text.
func afterQuote(sql string, i int, quote byte) int {
	for i++; i < len(sql); i++ {
		if sql[i] == quote {
			if i+1 < len(sql) && sql[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(sql)
}

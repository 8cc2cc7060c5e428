package iptext

import "bytes"

// dotAt returns the length of the dot at an index; 0 is none. A dot may be defanged: in brackets of any kind, such as "[.]"
// or "{dot}", in half of them before a digit, such as "[." or ".]", in quotes, after backslashes, as in a regular expression,
// or between blanks. It may be encoded as in a URL or in HTML, and be the one of East Asian texts. Invisible characters may
// be around it.
func dotAt(b []byte, i int) int {
	if i >= len(b) {
		return 0
	}
	switch c := b[i]; c {
	case '.':
		if i+2 < len(b) && isClosing(b[i+1]) && isDigit(b[i+2]) {
			return 2
		}
		if i+1 < len(b) && b[i+1] < 0x80 {
			return 1
		}
		return 1 + invisibleAt(b, i+1)
	case ' ':
		return dotInBlanksAt(b, i)
	case '[', '(', '{':
		return dotInBracketsAt(b, i)
	case '<':
		if i+2 < len(b) && b[i+1] == '.' && b[i+2] == '>' {
			return 3
		}
	case '"', '\'':
		if i+3 < len(b) && b[i+1] == '.' && b[i+2] == c && isDigit(b[i+3]) {
			return 3
		}
	case '\\': // also two, as JSON has it
		if i+1 < len(b) && b[i+1] == '.' {
			return 2
		}
		if i+2 < len(b) && b[i+1] == '\\' && b[i+2] == '.' {
			return 3
		}
	case '%', '&':
		if decoded, n := escapeAt(b, i); decoded == '.' {
			return n
		}
	case 'd', 'D':
		if n := dotWordAt(b, i); n > 0 && i+n < len(b) && isDigit(b[i+n]) {
			return n
		}
	case 0xe3:
		if hasAt(b, i, ideographicDot) {
			return len(ideographicDot)
		}
	case 0xc2, 0xe2, 0xef:
		if hasAt(b, i, wideDot) || hasAt(b, i, narrowDot) {
			return len(wideDot)
		}
		if n := invisibleAt(b, i); n > 0 && i+n < len(b) && b[i+n] == '.' {
			return n + 1 + invisibleAt(b, i+n+1)
		}
	}
	return 0
}

// mayFollowBlank are the bytes that can follow the blank of a dot between blanks.
var mayFollowBlank = [256]bool{'.': true, '[': true, '(': true, '{': true, 'd': true, 'D': true}

// dotAfterNumber is dotAt for the index after a number. It is faster for what follows most numbers.
func dotAfterNumber(b []byte, i int) int {
	if i+1 >= len(b) {
		return 0 // a number has to follow
	}
	switch c := b[i]; {
	case c == '\n', isWord(c) && c|0x20 != 'd', c == ' ' && !mayFollowBlank[b[i+1]]:
		return 0
	}
	return dotAt(b, i)
}

// The dots of East Asian texts, which browsers read as dots.
const ideographicDot, wideDot, narrowDot = "\u3002", "\uff0e", "\uff61"

// dotWords stand for a dot, between brackets.
var dotWords = words("dot", "d0t", "d", "point", "punkt", "punto", "ponto", "period")

// maxDotWord is the length of the longest of them.
const maxDotWord = 6

// dotInBracketsAt is dotAt for an opening bracket. A dot within the brackets may be between blanks.
func dotInBracketsAt(b []byte, i int) int {
	p := i + 1
	switch {
	case p+1 >= len(b):
		return 0
	case b[p] == '.' && closes(b[p+1], b[i]):
		return 3
	case b[p] == '.' && isDigit(b[p+1]):
		return 2
	case b[p] == ' ':
		p++
	}
	start := p
	switch c := b[p]; {
	case c == '.':
		p++
	case c|0x20 == 'd', c|0x20 == 'p':
		for p < len(b) && p-start <= maxDotWord && isWord(b[p]) {
			p++
		}
		if !dotWords[lower(b[start:p])] {
			return 0
		}
	default:
		return 0
	}
	if start > i+1 && p < len(b) && b[p] == ' ' {
		p++
	}
	if p < len(b) && closes(b[p], b[i]) {
		return p + 1 - i
	}
	return 0
}

// dotInBlanksAt is dotAt for a blank: a dot between two blanks, which a digit follows.
func dotInBlanksAt(b []byte, i int) int {
	n := 0
	if i+3 < len(b) {
		switch b[i+1] {
		case '.', '[', '(', '{':
			n = dotAt(b, i+1)
		case 'd', 'D':
			n = dotWordAt(b, i+1)
		}
	}
	if end := i + 1 + n; n > 0 && end+1 < len(b) && b[end] == ' ' && isDigit(b[end+1]) {
		return n + 2
	}
	return 0
}

// dotWordAt returns the length of the word "dot" at an index; 0 is none.
func dotWordAt(b []byte, i int) int {
	if i+2 < len(b) && b[i]|0x20 == 'd' && b[i+1]|0x20 == 'o' && b[i+2]|0x20 == 't' {
		return 3
	}
	return 0
}

// maxEntity is the length of the longest entity that is read.
const maxEntity = 9

// namedEntities are the names that HTML has for the characters of an address in a URL.
var namedEntities = map[string]byte{"period": '.', "colon": ':', "sol": '/', "bsol": '\\', "commat": '@', "lsqb": '[', "rsqb": ']', "quest": '?', "num": '#'}

// escapeAt returns the character that is encoded at an index as in a URL (%2E, also twice as %252E) or in HTML (&#46; &#x2e;
// &period;), and the length of its code; 0 is none.
func escapeAt(b []byte, i int) (decoded byte, n int) {
	switch {
	case i+2 >= len(b) || b[i] != '%' && b[i] != '&':
	case b[i] == '%' && b[i+1] == '2' && b[i+2] == '5' && i+4 < len(b) && isHex(b[i+3]) && isHex(b[i+4]):
		return byte(hexValue(b[i+3])<<4 | hexValue(b[i+4])), 5
	case b[i] == '%' && isHex(b[i+1]) && isHex(b[i+2]):
		return byte(hexValue(b[i+1])<<4 | hexValue(b[i+2])), 3
	case b[i] == '&':
		name, _, found := bytes.Cut(b[i+1:min(len(b), i+maxEntity)], []byte{';'})
		if !found || len(name) == 0 {
			break
		}
		if decoded = namedEntities[string(name)]; decoded != 0 {
			return decoded, len(name) + 2
		}
		if name[0] != '#' {
			break
		}
		digits, base := name[1:], 10
		if len(digits) > 0 && digits[0]|0x20 == 'x' {
			digits, base = digits[1:], 16
		}
		value := 0
		for _, c := range digits {
			if !isHex(c) || base == 10 && !isDigit(c) {
				return 0, 0
			}
			value = base*value + hexValue(c)
		}
		if value > 0 && value < 0x80 {
			return byte(value), len(name) + 2
		}
	}
	return 0, 0
}

// invisibles are characters without a width, which web pages, chats and word processors put around dots, so that a long
// name can wrap or is no link.
var invisibles = []string{"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"}

// invisibleAt returns the length of the invisible character at an index; 0 is none.
func invisibleAt(b []byte, i int) int {
	if i+1 >= len(b) || b[i] < 0x80 {
		return 0
	}
	for _, c := range invisibles {
		if hasAt(b, i, c) {
			return len(c)
		}
	}
	return 0
}

// hasAt reports whether a text has another at an index.
func hasAt(b []byte, i int, text string) bool {
	return i+len(text) <= len(b) && string(b[i:i+len(text)]) == text
}

// endsDefangedDot reports whether a dot of another form than "." ends at an index.
func endsDefangedDot(b []byte, i int) bool {
	for n := 2; n <= maxEntity && n <= i; n++ {
		if dotAt(b, i-n) == n {
			return true
		}
	}
	return false
}

func isClosing(c byte) bool { return c == ']' || c == ')' || c == '}' }

// closes reports whether a byte is the closing bracket of an opening one.
func closes(c, opening byte) bool {
	return opening == '[' && c == ']' || opening == '(' && c == ')' || opening == '{' && c == '}'
}

// isDotEnd reports whether a dot in another form than "." may end with a byte. Those that end with a blank or a quote do not
// count, because most addresses follow one.
func isDotEnd(c byte) bool { return isClosing(c) || c == ';' || c >= 0x80 }

package iptext

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
)

const (
	// maxBehind and maxAhead are the most bytes before and after a separator that the rules look at.
	maxBehind = 512
	maxAhead  = 1024
)

// A finder finds the matches in a text. A match depends on at most maxBehind bytes before its first separator and
// maxAhead bytes after it, so that a [Scanner] can search a long text in parts.
type finder struct {
	text []byte
	i    int // the text before it was searched

	// start and end are the range of the last match, and prefix its address or network.
	start, end int
	prefix     netip.Prefix
	// lastStart and lastEnd are the range of the last match, or -1: "198.51.100.1-198.51.100.9" and
	// "192.0.2.1/192.0.2.2" are two matches.
	lastStart, lastEnd int
	// lastHost reports whether the last match is one address, and not a network.
	lastHost bool
}

// setText begins to search a text, or another part of it from an index on.
func (f *finder) setText(text []byte, from int) {
	f.text, f.i = text, from
}

// kindsOf has, for each byte, the kinds of separators before which it may stand (from bit 0 on), which it may be (from bit 16
// on), and which it may follow (from bit 32 on). Most dots, colons, brackets, backslashes and percent signs of a log do not
// separate the numbers of an address, and to look closer at each of them takes longer than all else.
var kindsOf = func() (kinds [256]uint64) {
	const (
		all      = ""
		digits   = "0123456789"
		hex      = digits + "abcdefABCDEF"
		wideEnds = "\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99" // of wide digits
		beyond   = "\xc2\xe2\xe3\xef"                         // of invisible characters, and of East Asian dots and digits
	)
	for i, kind := range []struct{ before, separator, after string }{
		{digits + wideEnds, `.[({\`, all},   // "1.2", "1[.]2"
		{" ", ".[({", " .dDpP)]}" + beyond}, // "1 . 2", "1 [dot] 2"
		{`"'<`, ".", `"'>`},                 // "1"."2", "1<.>2"
		{"d", "o", "t"},                     // "1 dot 2"
		{"D", "O", "T"},                     // "1 DOT 2"
		{"%", "2", "eE5"},                   // "1%2E2" and, encoded twice, "1%252E2"
		{"&", "#", all},                     // "1&#46;2"
		{all, beyond, all},                  // an invisible character, or a dot of East Asian texts
		{hex, ":", hex + ":["},              // of an IPv6 address
		{all, ":[", ":["},                   // "::", and both colons in "1[:]2" and "http[://]"
		{"spiwSPIW", ":", `/\%&`},           // of a URL: "http:/"
		{"spiwSPIW", "%", "23"},             // "http%3A" and, encoded twice, "http%253A"
	} {
		for part, bytes := range []string{kind.before, kind.separator, kind.after} {
			for c := range kinds {
				if bytes == all || strings.IndexByte(bytes, byte(c)) >= 0 {
					kinds[c] |= 1 << (16*part + i)
				}
			}
		}
	}
	return kinds
}()

// separatorAt returns the index of the next separator before end, or end. Of a longer one it is that of its second byte.
func separatorAt(b []byte, at, end int) int {
	if at >= end {
		return end
	}
	before, kinds := kindsOf[0], kindsOf[b[at]]
	if at > 0 {
		before = kindsOf[b[at-1]]
	}
	last := min(end, len(b)-1)
	for i, c := range b[at+1 : last+1] {
		after := kindsOf[c]
		if before&(kinds>>16)&(after>>32) != 0 {
			return at + i
		}
		before, kinds = kinds, after
	}
	if last < end && before&(kinds>>16)&(kindsOf[0]>>32) != 0 {
		return last // the last byte of the text
	}
	return end
}

// mayBeSlash are the bytes with which a slash may begin after the colon of a URL.
var mayBeSlash = [256]bool{'/': true, '\\': true, '%': true, '&': true}

// next finds the next match with its first separator before limit.
func (f *finder) next(limit int) bool {
	b := f.text
	for f.i < limit {
		at := separatorAt(b, f.i, limit)
		if f.i = at + 1; at >= limit {
			f.i = at
			return false
		}
		found := false
		switch b[at] {
		case '.':
			if isDigit(b[at-1]) {
				found = f.find4(at)
			} else {
				found = f.findDefanged(at)
			}
		case ':':
			if at+1 < len(b) && mayBeSlash[b[at+1]] {
				found = f.findHost(at)
			} else {
				found = f.find6(at)
			}
		case '%':
			found = f.findHost(at)
		case '2': // of "%2E"
			found = at > 1 && isDigit(b[at-2]) && f.findDefanged(at-1)
		case 'o', 'O': // of "dot"
			found = at > 1 && (isDigit(b[at-2]) || b[at-2] == ' ') && f.findDefanged(at-1)
		case '#': // of "&#46;"
			found = at > 1 && isDigit(b[at-2]) && f.findDefanged(at-1)
		default: // of a dot or a colon in another form, or an invisible character
			found = f.findDefanged(at)
			if !found && b[at] == '[' && at+2 < len(b) && b[at+1] == ':' {
				found = f.findHost(at) || f.find6(at)
			}
		}
		if found {
			f.i = max(f.i, f.end)
			f.lastStart, f.lastEnd, f.lastHost = f.start, f.end, f.prefix.IsSingleIP()
			return true
		}
	}
	return false
}

// match returns the last match and moves the position to it.
func (f *finder) match(pos *position) Match {
	pos.move(f.text, f.start)
	return Match{
		Prefix: f.prefix, Text: string(f.text[f.start:f.end]),
		Line: pos.line, Start: pos.column, End: pos.column + int64(f.end-f.start),
	}
}

// move counts the lines up to an index of the text.
func (p *position) move(text []byte, to int) {
	passed := text[p.at:to]
	if last := bytes.LastIndexByte(passed, '\n'); last >= 0 {
		p.line += int64(bytes.Count(passed, []byte{'\n'}))
		p.column = int64(len(passed) - last - 1)
	} else {
		p.column += int64(len(passed))
	}
	p.at = to
}

// find4 looks for an IPv4 address whose first separator is at an index, after a digit.
func (f *finder) find4(at int) bool {
	b := f.text
	start := at - 1
	for start > 0 && isDigit(b[start-1]) && at-start < 8 {
		start--
	}
	start = skipEscape(b, start, at)
	if at-start > 3 {
		return false
	}
	d := parseDotted(b, start)
	f.i = max(f.i, d.end) // no other address begins in these numbers
	switch {
	case d.valid < 4 || isAttributeType(b, d):
		return false
	case isEmphasized(b, start, d.fourth), d.count == 4 && isRewritten(b, start, d.end):
	case !f.before4(start, d.fourth):
		return false
	case d.count == 5 && d.lastNumber < 1<<16 && isCapture(b, start, d.fourth):
	case d.count != 4:
		return false
	case !after(b, d.end) && !isCapture(b, start, d.end):
		return false
	}
	f.start, f.end = start, d.fourth
	addr := netip.AddrFrom4(d.octets)
	f.prefix = netip.PrefixFrom(addr, 32)
	inURL := start >= 2 && b[start-2] == '/' && (b[start-1] == '/' || b[start-1] == ']') // also hxxp[://]
	isPath := inURL || start > 0 && b[start-1] == '/' && (isDevice(b, start-1) || isEscaped(b, start-1))
	if !isPath && d.count == 4 {
		f.suffix(addr)
	}
	return true
}

// findDefanged looks for an IPv4 address whose first separator is at an index, and is a dot in another form than "1.2", or
// whose digits are wide ones.
func (f *finder) findDefanged(at int) bool {
	b := f.text
	switch {
	case at == 0:
		return false
	case isDigit(b[at-1]):
		return dotAt(b, at) > 0 && f.find4(at)
	case at > 1 && isDigit(b[at-2]) && !isWord(b[at-1]) && f.lastEnd != at-1:
		return dotAt(b, at-1) > 0 && f.find4(at-1)
	}
	return endsWideDigit(b, at) && dotAt(b, at) > 0 && f.findWide(at)
}

// before4 reports whether the text before start allows an IPv4 address there.
func (f *finder) before4(start, end int) bool {
	b := f.text
	if start == 0 {
		return true
	}
	two := byte(' ') // the byte before the one before
	if start > 1 {
		two = b[start-2]
	}
	switch c := b[start-1]; {
	case c == '_' && isObjectName(b, start-1):
		return true
	case isWord(c):
		return isEscaped(b, start) && !endsDefangedDot(b, start)
	case c == '.', isDotEnd(c) && endsDefangedDot(b, start), c == ':' && two == ':', c == '=' && (two == '>' || two == '<' || two == '~'):
		return false
	case c == '~', c == '^': // of a range, of a version, such as ^1.2.3.4, or of a regular expression
		return start-1 == f.lastEnd || isExpression(b, start, end)
	case c == '-':
		return start-1 == f.lastEnd || !isWord(two) || isObjectName(b, start-1)
	case c == '/' && isWord(two):
		return start-1 == f.lastEnd || portAt(b, end) || endsPath(b, start-1, end) || isHierarchy(b, start-1) || isInterface(b, start, end) ||
			isDevice(b, start-1) || isResolved(b, start-1, end) || isEscaped(b, start-1)
	case c == '|' && isDeviceVersion(b, start, end):
		return false
	}
	return !followsVersionWord(b, start)
}

// find6 looks for an IPv6 address whose first colon is at an index.
func (f *finder) find6(at int) bool {
	b := f.text
	start := at
	for start > 0 && isHex(b[start-1]) && at-start < 8 {
		start--
	}
	start = skipEscape(b, start, at)
	if at-start > 4 || !f.before6(start, start == at) {
		return false
	}
	addr, end, ok := parse6(b, start)
	if ok && bytes.HasSuffix(b[:start], openVPN) {
		addr, end = withoutPort(b, start, addr, end)
	}
	if !ok || !isPlausible(addr) {
		return false
	}
	if !after6(b, end) && !isCapture(b, start, end) {
		return false
	}
	f.start, f.end = start, zoneEnd(b, addr, end)
	addr = addr.Unmap()
	f.prefix = netip.PrefixFrom(addr, addr.BitLen())
	if f.end == end {
		f.suffix(addr)
	}
	if host := ipaddr.Host(addr); host.Is4() && f.prefix.IsSingleIP() {
		f.prefix = netip.PrefixFrom(host, 32)
	}
	return true
}

// before6 reports whether the text before start allows an IPv6 address there.
func (f *finder) before6(start int, withColon bool) bool {
	b := f.text
	if start == 0 {
		return true
	}
	switch c := b[start-1]; {
	case isWord(c):
		return isEscaped(b, start)
	case c == '.', isClosing(c) && endsDefangedDot(b, start):
		return false
	case c == ':':
		return !withColon && isKey(b, start-1)
	case c == '-':
		return start-1 == f.lastEnd || start < 2 || !isWord(b[start-2])
	case withColon && (c == ')' || c == ']' || c == '>' || c == '}' || c == '*' || c == '&'):
		return false // a token of a programming language
	}
	return true
}

// suffix makes the match a network if a prefix length or a mask follows.
func (f *finder) suffix(addr netip.Addr) {
	b := f.text
	if addr.Is4() && f.maskAfterBlanks(addr) {
		return
	}
	if f.end >= len(b) || b[f.end] != '/' || f.end+1 >= len(b) || !isDigit(b[f.end+1]) {
		return
	}
	if addr.Is4() {
		if d := parseDotted(b, f.end+1); d.count == 4 && d.valid == 4 && after(b, d.end) {
			if bits, ok := maskBits(d.octets); ok {
				f.end, f.prefix = d.end, netip.PrefixFrom(addr, bits).Masked()
			}
			return
		}
	}
	bits, p := 0, f.end+1
	for ; p < len(b) && isDigit(b[p]) && p < f.end+5; p++ {
		bits = 10*bits + int(b[p]-'0')
	}
	if p < len(b) && (b[p] == '/' || b[p] == '-') || !after(b, p) || bits > addr.BitLen() {
		return // part of a path
	}
	network := netip.PrefixFrom(addr, bits).Masked()
	isHost := network.Addr() != addr
	if (addr.Is4() || isHost) && isSlashPort(b, f.start, addr.BitLen()) || isHost && isInterfaceAddress(b, f.start) {
		return
	}
	f.end, f.prefix = p, network
}

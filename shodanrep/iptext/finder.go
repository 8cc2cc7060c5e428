package iptext

import (
	"bytes"
	"net/netip"

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
	// lastEnd is the end of the last match, or -1: "198.51.100.1-198.51.100.9" and "192.0.2.1/192.0.2.2" are two
	// matches.
	lastEnd int
	// lastHost reports whether the last match is one address, and not a network.
	lastHost bool
}

// separators are the bytes to search for: each address has one. Those beyond ASCII begin an invisible character.
var separators = [256]bool{'.': true, ':': true, '[': true, '(': true, '{': true, '\\': true, 0xc2: true, 0xe2: true, 0xef: true}

// next finds the next match with its first separator before limit.
func (f *finder) next(limit int) bool {
	b := f.text
	for f.i < limit {
		for f.i < limit && !separators[b[f.i]] {
			f.i++
		}
		if f.i >= limit {
			return false
		}
		at := f.i
		f.i++
		found := false
		switch b[at] {
		case '.':
			found = at > 0 && isDigit(b[at-1]) && f.find4(at)
		case ':':
			found = f.find6(at)
		default: // of a defanged dot or colon
			if at > 0 && isDigit(b[at-1]) && dotAt(b, at) > 0 {
				found = f.find4(at)
			} else if colonAt(b, at) > 0 {
				found = f.find6(at)
			}
		}
		if found {
			f.i = max(f.i, f.end)
			f.lastEnd, f.lastHost = f.end, f.prefix.IsSingleIP()
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
	case isEmphasized(b, start, d.fourth):
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
	if !inURL && d.count == 4 {
		f.suffix(addr)
	}
	return true
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
	case isWord(c):
		return isEscaped(b, start)
	case c == '.', isClosing(c) && endsDefangedDot(b, start), c == '~', c == '^', c == ':' && two == ':', c == '=' && (two == '>' || two == '<' || two == '~'):
		return false
	case c == '-':
		return start-1 == f.lastEnd || !isWord(two)
	case c == '/' && isWord(two):
		return start-1 == f.lastEnd || portAt(b, end) || endsPath(b, start-1, end) || isHierarchy(b, start-1) || isInterface(b, start, end)
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
	if (addr.Is4() || network.Addr() != addr) && isSlashPort(b, f.start, addr.BitLen()) {
		return
	}
	f.end, f.prefix = p, network
}

// maxBlanks is how many blanks may be between an address and its mask.
const maxBlanks = 64

// maskAfterBlanks reports whether a mask follows as routers print it, which is then no address. It makes the match a
// network: "10.0.0.0 255.255.255.0", or the wildcard mask "10.0.0.0 0.0.0.255". But in "198.51.100.66 255.255.255.0", an
// address of an interface, the match stays a host. Masks shorter than /8 are left to be addresses, as some of them are
// hosts, and so are those of one address and of all. In the columns "10.0.0.0 198.51.100.1 255.255.255.0" of a routing
// table the mask does not belong to the gateway.
func (f *finder) maskAfterBlanks(addr netip.Addr) bool {
	b := f.text
	p := skipBlanks(b, f.end)
	if p == f.end || p >= len(b) || !isDigit(b[p]) {
		return false
	}
	if f.lastHost && f.lastEnd >= 0 && f.lastEnd < f.start && skipBlanks(b, f.lastEnd) == f.start {
		return false // the second column
	}
	d := parseDotted(b, p)
	if d.count != 4 || d.valid != 4 || !after(b, d.end) || portAt(b, d.end) || d.end < len(b) && b[d.end] == '/' {
		return false
	}
	mask, isWildcard := d.octets, d.octets[0] == 0
	if isWildcard {
		for i := range mask {
			mask[i] = ^mask[i]
		}
	}
	bits, ok := maskBits(mask)
	if !ok || bits < 8 || bits == 32 {
		return false
	}
	network := netip.PrefixFrom(addr, bits).Masked()
	if !isWildcard && network.Addr() != addr {
		f.i = d.end // passes the mask
		return true
	}
	f.end, f.prefix = d.end, network
	return true
}

// skipBlanks returns the index after the blanks at an index, of which it skips at most maxBlanks.
func skipBlanks(b []byte, i int) int {
	for end := min(len(b), i+maxBlanks); i < end && (b[i] == ' ' || b[i] == '\t'); {
		i++
	}
	return i
}

// maskBits returns the prefix length of a network mask such as 255.255.255.0.
func maskBits(mask [4]byte) (int, bool) {
	v := uint32(mask[0])<<24 | uint32(mask[1])<<16 | uint32(mask[2])<<8 | uint32(mask[3])
	bits := 0
	for v&(1<<31) != 0 {
		v <<= 1
		bits++
	}
	return bits, v == 0 && bits > 0
}

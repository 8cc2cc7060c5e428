package iptext

import (
	"bytes"
	"net/netip"
)

// A dotted is a sequence of decimal numbers with dots between them, which may be defanged.
type dotted struct {
	count      int     // how many numbers
	valid      int     // how many of the first four are octets without leading zeros, up to the first other one
	octets     [4]byte // the first four
	fourth     int     // where the fourth number ends
	lastNumber int
	end        int
	blanks     bool // there are blanks around a dot
}

// maxNumbers is how many numbers are read at most. Five already mean that it is not an address.
const maxNumbers = 16

// parseDotted reads the numbers that begin at a digit.
func parseDotted(b []byte, start int) dotted {
	var d dotted
	p := start
	for {
		first, value := p, 0
		for p < len(b) && isDigit(b[p]) && p-first < 6 {
			value = 10*value + int(b[p]-'0')
			p++
		}
		digits := p - first
		if d.count < 4 {
			if digits <= 3 && value < 256 && (digits == 1 || b[first] != '0') && d.valid == d.count {
				d.octets[d.count] = byte(value)
				d.valid++
			}
			d.fourth = p
		}
		d.count++
		d.lastNumber, d.end = value, p
		n := 1
		if p+1 >= len(b) || b[p] != '.' || !isDigit(b[p+1]) { // which most numbers of addresses have
			n = dotAfterNumber(b, p)
		}
		if n > 0 && b[p] == ' ' {
			if d.count == 4 && !d.blanks {
				return d // between two addresses
			}
			d.blanks = true
		}
		if digits >= 6 || n == 0 || p+n >= len(b) || !isDigit(b[p+n]) || d.count >= maxNumbers {
			return d
		}
		p += n
	}
}

// parse6 reads the IPv6 address that begins at start, with a hexadecimal digit or a colon.
func parse6(b []byte, start int) (addr netip.Addr, end int, ok bool) {
	var bytes [16]byte
	n, gap := 0, -1 // groups read, and how many of them before "::"
	pairs, digit := true, false
	p := start
	if k := colonAt(b, p); k > 0 {
		k2 := colonAt(b, p+k)
		if k2 == 0 || colonAt(b, p+k+k2) > 0 {
			return addr, 0, false
		}
		gap, p = 0, p+k+k2
	}
	end = p
	for n < 8 {
		q, value, decimal := p, 0, true
		for q < len(b) && isHex(b[q]) && q-p < 6 {
			value = value<<4 | hexValue(b[q])
			decimal = decimal && isDigit(b[q])
			q++
		}
		if q == p {
			break
		}
		if q-p > 4 || q < len(b) && isWord(b[q]) {
			// After a single colon this is a port or a word, and no part of the address.
			if n == 0 || end == p || q-p > 4 && !decimal {
				return addr, 0, false
			}
			break
		}
		if decimal && n <= 6 && dotAt(b, q) > 0 {
			if d := parseDotted(b, p); d.count == 4 && d.valid == 4 {
				copy(bytes[2*n:], d.octets[:])
				n, end, digit, pairs = n+2, d.end, true, false
				break
			}
		}
		bytes[2*n], bytes[2*n+1] = byte(value>>8), byte(value)
		pairs = pairs && q-p == 2
		digit = digit || hasDigit(b[p:q])
		n, end = n+1, q
		k := colonAt(b, q)
		if k == 0 {
			break
		}
		if k2 := colonAt(b, q+k); k2 > 0 {
			if gap >= 0 || colonAt(b, q+k+k2) > 0 {
				return addr, 0, false
			}
			gap = n
			p = q + k + k2
			end = p
			continue
		}
		if q+k >= len(b) || !isHex(b[q+k]) {
			break // no group follows
		}
		if n == 8 && !endsAfterPort(b, q+k) {
			return addr, 0, false // a ninth group
		}
		p = q + k
	}
	switch {
	case n == 8 && gap < 0:
		if pairs {
			return addr, 0, false // a world wide name, or a part of a fingerprint
		}
	case gap >= 0 && n > 0 && n < 8:
		if !digit {
			return addr, 0, false // such as face::cafe
		}
		tail := 2 * (n - gap)
		copy(bytes[16-tail:], bytes[2*gap:2*n])
		clear(bytes[2*gap : 16-tail])
	default:
		return addr, 0, false
	}
	return netip.AddrFrom16(bytes), end, true
}

// openVPN is what OpenVPN writes before an IPv6 address, with a colon and the port after it, and no brackets.
var openVPN = []byte("[AF_INET6]")

// withoutPort returns the address without its last group, if that is a port: a decimal number after one colon. The rest
// must be an address as well.
func withoutPort(b []byte, start int, addr netip.Addr, end int) (netip.Addr, int) {
	text := b[start:end]
	colon := bytes.LastIndexByte(text, ':')
	if colon <= 0 || text[colon-1] == ':' || len(bytes.Trim(text[colon+1:], "0123456789")) > 0 {
		return addr, end
	}
	if rest, err := netip.ParseAddr(string(text[:colon])); err == nil {
		return rest, start + colon
	}
	return addr, end
}

// endsAfterPort reports whether there is a port at an index, and no further group.
func endsAfterPort(b []byte, p int) bool {
	first := p
	for p < len(b) && isDigit(b[p]) && p-first < 6 {
		p++
	}
	return p > first && p-first <= 5 && (p >= len(b) || !isWord(b[p]) && colonAt(b, p) == 0)
}

// plausible are the IPv6 networks that are in use. Text in none of them only happens to look like an address, such as
// "d3::c4".
var plausible = []netip.Prefix{
	netip.MustParsePrefix("2000::/3"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("ff00::/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("::ffff:0:0/96"),
	netip.MustParsePrefix("64:ff9b::/32"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("5f00::/16"),
}

func isPlausible(addr netip.Addr) bool {
	if addr.Is4In6() {
		return true
	}
	for _, prefix := range plausible {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// colonAt returns the length of the colon at an index, which may be ":" or "[:]"; 0 is none.
func colonAt(b []byte, i int) int {
	switch {
	case i >= len(b):
		return 0
	case b[i] == ':':
		return 1
	case b[i] == '[' && i+2 < len(b) && b[i+1] == ':' && b[i+2] == ']':
		return 3
	}
	return 0
}

func isDigit(c byte) bool { return c-'0' < 10 }

func isHex(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 6 }

// isWord reports whether a byte is part of a word. Letters outside ASCII are not: some languages have no spaces.
func isWord(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 26 || c == '_' }

func hexValue(c byte) int {
	if isDigit(c) {
		return int(c - '0')
	}
	return int(c|0x20-'a') + 10
}

func hasDigit(b []byte) bool {
	for _, c := range b {
		if isDigit(c) {
			return true
		}
	}
	return false
}

package iptext

import (
	"bytes"
	"net/netip"
)

// maxBlanks is how many blanks may be between an address and its mask.
const maxBlanks = 64

// maskAfterBlanks reports whether a mask follows as routers print it, which is then no address. It makes the match a
// network: "10.0.0.0 255.255.255.0", "10.0.0.0 netmask 255.255.255.0", or the wildcard mask "10.0.0.0 0.0.0.255". But in
// "198.51.100.66 255.255.255.0", an address of an interface, the match stays a host. Without a word before them, masks
// shorter than /8 are left to be addresses, as some of them are hosts, and so are those of one address and of all; but the
// two halves of all addresses, which VPNs route, are networks. In the columns "10.0.0.0 198.51.100.1 255.255.255.0" of a
// routing table the mask does not belong to the gateway; "host 10.0.0.5 10.0.0.0 255.0.0.0" has no columns.
func (f *finder) maskAfterBlanks(addr netip.Addr) bool {
	b := f.text
	p := skipBlanks(b, f.end)
	if p == f.end || p >= len(b) {
		return false
	}
	if f.lastHost && f.lastStart >= 0 && f.lastEnd < f.start && skipBlanks(b, f.lastEnd) == f.start && !bytes.HasSuffix(b[:f.lastStart], hostBefore) {
		return false // the second column
	}
	word := maskWordAt(b, p)
	if p += word; p >= len(b) || !isDigit(b[p]) {
		return false
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
	network := netip.PrefixFrom(addr, bits).Masked()
	isHalf := bits == 1 && !isWildcard && network.Addr() == addr
	if !ok || word == 0 && (bits < 8 && !isHalf || bits == 32) {
		return false
	}
	if !isWildcard && network.Addr() != addr {
		f.i = d.end // passes the mask
		return true
	}
	f.end, f.prefix = d.end, network
	return true
}

// hostBefore is what routers have before the address of one host, which no mask follows.
var hostBefore = []byte("host ")

// maskWords are the words after which a mask stands.
var maskWords = [][]byte{[]byte("netmask"), []byte("mask"), []byte("wildcard"), []byte("wildcard-mask")}

// maskWordAt returns the length of one of maskWords at an index, with the blanks after it; 0 is none.
func maskWordAt(b []byte, i int) int {
	if b[i] != 'n' && b[i] != 'm' && b[i] != 'w' {
		return 0
	}
	for _, word := range maskWords {
		if end := i + len(word); bytes.HasPrefix(b[i:], word) && end < len(b) && b[end] == ' ' {
			return skipBlanks(b, end) - i
		}
	}
	return 0
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

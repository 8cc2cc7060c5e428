package iptext

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maxMalformed is the length of the longest text that Malformed looks at: an IPv6 address with a zone and a length.
const maxMalformed = 80

// Malformed returns why a text that was meant as an address or a network is none, as the end of a sentence that begins
// with the text. It returns "" if the text is an address or a network, or has another meaning.
func Malformed(text []byte) string {
	if len(text) > maxMalformed || isPlain(text) {
		return ""
	}
	if isRange(text, dots) {
		return "is a range: name its networks or its addresses"
	}
	for _, c := range text {
		if c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	word := refang(text)
	if host, length, isNetwork := strings.Cut(word, "/"); isNetwork {
		return malformedNetwork(host, length)
	}
	if reason := malformedAddress(word); reason != "" {
		return reason
	}
	return mistypedAddress(word)
}

// IsAddress4 reports whether a text is an IPv4 address and nothing else. It is faster than [Find].
func IsAddress4(text []byte) bool {
	if len(text) == 0 || !isDigit(text[0]) {
		return false
	}
	d := parseDotted(text, 0)
	return d.count == 4 && d.valid == 4 && d.end == len(text)
}

// dashes are what stands between the two addresses of a range, of which [Find] finds both.
var dashes = [][]byte{[]byte("-"), []byte("–"), []byte("—"), []byte("−"), []byte("…"), []byte(" to "),
	[]byte("~"), []byte("～"), []byte("〜")}

// dots stand between the two addresses of a range as well. Find finds the first address only.
var dots = []byte("..")

// IsRange reports whether a text is two addresses, the smaller one first, with a hyphen, a dash, a tilde or "to" between them.
func IsRange(text []byte) bool {
	if len(text) > 2*maxMalformed || !beginsAddress(text) || IsAddress4(text) {
		return false
	}
	return slices.ContainsFunc(dashes, func(dash []byte) bool { return isRange(text, dash) })
}

// beginsAddress reports whether a text begins with the first number of an address and what follows it. It is false for most
// fields of CSV files.
func beginsAddress(text []byte) bool {
	for i, c := range text[:min(len(text), 5)] {
		if dotAt(text, i) > 0 || colonAt(text, i) > 0 {
			return true
		}
		if !isHex(c) {
			return false
		}
	}
	return false
}

// isRange reports whether a text is two addresses, the smaller one first, with something between them.
func isRange(text, between []byte) bool {
	first, last, found := bytes.Cut(text, between)
	if !found {
		return false
	}
	from, err := netip.ParseAddr(refang(bytes.TrimSpace(first)))
	if err != nil {
		return false
	}
	to, err := netip.ParseAddr(refang(bytes.TrimSpace(last)))
	return err == nil && from.BitLen() == to.BitLen() && from.Less(to)
}

// refang undoes what makes an address unusable.
func refang(text []byte) string {
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if n := dotAt(text, i); n > 0 {
			plain, i = append(plain, '.'), i+n
		} else if n := colonAt(text, i); n > 0 {
			plain, i = append(plain, ':'), i+n
		} else {
			plain, i = append(plain, text[i]), i+1
		}
	}
	return string(plain)
}

// isPlain reports whether a text has only numbers up to 255 without leading zeros, and single dots: most lines of lists do.
func isPlain(text []byte) bool {
	first, number := true, 0
	for i, c := range text {
		if c == '.' {
			if first && i > 0 {
				return false
			}
			first, number = true, 0
			continue
		}
		if !isDigit(c) || c == '0' && first && i+1 < len(text) && isDigit(text[i+1]) {
			return false
		}
		first = false
		if number = 10*number + int(c-'0'); number > 255 {
			return false
		}
	}
	return true
}

// malformedNetwork is Malformed for a text with a slash. A text with letters after the slash is a path.
func malformedNetwork(host, length string) string {
	if strings.Trim(length, "0123456789./:*-+") != "" {
		return ""
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		if reason := malformedAddress(host); reason != "" {
			return reason
		}
		if _, ok := numbers(host); ok && strings.Trim(length, "0123456789") == "" {
			return "is not a network: its address must be four numbers up to 255"
		}
		return ""
	}
	bits, err := strconv.Atoi(length)
	isLength := err == nil && bits >= 0 && bits <= addr.BitLen() && isDigit(length[0])
	if isLength && addr.Zone() == "" {
		return ""
	}
	if isLength {
		return "is not a network: leave out the zone"
	}
	if addr.Is6() {
		return "is not a network: a number up to 128 must follow the slash"
	}
	if mask, err := netip.ParseAddr(length); err == nil {
		first := mask.AsSlice()[0]
		if _, isMask := maskBits(mask.Unmap().As4()); isMask || first != 0 && first != 255 {
			return "" // a network, or two addresses
		}
	}
	return "is not a network: a number up to 32 or a mask such as 255.255.255.0 must follow the slash"
}

// malformedAddress is Malformed for a text without a slash.
func malformedAddress(word string) string {
	if hasHexadecimal(word) {
		return "has a hexadecimal number: write its numbers in decimal"
	}
	parts, ok := numbers(word)
	if ok && len(parts) == 4 && hasLeadingZero(parts) {
		return "has a number with leading zeros, which some programs read as octal: leave out the zeros"
	}
	if ok {
		return ""
	}
	parts = strings.Split(word, ".")
	if len(parts) < 2 || len(parts) > 4 || !isOctet(parts[0]) {
		return ""
	}
	pattern, ranges := false, false
	for _, part := range parts {
		from, to, isRange := strings.Cut(part, "-")
		switch {
		case part == "*":
			pattern = true
		case isRange && isOctet(from) && isOctet(to) && value(from) < value(to):
			ranges = true
		case !isOctet(part):
			return ""
		}
	}
	switch {
	case pattern && (len(parts) == 4 || parts[len(parts)-1] == "*"):
		return "is a pattern: name a network, such as 198.51.100.0/24"
	case ranges && len(parts) == 4:
		return "is a short range: name its networks or its addresses"
	}
	return ""
}

// mistypedAddress is Malformed for a text that has the form of an address and a part that no address has.
func mistypedAddress(word string) string {
	if parts, ok := numbers(word); ok && len(parts) == 4 {
		if slices.ContainsFunc(parts, startsWithZero) {
			return "" // a date or a version
		}
		if _, err := netip.ParseAddr(word); err != nil {
			return "is not an address: its numbers must be up to 255"
		}
		return ""
	}
	if !strings.Contains(word, "::") || !strings.ContainsAny(word, "0123456789") || strings.Trim(word, "0123456789abcdefABCDEF:") != "" {
		return ""
	}
	for range Find([]byte(word)) {
		return ""
	}
	return "is not an address: an IPv6 address has up to eight groups of four hexadecimal digits, and :: only once"
}

// numbers returns the parts of a text that is three or four numbers of up to three digits, or of four with a leading zero,
// with dots between them.
func numbers(text string) (parts []string, ok bool) {
	parts = strings.Split(text, ".")
	if len(parts) < 3 || len(parts) > 4 {
		return nil, false
	}
	for _, part := range parts {
		if part == "" || len(part) > 3 && !isLongOctal(part) || strings.Trim(part, "0123456789") != "" {
			return nil, false
		}
	}
	return parts, true
}

// isLongOctal reports whether a text is a number from 0100 to 0377, as C writes octal numbers.
func isLongOctal(text string) bool {
	return len(text) == 4 && text[0] == '0' && text[1] >= '1' && text[1] <= '3' && strings.Trim(text, "01234567") == ""
}

// hasHexadecimal reports whether a text is four numbers with dots between them, and one of them is hexadecimal.
func hasHexadecimal(text string) bool {
	parts, found := strings.Split(text, "."), false
	for _, part := range parts {
		digits, isHex := strings.CutPrefix(strings.ToLower(part), "0x")
		switch {
		case isHex && digits != "" && len(digits) <= 2 && strings.Trim(digits, "0123456789abcdef") == "":
			found = true
		case !isOctet(part):
			return false
		}
	}
	return found && len(parts) == 4
}

// hasLeadingZero reports whether numbers up to 255 have leading zeros.
func hasLeadingZero(parts []string) bool {
	return slices.ContainsFunc(parts, startsWithZero) && !slices.ContainsFunc(parts, func(part string) bool { return value(part) > 255 && !isLongOctal(part) })
}

// startsWithZero reports whether a number has leading zeros.
func startsWithZero(part string) bool { return len(part) > 1 && part[0] == '0' }

// isOctet reports whether a text is a number up to 255.
func isOctet(text string) bool {
	return text != "" && len(text) <= 3 && strings.Trim(text, "0123456789") == "" && value(text) <= 255
}

// value returns the value of digits.
func value(digits string) int {
	n := 0
	for _, c := range []byte(digits) {
		n = 10*n + int(c-'0')
	}
	return n
}

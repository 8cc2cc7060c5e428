package iptext

import (
	"net/netip"
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
	for _, c := range text {
		if c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	word := fanged.Replace(string(text))
	if host, length, isNetwork := strings.Cut(word, "/"); isNetwork {
		return malformedNetwork(host, length)
	}
	return malformedAddress(word)
}

// fanged undoes what makes an address unusable.
var fanged = strings.NewReplacer("[.]", ".", "(.)", ".", "[dot]", ".", "(dot)", ".", "[:]", ":")

// isPlain reports whether a text has only digits and dots, and no leading zeros: most lines of lists do.
func isPlain(text []byte) bool {
	first := true
	for i, c := range text {
		switch {
		case c == '.':
			first = true
			continue
		case !isDigit(c), c == '0' && first && i+1 < len(text) && isDigit(text[i+1]):
			return false
		}
		first = false
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

// numbers returns the parts of a text that is three or four numbers of up to three digits, with dots between them.
func numbers(text string) (parts []string, ok bool) {
	parts = strings.Split(text, ".")
	if len(parts) < 3 || len(parts) > 4 {
		return nil, false
	}
	for _, part := range parts {
		if part == "" || len(part) > 3 || strings.Trim(part, "0123456789") != "" {
			return nil, false
		}
	}
	return parts, true
}

func hasLeadingZero(parts []string) bool {
	found := false
	for _, part := range parts {
		if value(part) > 255 {
			return false
		}
		found = found || len(part) > 1 && part[0] == '0'
	}
	return found
}

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

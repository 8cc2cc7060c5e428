package iptext

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxAuthority is how much of a URL is read after its slashes: the name of a user can be long, to hide the host.
	maxAuthority = 512
	// maxHost is how much of a host is read. An address in octal numbers whose characters are all encoded is shorter.
	maxHost = 256
)

// findHost looks for an address as the host of a URL whose colon is at an index, in the forms that only browsers read as
// an address: 3405803786, 0xCB00710A, 0313.0.0161.012, 203.113.10, or with encoded characters. A host that is an address as
// it is written is left to find4. Outside of URLs such numbers mean something else.
func (f *finder) findHost(at int) bool {
	b := f.text
	if !endsScheme(b[:at]) {
		return false
	}
	p := authorityAt(b, at)
	if p == 0 {
		return false
	}
	isEncoded := b[at] == '%'
	host := p
	for end, limit := p, min(len(b), p+maxAuthority); end < limit; end++ {
		if !marksAuthority[b[end]] {
			continue
		}
		c, n := b[end], 1
		if isEncoded && c == '%' {
			if c, n = escapeAt(b, end); n == 0 {
				continue
			}
		}
		if c == '@' {
			host = end + n
		} else if c != '%' && (c != '&' || isEncoded) && marksAuthority[c] {
			break
		}
	}
	if host >= len(b) || !isDigit(b[host]) && b[host] != '%' && b[host] != '&' && b[host] < 0x80 {
		return false // the name of a host
	}
	if d := parseDotted(b, host); d.count == 4 && d.valid == 4 && after(b, d.end) {
		return false
	}
	text, end := hostText(b, host)
	addr, ok := parseHost(text)
	if !ok {
		return false
	}
	f.start, f.end, f.prefix = host, end, netip.PrefixFrom(addr, 32)
	return true
}

// authorityAt returns where the authority of a URL begins whose colon is at an index, after at least two slashes; 0 is
// nowhere. Browsers read a backslash as a slash, and JSON has one before it.
func authorityAt(b []byte, at int) int {
	if at+3 < len(b) && b[at+1] == '/' && b[at+2] == '/' && isWord(b[at+3]) {
		return at + 3 // as most URLs have it
	}
	p := at
	if n := colonAt(b, p); n > 0 {
		p += n
	} else if hasAt(b, p, "[://]") {
		return p + len("[://]")
	} else if c, n := escapeAt(b, p); c == ':' {
		p += n
	} else {
		return 0
	}
	slashes := 0
	for ; slashes <= 8 && p < len(b); slashes++ {
		if b[p] == '/' || b[p] == '\\' && !hasAt(b, p, `\u`) && !hasAt(b, p, `\x`) {
			p++
		} else if hasAt(b, p, `\u002f`) || hasAt(b, p, `\u002F`) {
			p += len(`\u002f`)
		} else if hasAt(b, p, `\x5C`) { // a backslash in the logs of nginx
			p += len(`\x5C`)
		} else if c, n := escapeAt(b, p); c == '/' || c == '\\' {
			p += n
		} else {
			break
		}
	}
	if slashes < 2 {
		return 0
	}
	return p
}

// endsScheme reports whether a text ends with the scheme of a URL that browsers read as above, also defanged, such as hxxp
// or h**p, or with one in attacks on Log4j, whose library reads numbers as addresses as well.
func endsScheme(text []byte) bool {
	end := len(text)
	if end > 0 && text[end-1]|0x20 == 's' {
		end--
	}
	if end < 2 {
		return false
	}
	first, last := text[end-2]|0x20, text[end-1]|0x20
	switch last {
	case 'p':
		return first == 't' || first == 'x' || text[end-2] == '*' || text[end-2] == '_' || first == 'a' && bytes.EqualFold(text[max(0, end-4):end], []byte("ldap"))
	case 'i':
		return bytes.EqualFold(text[max(0, end-3):end], []byte("rmi"))
	}
	if last != 'w' && last != 's' { // as in ws and wss without their last letter
		return false
	}
	scheme := wordBefore(text, len(text))
	return bytes.EqualFold(scheme, []byte("ws")) || bytes.EqualFold(scheme, []byte("wss"))
}

// marksAuthority are the bytes that are not part of an authority, and those with which something else begins there.
var marksAuthority = func() (marks [256]bool) {
	for c := range marks {
		marks[c] = c <= ' ' || c == 0x7f || strings.IndexByte("/\\?#\"'<>`|^@%&", byte(c)) >= 0
	}
	return marks
}()

// hostText returns the host at an index of a URL, without what encodes or defangs its characters, and where it ends.
func hostText(b []byte, host int) (text string, end int) {
	var plain []byte
	isASCII := true
	p := host
	for p < len(b) && p-host < maxHost {
		c, n := b[p], 1
		if dot := dotAt(b, p); dot > 0 {
			c, n = '.', dot
		} else if decoded, length := escapeAt(b, p); length > 0 {
			c, n = decoded, length
		}
		if c < 0x80 && !isWord(c) && c != '.' && c != '-' {
			break
		}
		isASCII = isASCII && c < 0x80
		plain = append(plain, c)
		if p += n; c != '.' {
			end = p
		}
	}
	if text = string(plain); !isASCII {
		text = norm.NFKC.String(strings.ReplaceAll(text, ideographicDot, ".")) // as browsers map digits of other forms
	}
	return strings.TrimSuffix(text, "."), end
}

// parseHost parses a host that is an address by the URL Standard: up to four numbers, each in decimal, octal or hexadecimal,
// the last of which has all bytes that remain. See https://url.spec.whatwg.org/#concept-ipv4-parser.
func parseHost(host string) (addr netip.Addr, ok bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return addr, false
	}
	var octets [4]byte
	for i, part := range parts {
		value, ok := parseNumber(part)
		bytesLeft := 1
		if i == len(parts)-1 {
			bytesLeft = 4 - i
		}
		if !ok || value >= 1<<(8*bytesLeft) {
			return addr, false
		}
		for k := range bytesLeft {
			octets[i+k] = byte(value >> (8 * (bytesLeft - 1 - k)))
		}
	}
	return netip.AddrFrom4(octets), true
}

// parseNumber parses a number of a host.
func parseNumber(text string) (value uint64, ok bool) {
	digits, base := text, 10
	switch {
	case strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X"):
		if digits, base = text[2:], 16; digits == "" {
			return 0, true
		}
	case len(text) > 1 && text[0] == '0':
		digits, base = text[1:], 8
	}
	value, err := strconv.ParseUint(digits, base, 64)
	return value, err == nil
}

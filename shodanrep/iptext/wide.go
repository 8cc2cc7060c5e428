package iptext

import "net/netip"

// wideDigit is how the digits of East Asian texts begin, which take as much room as other characters of them. Their last
// byte is from firstWideDigit on.
const (
	wideDigit      = "\xef\xbc"
	firstWideDigit = 0x90
)

// endsWideDigit reports whether a wide digit ends at an index.
func endsWideDigit(b []byte, i int) bool {
	return i >= 3 && b[i-1]-firstWideDigit < 10 && string(b[i-3:i-1]) == wideDigit
}

// isWideDigit reports whether a wide digit is at an index.
func isWideDigit(b []byte, i int) bool { return i+3 <= len(b) && endsWideDigit(b, i+3) }

// findWide looks for an IPv4 address with wide digits whose first dot is at an index.
func (f *finder) findWide(at int) bool {
	b := f.text
	start := at
	for at-start < 9 && (endsWideDigit(b, start) || start > 0 && isDigit(b[start-1])) {
		if isDigit(b[start-1]) {
			start--
		} else {
			start -= len(wideDigit) + 1
		}
	}
	var plain []byte
	end := start
	for p := start; p < len(b) && p-start < maxHost; {
		if isWideDigit(b, p) {
			plain = append(plain, b[p+len(wideDigit)]-firstWideDigit+'0')
			p += len(wideDigit) + 1
			end = p
		} else if isDigit(b[p]) {
			plain = append(plain, b[p])
			p++
			end = p
		} else if n := dotAt(b, p); n > 0 && p == end {
			plain = append(plain, '.')
			p += n
		} else {
			break
		}
	}
	f.i = max(f.i, end)
	if plain[len(plain)-1] == '.' {
		plain = plain[:len(plain)-1]
	}
	addr, err := netip.ParseAddr(string(plain))
	if err != nil || !f.before4(start, end) || !after(b, end) {
		return false
	}
	f.start, f.end, f.prefix = start, end, netip.PrefixFrom(addr, 32)
	return true
}

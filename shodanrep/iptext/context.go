package iptext

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
)

// maxEscape is the length of the longest escape sequence before an address, such as "\u0020".
const maxEscape = 6

// skipEscape returns the start of a number whose first digits belong to an escape sequence: in "%20198.51.100.66",
// "%2520198.51.100.66", "\u0020198.51.100.66", "\x22198.51.100.66" and "#011198.51.100.66" it is 198.
func skipEscape(b []byte, start, end int) int {
	if start == 0 || !beforeEscape[b[start-1]] {
		return start
	}
	for i := min(end-1, start+maxEscape-1); i > start; i-- {
		if isEscaped(b, i) {
			return i
		}
	}
	return start
}

// beforeEscape are the bytes that may be in an escape sequence before its digits.
var beforeEscape = func() (set [256]bool) {
	for _, c := range []byte(`%ux#\abcdefABCDEF`) {
		set[c] = true
	}
	return set
}()

// isEscaped reports whether the bytes before an index are an escape sequence: of a URL (%3A), of JSON (\n, \u003c), of the
// logs of nginx and Apache (\x22), of rsyslog (#011), of C (\011), or the equals sign of quoted-printable text (=3D).
func isEscaped(b []byte, i int) bool {
	switch {
	case i >= 3 && b[i-3] == '%' && isHex(b[i-2]) && isHex(b[i-1]):
		return true
	case i >= 5 && b[i-5] == '%' && b[i-4] == '2' && b[i-3] == '5' && isHex(b[i-2]) && isHex(b[i-1]): // encoded twice
		return true
	case i >= 2 && b[i-2] == '\\' && (b[i-1] == 'n' || b[i-1] == 't' || b[i-1] == 'r'):
		return true
	case i >= 3 && b[i-3] == '=' && b[i-2] == '3' && b[i-1] == 'D':
		return true
	case i >= 6 && b[i-6] == '\\' && b[i-5] == 'u':
		return isHex(b[i-4]) && isHex(b[i-3]) && isHex(b[i-2]) && isHex(b[i-1])
	case i >= 4 && b[i-4] == '\\' && b[i-3] == 'x' && isHex(b[i-2]) && isHex(b[i-1]):
		return true
	case i >= 4 && (b[i-4] == '#' || b[i-4] == '\\') && b[i-3] == '0' && isDigit(b[i-2]) && isDigit(b[i-1]): // in octal
		return true
	}
	return endsColour(b, i)
}

// escapes are the forms of the escape character: itself, and as JSON, programs and rsyslog write it.
var escapes = [][]byte{{0x1b}, []byte(`\u001b`), []byte(`\u001B`), []byte(`\x1b`), []byte(`\x1B`), []byte(`\033`), []byte(`\e`), []byte("#033")}

// endsColour reports whether the bytes before an index are a sequence that sets the colour of a terminal, such as ESC[31m,
// or another one of that form.
func endsColour(b []byte, i int) bool {
	if i == 0 || isDigit(b[i-1]) || b[i-1] == '_' {
		return false
	}
	p := i - 1
	for p > 0 && i-p < maxWord && (isDigit(b[p-1]) || b[p-1] == ';' || b[p-1] == ':' || b[p-1] == '?') {
		p--
	}
	return p > 0 && b[p-1] == '[' && slices.ContainsFunc(escapes, func(escape []byte) bool { return bytes.HasSuffix(b[:p-1], escape) })
}

// after reports whether the text after an index allows an address to end there.
func after(b []byte, end int) bool {
	if end >= len(b) {
		return true
	}
	next := byte(' ')
	if end+1 < len(b) {
		next = b[end+1]
	}
	switch c := b[end]; {
	case isWord(c):
		return false
	case c == '~' && isWord(next): // a range, or a version such as 1.2.3.4~rc1
		d := parseDotted(b, end+1)
		return d.count == 4 && d.valid == 4
	case c == '.' || c == '[' || c == '(' || c == '{' || c == '\\' || c == '%' || c == '&' || c >= 0x80:
		if dot := dotAt(b, end); dot > 0 {
			return end+dot >= len(b) || !isWord(b[end+dot])
		}
	case c == '-' && isWord(next): // a range, or a version such as 1.2.3.4-1
		if !isDigit(next) {
			return false
		}
		d := parseDotted(b, end+1)
		return d.count == 4 && d.valid == 4
	case c == '+':
		return !followsVersion(b[end+1:])
	}
	return true
}

// after6 is after for an IPv6 address.
func after6(b []byte, end int) bool {
	if end+1 < len(b) && (b[end] == '-' || b[end] == '~') && isHex(b[end+1]) {
		_, _, ok := parse6(b, end+1)
		return ok
	}
	return after(b, end)
}

// followsVersion reports whether a text after a plus sign means that a version is before it.
func followsVersion(b []byte) bool {
	for _, word := range []string{"dfsg", "git", "deb", "ubuntu", "nmu", "build"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return true
		}
	}
	return false
}

// portAt reports whether a port follows.
func portAt(b []byte, end int) bool {
	return end+1 < len(b) && b[end] == ':' && isDigit(b[end+1])
}

// maxWord is how much of a word is read.
const maxWord = 40

// wordBefore returns the word that ends at an index.
func wordBefore(b []byte, end int) []byte {
	start := end
	for start > 0 && end-start < maxWord && (isWord(b[start-1]) || b[start-1] == '-') {
		start--
	}
	return b[start:end]
}

// addressPaths are the parts of a URL's path after which addresses stand, and not versions.
var addressPaths = words("ip", "ips", "ipv4", "ip-address", "ip-addresses", "ip_address", "ip_addresses", "ipaddress", "addr", "address",
	"addresses", "host", "hosts", "check", "lookup", "whois")

// endsPath reports whether an address after the slash at an index is the end of a URL's path, or follows one of
// addressPaths, and is not the version of a product as in curl/7.81.0.1.
func endsPath(b []byte, slash, end int) bool {
	word := wordBefore(b, slash)
	before := slash - len(word)
	follows := end+1 < len(b) && b[end] == '/' && isWord(b[end+1])
	if before > 0 && b[before-1] == '/' && addressPaths[lower(word)] {
		return !follows || !isDigit(b[end+1]) // a number may be the length of a network, and may not
	}
	if follows {
		return false
	}
	// https://name/198.51.100.66
	for before > 0 && slash-before < 100 && (isWord(b[before-1]) || b[before-1] == '-' || b[before-1] == '.') {
		before--
	}
	return before >= 3 && string(b[before-3:before]) == "://"
}

// versionWords are the words after which versions, sections and object identifiers stand, also with a colon or an equals
// sign between.
var versionWords = words("ver", "rv", "version", "versions", "firmware", "build", "rev", "revision", "oid", "appver", "osver", "swver", "fwver",
	"section", "chapter", "figure", "fig", "appendix", "clause")

// versionNames are the words that logs have with only a blank before the version: most are the names of software. In
// "nginx: 198.51.100.66" the name is that of the program which writes the line.
var versionNames = words("v", "sec",
	"amd64", "arm64", "i386", "gcc", "clang", "glibc", "openssl", "openssh", "postfix", "exim", "sendmail", "dovecot", "nginx", "apache",
	"php", "python", "java", "chrome", "chromium", "firefox", "safari", "edge", "windows", "ubuntu", "debian", "clr")

// followsVersionWord reports whether a word before an index says that a version follows, as in "version": "1.2.3.4".
func followsVersionWord(b []byte, start int) bool {
	end := start
	for end > 0 && start-end < 8 && bytes.IndexByte([]byte(` :="'([.\`), b[end-1]) >= 0 {
		end--
	}
	isElement := end == start && end > 0 && b[end-1] == '>' // <FileVersion>1.2.3.4</FileVersion>
	if isElement {
		end--
	}
	word := wordBefore(b, end)
	if len(word) == 0 || len(word) >= maxWord {
		return false
	}
	var buffer [maxWord]byte
	text := appendLower(buffer[:0], word)
	switch {
	case bytes.HasSuffix(text, []byte("version")):
		return true
	case isElement:
		return false
	case versionWords[string(text)]:
		return true
	case start-end == 1 && b[end] == '=' && string(text) == "v": // /style.css?v=1.2.3.4
		return true
	case start-end == 1 && (b[end] == ' ' || b[end] == '('):
		return versionNames[string(text)] || string(text) == "id" && isExchange(b, end)
	}
	if i := bytes.LastIndexAny(text[1:], "_-"); i >= 0 {
		return versionWords[string(text[i+2:])]
	}
	return false
}

// isExchange reports whether a text up to an index is the beginning of what Exchange writes into emails, with its version:
// "with Microsoft SMTP Server (TLS) id 15.1.225.42".
func isExchange(b []byte, end int) bool {
	return bytes.Contains(lineBefore(b, end), []byte("Microsoft SMTP Server"))
}

// isKey reports whether a word that ends at an index is a name, as in "ip6:2001:db8::1", and not a group of an address.
func isKey(b []byte, end int) bool {
	for _, c := range wordBefore(b, end) {
		if !isHex(c) {
			return true
		}
	}
	return false
}

// isCapture reports whether an address has a port or the name of a service after a dot, as those of tcpdump and of the
// netstat of BSD, macOS and Solaris do: "IP 198.51.100.66.443 > 203.0.113.5.51234: Flags".
func isCapture(b []byte, start, end int) bool {
	if end+1 >= len(b) || b[end] != '.' || !isWord(b[end+1]) {
		return false
	}
	p := end + 1
	for p < len(b) && (isWord(b[p]) || b[p] == '-') && p-end < maxService {
		p++
	}
	switch {
	case start >= 3 && string(b[start-3:start]) == "IP ", start >= 4 && string(b[start-4:start]) == "IP6 ":
		return p+1 < len(b) && b[p] == ' ' && b[p+1] == '>'
	case start >= 4 && string(b[start-3:start]) == " > " && isWord(b[start-4]):
		return p < len(b) && b[p] == ':'
	case bytes.HasPrefix(b[p:], []byte(" > ")) && isCaptureTarget(b, p+3): // with -v or -e, where "IP" is elsewhere
		return true
	}
	return (p >= len(b) || isBlank(b[p])) && isConnection(b, start, p)
}

var (
	protocolLine     = regexp.MustCompile(`^(tcp|udp)\d*[ \t]+\d+[ \t]+\d+[ \t]`)
	connectionStates = words("ESTABLISHED", "LISTEN", "TIME_WAIT", "CLOSE_WAIT", "LAST_ACK", "CLOSING", "CLOSED", "FIN_WAIT_1", "FIN_WAIT_2",
		"SYN_SENT", "SYN_RCVD", "SYN_RECEIVED")
)

// maxConnection is how much of a line around an address is read to recognize one of netstat's.
const maxConnection = 128

// isConnection reports whether the line around a text is one of netstat's: it begins with the protocol and the lengths of
// the queues, or ends with the state of a connection.
func isConnection(b []byte, start, end int) bool {
	line := b[max(0, start-maxConnection):start]
	whole := start <= maxConnection
	if i := bytes.LastIndexByte(line, '\n'); i >= 0 {
		line, whole = line[i+1:], true
	}
	line = bytes.TrimLeft(line, " \t")
	if whole && (bytes.HasPrefix(line, []byte("tcp")) || bytes.HasPrefix(line, []byte("udp"))) && protocolLine.Match(line) {
		return true
	}
	rest, _, _ := bytes.Cut(b[end:min(len(b), end+maxConnection)], []byte{'\n'})
	rest = bytes.TrimRight(rest, " \t\r")
	return connectionStates[string(rest[bytes.LastIndexAny(rest, " \t")+1:])]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// zoneEnd returns the end of the zone of an IPv6 address, or end if there is no zone.
func zoneEnd(b []byte, addr netip.Addr, end int) int {
	if end+1 >= len(b) || b[end] != '%' || !isWord(b[end+1]) {
		return end
	}
	escape := end+2 < len(b) && isHex(b[end+1]) && isHex(b[end+2])
	if escape && !addr.IsLinkLocalUnicast() && !addr.IsMulticast() {
		return end // of a URL, such as %5D
	}
	p := end + 1
	for p < len(b) && (isWord(b[p]) || b[p] == '-' || b[p] == '.') && p-end < 64 {
		p++
	}
	for b[p-1] == '.' || b[p-1] == '-' {
		p--
	}
	return p
}

func words(list ...string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, word := range list {
		set[word] = true
	}
	return set
}

func lower(word []byte) string { return string(bytes.ToLower(word)) }

// appendLower appends a word of ASCII in lower case. It allocates no memory for the words before addresses.
func appendLower(text, word []byte) []byte {
	for _, c := range word {
		if c-'A' < 26 {
			c |= 0x20
		}
		text = append(text, c)
	}
	return text
}

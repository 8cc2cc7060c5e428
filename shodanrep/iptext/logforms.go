package iptext

import (
	"bytes"
	"slices"
)

// maxLogLine is how much of a line before an address is read to recognize the program that wrote it.
const maxLogLine = 480

// lineBefore returns the text of a line before an index, up to maxLogLine bytes.
func lineBefore(b []byte, i int) []byte {
	line := b[max(0, i-maxLogLine):i]
	return line[bytes.LastIndexByte(line, '\n')+1:]
}

// slashPortMarks are in the lines of firewalls that write ports after a slash: Cisco's and Juniper's. Those with blanks are
// how Cisco's messages begin, which are often copied without what is before them.
var slashPortMarks = [][]byte{[]byte("%ASA-"), []byte("%FTD-"), []byte("%PIX-"), []byte("%FWSM-"), []byte("RT_FLOW"),
	[]byte("Built inbound "), []byte("Built outbound "), []byte("Built static "), []byte("Built dynamic "), []byte("Teardown TCP "),
	[]byte("Teardown UDP "), []byte("Teardown ICMP "), []byte("Teardown static "), []byte("Teardown dynamic "), []byte("Deny tcp src "),
	[]byte("Deny udp src "), []byte("Deny inbound "), []byte("Deny TCP "), []byte("Deny IP "), []byte("TCP connection denied from "), []byte("TCP access denied "),
	[]byte("TCP access permitted "), []byte("UDP access denied "), []byte("TCP outside"), []byte("TCP inside"), []byte("UDP outside"), []byte("UDP inside"), []byte("access requested from ")}

// hasSlashPorts reports whether an address at an index is in a line of a firewall that writes ports after a slash.
func hasSlashPorts(b []byte, start int) bool {
	line := lineBefore(b, start)
	for _, mark := range slashPortMarks {
		if bytes.Contains(line, mark) {
			return true
		}
	}
	return false
}

// isSlashPort reports whether the number after a slash is a port, and not the length of a network: "inside:10.0.0.6/22" in
// a line of a firewall, or "203.0.113.10/51234->10.0.0.5/22", where the number before the arrow is no length.
func isSlashPort(b []byte, start, bits int) bool {
	end := start - len("->")
	if end > 0 && string(b[end:start]) == "->" {
		p, number := end, 0
		for factor := 1; p > 0 && isDigit(b[p-1]) && end-p < 5; factor *= 10 {
			number += factor * int(b[p-1]-'0')
			p--
		}
		if p > 0 && p < end && b[p-1] == '/' && number > bits {
			return true
		}
	}
	return hasSlashPorts(b, start)
}

// isInterface reports whether the word before an address and a slash is an interface, as in "outside/203.0.113.29(1234)".
func isInterface(b []byte, start, end int) bool {
	return end+1 < len(b) && b[end] == '(' && isDigit(b[end+1]) && hasSlashPorts(b, start)
}

// interfaceMarks are what ip and ifconfig write before the address of an interface and the length of its network.
var interfaceMarks = [][]byte{[]byte("inet "), []byte("inet6 "), []byte("inet6 addr:"), []byte("inet6 addr: ")}

// isInterfaceAddress reports whether an address is that of an interface: "inet 198.51.100.66/24 brd 198.51.100.255".
func isInterfaceAddress(b []byte, start int) bool {
	return slices.ContainsFunc(interfaceMarks, func(mark []byte) bool { return bytes.HasSuffix(b[:start], mark) })
}

// isRewritten reports whether an address is in a URL that Proofpoint has rewritten, which has other characters before and
// after it: "u=http-3A__198.51.100.66_x&d=" or "/v3/__http://198.51.100.66__;!!".
func isRewritten(b []byte, start, end int) bool {
	if end >= len(b) || b[end] != '_' && b[end] != '-' && b[end] != '&' {
		return false
	}
	return bytes.HasSuffix(b[:start], []byte("-3A__")) || hasAt(b, end, "__;") && bytes.HasSuffix(b[:start], []byte("://"))
}

// objectWords are how the names of objects of a firewall begin that end with their address: "obj-198.51.100.66".
var objectWords = words("obj", "object", "host", "h", "net", "network", "n", "ip", "addr", "address", "srv", "server")

// isObjectName reports whether the word before an address and a hyphen or an underscore says that it is an object.
func isObjectName(b []byte, hyphen int) bool {
	word := wordBefore(b, hyphen)
	var buffer [maxWord]byte
	return len(word) < maxWord && objectWords[string(appendLower(buffer[:0], word))]
}

// devices are what Bash opens as a connection: "bash -i >& /dev/tcp/198.51.100.66/443".
var devices = [][]byte{[]byte("/dev/tcp"), []byte("/dev/udp")}

// isDevice reports whether a text up to a slash ends with one of devices.
func isDevice(b []byte, slash int) bool {
	return slices.ContainsFunc(devices, func(device []byte) bool { return bytes.HasSuffix(b[:slash], device) })
}

// isExpression reports whether an address is a regular expression for exactly this address, as in the rules of web servers:
// "^198\.51\.100\.66$".
func isExpression(b []byte, start, end int) bool {
	return end < len(b) && b[end] == '$' || bytes.IndexByte(b[start:end], '\\') >= 0
}

// maxHostName is how much of the name of a host is read.
const maxHostName = 100

// isResolved reports whether an address after a slash is that of the host before it, as Java writes them where no port
// follows: "Connect to a.example:443 [a.example/198.51.100.66] failed", "Socket[addr=a.example/198.51.100.66,port=443" and,
// on Android, "failed to connect to a.example/198.51.100.66 (port 443)".
func isResolved(b []byte, slash, end int) bool {
	if end >= len(b) {
		return false
	}
	start := slash
	for start > 0 && slash-start < maxHostName && (isWord(b[start-1]) || b[start-1] == '-' || b[start-1] == '.') {
		start--
	}
	switch before := b[:start]; b[end] {
	case ' ':
		return hasAt(b, end, " (port ")
	case ',', ']':
		if bytes.HasSuffix(before, []byte("addr=")) {
			return hasAt(b, end, ",port=")
		}
		inList := bytes.HasSuffix(before, []byte{'['}) || bytes.HasSuffix(before, []byte(", "))
		return inList && isHostName(b[start:slash])
	}
	return false
}

// isHostName reports whether a word is the name of a host, and not that of a program, such as Example.Agent or
// com.example.agent.
func isHostName(word []byte) bool {
	dot := bytes.LastIndexByte(word, '.')
	if dot <= 0 || dot+2 >= len(word) || !bytes.Equal(word, bytes.ToLower(word)) {
		return false
	}
	first, _, _ := bytes.Cut(word, []byte{'.'})
	return !reversedNames[string(first)]
}

// reversedNames are how the names of programs begin that are domains in reverse.
var reversedNames = words("com", "org", "net", "io", "app", "dev", "de", "uk", "fr", "jp", "cn", "ru")

// hierarchies are how the words end by which the proxy Squid says where it fetched a response: HIER_DIRECT/203.0.113.10.
var hierarchies = [][]byte{[]byte("DIRECT"), []byte("_PARENT"), []byte("_HIT"), []byte("ORIGINAL_DST"), []byte("PINNED"), []byte("HIER_NONE"), []byte("CARP")}

// isHierarchy reports whether the word before a slash is one of hierarchies. No other letters or digits may follow the
// address.
func isHierarchy(b []byte, slash int) bool {
	word := wordBefore(b, slash)
	if len(word) == 0 || len(word) == maxWord || slash > len(word) && !isBlank(b[slash-len(word)-1]) {
		return false
	}
	for _, end := range hierarchies {
		if bytes.HasSuffix(word, end) {
			return true
		}
	}
	return false
}

// eventHeaders are how the headers of the Common Event Format and of IBM's LEEF begin.
var eventHeaders = [][]byte{[]byte("CEF:"), []byte("LEEF:")}

// isDeviceVersion reports whether a text after a bar is the version of the product in the header of an event, as in
// "CEF:0|Example|Firewall|10.1.2.3|": what stands between the third bar and the fourth.
func isDeviceVersion(b []byte, start, end int) bool {
	if end >= len(b) || b[end] != '|' {
		return false
	}
	line := lineBefore(b, start)
	for _, header := range eventHeaders {
		if i := bytes.LastIndex(line, header); i >= 0 {
			return bytes.Count(line[i:], []byte{'|'})-bytes.Count(line[i:], []byte(`\|`)) == 3
		}
	}
	return false
}

// emphases are the marks with which chats and Markdown surround a text.
var emphases = []string{"_", "__", "~~"}

// isEmphasized reports whether a text is between two marks of emphases: "_198.51.100.66_".
func isEmphasized(b []byte, start, end int) bool {
	if end >= len(b) || b[end] != '_' && b[end] != '~' {
		return false
	}
	for _, mark := range emphases {
		before, after := start-len(mark), end+len(mark)
		if before < 0 || after > len(b) || string(b[before:start]) != mark || string(b[end:after]) != mark {
			continue
		}
		if (before == 0 || !isWord(b[before-1]) && b[before-1] != mark[0]) && (after == len(b) || !isWord(b[after]) && b[after] != mark[0]) {
			return true
		}
	}
	return false
}

// isAttributeType reports whether four numbers are an attribute of a distinguished name, such as 2.5.4.5=#1306.
func isAttributeType(b []byte, d dotted) bool {
	return d.octets[0] == 2 && d.octets[1] == 5 && d.octets[2] == 4 && d.end < len(b) && b[d.end] == '='
}

// maxService is how much of a port or the name of a service after an address is read.
const maxService = 64

// isCaptureTarget reports whether the address and the port to which a packet was sent follow, as in the output of tcpdump:
// "198.51.100.67.443:".
func isCaptureTarget(b []byte, start int) bool {
	if start >= len(b) {
		return false
	}
	_, end, ok := parse6(b, start)
	if d := parseDotted(b, start); d.valid == 4 {
		end, ok = d.fourth, true
	}
	if !ok || end+1 >= len(b) || b[end] != '.' || !isWord(b[end+1]) {
		return false
	}
	p := end + 1
	for p < len(b) && (isWord(b[p]) || b[p] == '-') && p-end < maxService {
		p++
	}
	return p < len(b) && b[p] == ':'
}

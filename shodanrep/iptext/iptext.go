// Package iptext finds IP addresses and networks in any text: lists, logs, e-mails, CSV and JSON.
//
// It finds defanged addresses (198.51.100[.]66, hxxp://198.51.100.66), addresses with ports or IPv6 zones, IPv4-mapped
// IPv6 addresses, URLs, also those whose host only a browser reads as an address (http://3325256770/), and networks. It
// ignores what only looks like an address: version numbers, object identifiers, times, MAC addresses, hashes, tokens of
// programming languages and parts of longer words. Ambiguous text is ignored: precision comes before recall.
package iptext

import (
	"iter"
	"net/netip"
)

// A Match is an address or a network found in a text.
type Match struct {
	// Prefix is the network, masked, or the address as a network of one. IPv4-mapped IPv6 addresses and those of NAT64
	// are IPv4, and zones are removed.
	Prefix netip.Prefix
	// Text is the match as it is written, without a port.
	Text string
	// Line is the number of the line, from 1. Lines end with a line feed.
	Line int64
	// Start and End are the byte range of Text within its line.
	Start, End int64
}

// Find returns the matches in a complete text, such as one line. The text must not change during the iteration.
func Find(text []byte) iter.Seq[Match] {
	return func(yield func(Match) bool) {
		pos := position{line: 1}
		f := finder{lastStart: -1, lastEnd: -1}
		f.setText(text, 0)
		for f.next(len(text)) {
			if !yield(f.match(&pos)) {
				return
			}
		}
	}
}

// A position is a position in a text, as a line and an offset within it.
type position struct {
	line int64
	// at is the index in the finder's text up to where lines are counted, and column is its offset within its line.
	at     int
	column int64
}

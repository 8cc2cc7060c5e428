package reputation

import (
	"bufio"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gaissmai/bart"
)

// List is the name of a list.
type List string

// The lists of a connection.
const (
	Allow List = "allow"
	Deny  List = "deny"
)

// A Listing is the entry of a host on a list. It is zero if the host is on neither list.
type Listing struct {
	List   List
	Entry  string // the address, network or autonomous system on the list
	Reason string // the reason, or the entry if none is given
}

// Lists are an allow list and a deny list of addresses, networks and autonomous systems. The most specific entry
// applies: an address before its network, and a network before its autonomous system. The deny list applies if both
// lists have the same entry.
type Lists struct {
	networks bart.Table[Listing]
	asns     map[string]Listing
}

// Add adds an entry to a list: an address, a network or an autonomous system, and optionally a space and the reason.
func (l *Lists) Add(list List, text string) error {
	entry, reason := strings.TrimSpace(text), ""
	if i := strings.IndexFunc(entry, unicode.IsSpace); i > 0 {
		entry, reason = entry[:i], strings.TrimSpace(entry[i:])
	}
	listing := Listing{List: list, Entry: entry, Reason: reason}
	if reason == "" {
		listing.Reason = entry
	}
	if asn := strings.ToUpper(entry); asnForm.MatchString(asn) {
		if l.asns == nil {
			l.asns = map[string]Listing{}
		}
		if l.asns[asn].List != Deny {
			l.asns[asn] = listing
		}
		return nil
	}
	network, ok := parseNetwork(entry)
	if !ok {
		return fmt.Errorf(`%q: use an address, a network or an autonomous system, and a reason after a space, such as "203.0.113.0/24 our scanners" or "AS64496 our provider"`, text)
	}
	if old, found := l.networks.Get(network); !found || old.List != Deny {
		l.networks.Insert(network, listing)
	}
	return nil
}

// AddFile adds the entries of a file to a list, one per line. A # at the beginning of a line or after a space starts a
// comment. The name is for errors.
func (l *Lists) AddFile(list List, name string, text []byte) error {
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for n := 1; lines.Scan(); n++ {
		line := " " + strings.TrimPrefix(lines.Text(), "\ufeff")
		for i, r := range line {
			if before, _ := utf8.DecodeLastRuneInString(line[:i]); r == '#' && unicode.IsSpace(before) {
				line = line[:i]
				break
			}
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := l.Add(list, strings.TrimSpace(line)); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// parseNetwork reads an address or a network. An IPv4-mapped IPv6 address is read as the IPv4 address.
func parseNetwork(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if network.Addr().Is4In6() {
		if network.Bits() < 96 {
			return netip.Prefix{}, false
		}
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
	}
	return network.Masked(), true
}

// Find returns the entry of an address or of its autonomous system, which may be empty.
func (l *Lists) Find(addr netip.Addr, asn string) Listing {
	if l == nil {
		return Listing{}
	}
	if addr.IsValid() {
		if listing, ok := l.networks.Lookup(addr.Unmap().WithZone("")); ok {
			return listing
		}
	}
	return l.asns[strings.ToUpper(asn)]
}

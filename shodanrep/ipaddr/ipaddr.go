// Package ipaddr parses IP addresses and networks in the same way for tables and SQL functions.
package ipaddr

import (
	"net/netip"
	"strings"
)

// translated is the network of the IPv6 addresses that NAT64 gives to hosts that only have an IPv4 address (RFC 6052).
var translated = netip.MustParsePrefix("64:ff9b::/96")

// Host returns the address of the host that an address names, as services know it: the IPv4 address in an IPv4-mapped
// IPv6 address and in an address of NAT64, and any other address without its zone, which names an interface of one
// machine.
func Host(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if translated.Contains(addr) {
		bytes := addr.As16()
		return netip.AddrFrom4([4]byte(bytes[12:]))
	}
	return addr
}

// Tunnelled returns the IPv4 address in an address of 6to4 or Teredo, which is where the tunnel of the IPv6 host ends, and
// the name of the protocol. The name is empty for any other address.
func Tunnelled(addr netip.Addr) (end netip.Addr, protocol string) {
	bytes := addr.As16()
	switch {
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(bytes[2:6])), "6to4"
	case teredo.Contains(addr):
		for i := range bytes {
			bytes[i] = ^bytes[i] // Teredo inverts the address of the client
		}
		return netip.AddrFrom4([4]byte(bytes[12:])), "Teredo"
	}
	return end, ""
}

// sixToFour (RFC 3056) and teredo (RFC 4380) are the networks of IPv6 hosts that are reached through an IPv4 address.
var (
	sixToFour = netip.MustParsePrefix("2002::/16")
	teredo    = netip.MustParsePrefix("2001::/32")
)

// Parse parses a network, or an address as the network of only that address. It ignores space around the text and an
// IPv6 zone, which names an interface of one machine, and returns the IPv4 address for an IPv4-mapped IPv6 address.
func Parse(text string) (netip.Prefix, bool) {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	const mapped = 96 // bits before the IPv4 address
	if network.Addr().Is4In6() && network.Bits() >= mapped {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-mapped)
	}
	return network, true
}

// Package ipaddr parses IP addresses and networks in the same way for tables and SQL functions.
package ipaddr

import (
	"net/netip"
	"strings"
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

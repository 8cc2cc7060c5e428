// Package ipaddr reads the texts of addresses and networks, in the one way in which tables and SQL functions do.
package ipaddr

import (
	"net/netip"
	"strings"
)

// Parse reads an address, as the network of itself alone, or a network. It leaves out blanks around the text and an
// IPv6 zone, which names an interface of one machine, and takes an IPv4-mapped IPv6 address for the IPv4 address.
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

package lookup

import (
	"net/netip"
	"slices"
)

// reserved are the networks that cannot be on the internet: those that IANA lists as not globally reachable, and
// multicast. Their addresses are not looked up.
//
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://www.iana.org/assignments/iana-ipv6-special-registry
var reserved = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private use
	"100.64.0.0/10",   // shared by customers of a carrier
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local
	"172.16.0.0/12",   // private use
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.168.0.0/16",  // private use
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, and the limited broadcast

	"64:ff9b:1::/48", // translation between IPv4 and IPv6, local use
	"2001::/23",      // protocol assignments
	"2001:db8::/32",  // documentation
	"3fff::/20",      // documentation
)

// reserved4 are the IPv4 networks of reserved by the first byte of their addresses, since lists have millions of addresses.
var reserved4 = byFirstByte(reserved)

func byFirstByte(list []netip.Prefix) (found [256][]netip.Prefix) {
	for _, prefix := range list {
		if !prefix.Addr().Is4() {
			continue
		}
		first := int(prefix.Addr().As4()[0])
		for n := range 1 << max(0, 8-prefix.Bits()) {
			found[first+n] = append(found[first+n], prefix)
		}
	}
	return found
}

// reachable are the networks within reserved ones that IANA lists as globally reachable.
var reachable = prefixes(
	"192.0.0.9/32",    // port control protocol anycast
	"192.0.0.10/32",   // TURN anycast
	"2001:1::1/128",   // port control protocol anycast
	"2001:1::2/128",   // TURN anycast
	"2001:1::3/128",   // DNS-SD anycast
	"2001:3::/32",     // AMT
	"2001:4:112::/48", // AS112
	"2001:20::/28",    // ORCHIDv2
	"2001:30::/28",    // drone remote identification
)

// embedding are the IPv6 networks whose addresses have an IPv4 address in them, and the byte where it starts. If that
// is reserved, so are they.
var embedding = map[netip.Prefix]int{
	netip.MustParsePrefix("64:ff9b::/96"): 12, // translation
	netip.MustParsePrefix("2002::/16"):    2,  // 6to4
}

// global are the IPv6 networks that are on the internet.
var global = prefixes(
	"2000::/3",      // global unicast
	"64:ff9b::/96",  // IPv4 addresses, translated
	"::ffff:0:0/96", // IPv4 addresses as they are
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// IsReserved reports whether an address cannot be on the internet.
func IsReserved(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	list := reserved
	if addr.Is4() {
		list = reserved4[addr.As4()[0]]
	}
	if contains(list, addr) {
		return !contains(reachable, addr)
	}
	if addr.Is4() {
		return false
	}
	for prefix, at := range embedding {
		if bytes := addr.As16(); prefix.Contains(addr) && IsReserved(netip.AddrFrom4([4]byte(bytes[at:at+4]))) {
			return true
		}
	}
	return !contains(global, addr)
}

// IsReservedNetwork reports whether a network has reserved addresses only, by IsReserved for each, without a walk over
// them.
func IsReservedNetwork(network netip.Prefix) bool {
	addr, bits := network.Addr(), network.Bits()
	if mapped := 128 - 32; addr.Is4In6() && bits >= mapped {
		return IsReservedNetwork(netip.PrefixFrom(addr.Unmap(), bits-mapped))
	}
	if slices.ContainsFunc(reachable, network.Overlaps) {
		return false
	}
	if slices.ContainsFunc(reserved, func(prefix netip.Prefix) bool { return prefix.Bits() <= bits && prefix.Contains(addr) }) {
		return true
	}
	if addr.Is4() {
		return false
	}
	for prefix, at := range embedding {
		bytes := addr.As16()
		if prefix.Contains(addr) && bits >= 8*at &&
			IsReservedNetwork(netip.PrefixFrom(netip.AddrFrom4([4]byte(bytes[at:at+4])), min(bits-8*at, 32))) {
			return true
		}
	}
	return !slices.ContainsFunc(global, network.Overlaps)
}

func contains(list []netip.Prefix, addr netip.Addr) bool {
	for _, prefix := range list {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

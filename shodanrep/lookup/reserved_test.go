package lookup_test

import (
	"net/netip"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The first and the last address of every network of IANA's special-purpose registries and of multicast, and the
// addresses next to them, where those are of another kind.
var special = []struct {
	network, first, last string
	reserved             bool
	before, after        string // public neighbours, where there are
}{
	{"this network", "0.0.0.0", "0.255.255.255", true, "", "1.0.0.0"},
	{"private use", "10.0.0.0", "10.255.255.255", true, "9.255.255.255", "11.0.0.0"},
	{"shared address space", "100.64.0.0", "100.127.255.255", true, "100.63.255.255", "100.128.0.0"},
	{"loopback", "127.0.0.0", "127.255.255.255", true, "126.255.255.255", "128.0.0.0"},
	{"link local", "169.254.0.0", "169.254.255.255", true, "169.253.255.255", "169.255.0.0"},
	{"private use", "172.16.0.0", "172.31.255.255", true, "172.15.255.255", "172.32.0.0"},
	{"protocol assignments", "192.0.0.0", "192.0.0.8", true, "191.255.255.255", "192.0.0.9"},
	{"port control protocol and TURN anycast", "192.0.0.9", "192.0.0.10", false, "", ""},
	{"protocol assignments, the rest", "192.0.0.11", "192.0.0.255", true, "192.0.0.10", "192.0.1.0"},
	{"documentation", "192.0.2.0", "192.0.2.255", true, "192.0.1.255", "192.0.3.0"},
	{"AS112", "192.31.196.0", "192.31.196.255", false, "", ""},
	{"AMT", "192.52.193.0", "192.52.193.255", false, "", ""},
	{"6to4 relays, deprecated", "192.88.99.0", "192.88.99.255", false, "", ""},
	{"private use", "192.168.0.0", "192.168.255.255", true, "192.167.255.255", "192.169.0.0"},
	{"direct delegation AS112", "192.175.48.0", "192.175.48.255", false, "", ""},
	{"benchmarks", "198.18.0.0", "198.19.255.255", true, "198.17.255.255", "198.20.0.0"},
	{"documentation", "198.51.100.0", "198.51.100.255", true, "198.51.99.255", "198.51.101.0"},
	{"documentation", "203.0.113.0", "203.0.113.255", true, "203.0.112.255", "203.0.114.0"},
	{"multicast", "224.0.0.0", "239.255.255.255", true, "223.255.255.255", ""},
	{"reserved", "240.0.0.0", "255.255.255.254", true, "", ""},
	{"limited broadcast", "255.255.255.255", "255.255.255.255", true, "", ""},

	{"unspecified", "::", "::", true, "", ""},
	{"loopback", "::1", "::1", true, "", ""},
	{"IPv4-mapped, private", "::ffff:10.0.0.0", "::ffff:10.255.255.255", true, "::ffff:9.255.255.255", "::ffff:11.0.0.0"},
	{"IPv4-compatible, deprecated", "::8.8.8.8", "::8.8.8.8", true, "", ""},
	{"translation", "64:ff9b::1.1.1.1", "64:ff9b::8.8.8.8", false, "", ""},
	{"translation, of private addresses", "64:ff9b::10.0.0.0", "64:ff9b::10.255.255.255", true, "64:ff9b::9.255.255.255", "64:ff9b::11.0.0.0"},
	{"translation, local use", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"discard only", "100::", "100::ffff:ffff:ffff:ffff", true, "", ""},
	{"dummy prefix", "100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", true, "", ""},
	{"Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", true, "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1::1"},
	{"port control protocol, TURN and DNS-SD anycast", "2001:1::1", "2001:1::3", false, "", ""},
	{"protocol assignments, the rest", "2001:1::4", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"benchmarks", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"AMT", "2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", false, "", ""},
	{"AS112", "2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", false, "", ""},
	{"ORCHID, deprecated", "2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"ORCHIDv2", "2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", false, "", ""},
	{"drone remote identification", "2001:30::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", false, "", ""},
	{"protocol assignments, the end", "2001:40::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", true, "", "2001:200::"},
	{"documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
	{"6to4", "2002:101:101::", "2002:808:808::1", false, "", ""},
	{"6to4 of private addresses", "2002:a00::", "2002:aff:ffff:ffff:ffff:ffff:ffff:ffff", true, "2002:9ff:ffff::", "2002:b00::"},
	{"AS112", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", false, "", ""},
	{"documentation", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", true, "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
	{"not assigned", "4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
	{"segment routing", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"link local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"site local, deprecated", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, "", ""},
	{"link local, with a zone", "fe80::1%eth0", "fe80::1%eth0", true, "", ""},
}

func TestReservedAddresses(t *testing.T) {
	t.Parallel()
	for _, s := range special {
		for text, want := range map[string]bool{s.first: s.reserved, s.last: s.reserved, s.before: false, s.after: false} {
			if text == "" {
				continue
			}
			if got := lookup.IsReserved(netip.MustParseAddr(text)); got != want {
				t.Errorf("%s (%s): reserved %v, want %v", text, s.network, got, want)
			}
		}
	}
}

func TestReservedNetworks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"10.0.0.0/8": true, "10.1.0.0/16": true, "10.0.0.0/7": false, "0.0.0.0/0": false, "192.0.0.0/24": false, "192.0.0.128/25": true, "198.51.100.7/32": true, "8.8.8.0/24": false,
		"fc00::/7": true, "fe80::/10": true, "::/0": false, "2001:db8::/32": true, "2001:db8::/31": false, "2001::/23": false, "2600::/12": false,
	} {
		if got := lookup.IsReservedNetwork(netip.MustParsePrefix(text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// TestAReservedNetworkIsOneOfReservedAddresses compares with a walk over the addresses of small networks, at the ends of
// the special ones.
func TestAReservedNetworkIsOneOfReservedAddresses(t *testing.T) {
	t.Parallel()
	ends := []string{
		"::ffff:10.0.0.0", "::ffff:8.8.8.8", "::fffe:ffff:ffff", "64:ff9b::10.0.0.0", "64:ff9b::8.8.8.8", "64:ff9b::a00:0", "2002:a00::", "2002:808:808::1", "2002:aff:ffff::",
		"192.0.0.8", "2001:1::", "2001:20::", "9.255.255.254", "11.0.0.0", "8.8.8.8", "2600::", "ff02::1",
	}
	for _, s := range special {
		ends = append(ends, s.first, s.last)
	}
	found := map[bool]int{}
	for _, end := range ends {
		addr := netip.MustParseAddr(end)
		for _, near := range []netip.Addr{addr.Prev(), addr, addr.Next()} {
			for length := near.BitLen() - 6; near.IsValid() && length <= near.BitLen(); length++ {
				network := netip.PrefixFrom(near, length).Masked()
				want := true
				for a := network.Addr(); want && network.Contains(a); a = a.Next() {
					want = lookup.IsReserved(a)
				}
				if got := lookup.IsReservedNetwork(network); got != want {
					t.Errorf("%v: got %v", network, got)
				}
				found[want]++
			}
		}
	}
	if found[true] == 0 || found[false] == 0 {
		t.Errorf("%v", found)
	}
}

func TestReservedAddressesAreSentNowhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		for _, source := range []lookup.Source{lookup.Auto, lookup.Shodan, lookup.InternetDB} {
			cfg := withKey(sim)
			cfg.Source = source
			var list []lookup.Question
			for _, s := range special {
				if s.reserved {
					list = append(list, lookup.Question{Addr: netip.MustParseAddr(s.first)}, lookup.Question{Addr: netip.MustParseAddr(s.last), Banners: true})
				}
			}
			for i, a := range lookUp(t.Context(), t, start(t, cfg), list...) {
				if a != (lookup.Answer{Status: lookup.Reserved}) {
					t.Errorf("%v: %+v", list[i].Addr, a)
				}
			}
		}
		if n := sim.Count(""); n > 0 {
			t.Errorf("%d requests: %v", n, sim.Requests())
		}
	})
}

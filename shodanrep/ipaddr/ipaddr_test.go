package ipaddr_test

import (
	"net/netip"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"198.51.100.66":             "198.51.100.66/32",
		" 198.51.100.66\n":          "198.51.100.66/32",
		"::ffff:198.51.100.66":      "198.51.100.66/32",
		"::ffff:198.51.100.66%eth0": "198.51.100.66/32",
		"::ffff:198.51.100.66/128":  "198.51.100.66/32",
		"::ffff:198.51.100.0/120":   "198.51.100.0/24",
		"::ffff:0:0/90":             "::ffff:0.0.0.0/90",
		"198.51.100.66/24":          "198.51.100.66/24",
		"fe80::1%eth0":              "fe80::1/128",
		"2001:DB8::/32":             "2001:db8::/32",
		"":                          "",
		"198.51.100":                "",
		"198.51.100.66/33":          "",
		"example.com":               "",
	} {
		got, ok := ipaddr.Parse(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: got %v, %v", text, got, ok)
		}
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"::ffff:198.51.100.66":    "198.51.100.66",
		"64:ff9b::198.51.100.66":  "198.51.100.66",
		"64:ff9b::c633:6442%eth0": "198.51.100.66",
		"64:ff9b::1:c633:6442":    "64:ff9b::1:c633:6442",
		"64:ff9b:1::c633:6442":    "64:ff9b:1::c633:6442", // local use: only its network knows where the IPv4 address is
		"2002:c633:6442::1":       "2002:c633:6442::1",
		"fe80::1%eth0":            "fe80::1",
		"198.51.100.66":           "198.51.100.66",
	} {
		if got := ipaddr.Host(netip.MustParseAddr(text)); got.String() != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestTunnelled(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2002:c633:6442::1":                    "6to4 198.51.100.66",
		"2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo 192.0.2.45", // the example of RFC 4380, 5.2.1
		"2001:db8::1":                          " invalid IP",
		"198.51.100.66":                        " invalid IP",
	} {
		end, protocol := ipaddr.Tunnelled(netip.MustParseAddr(text))
		if got := protocol + " " + end.String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

package ipaddr_test

import (
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

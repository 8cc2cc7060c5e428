package iptext

import (
	"strings"
	"testing"
)

// Routers print a mask after a blank. It is no address that anybody asks about.
func TestAMaskAfterBlanksMakesANetwork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"198.51.100.0 255.255.255.0":                                 "198.51.100.0/24",
		"198.51.100.66\t 255.255.255.0":                              "198.51.100.0/24",
		"permit ip 198.51.100.0 0.0.0.255 203.0.113.0 0.0.0.127 any": "198.51.100.0/24 203.0.113.0/25",
		"route 11.0.0.0 255.0.0.0 198.51.100.1":                      "11.0.0.0/8 198.51.100.1",

		"11.0.0.0 198.51.100.1 255.255.255.0": "11.0.0.0 198.51.100.1 255.255.255.0", // the mask of the first column
		"198.51.100.1 255.255.255.255":        "198.51.100.1 255.255.255.255",
		"198.51.100.1 0.0.0.0":                "198.51.100.1 0.0.0.0",
		"198.51.100.1 255.0.255.0":            "198.51.100.1 255.0.255.0",
		"198.51.100.1 0.0.0.5":                "198.51.100.1 0.0.0.5",
		"198.51.100.1 63.255.255.255":         "198.51.100.1 63.255.255.255", // a host
		"198.51.100.1\n255.255.255.0":         "198.51.100.1 255.255.255.0",
		"198.51.100.1,255.255.255.0":          "198.51.100.1 255.255.255.0",
		"255.255.255.0":                       "255.255.255.0",
	} {
		var got []string
		for m := range Find([]byte(text)) {
			if m.Prefix.IsSingleIP() {
				got = append(got, m.Prefix.Addr().String())
			} else {
				got = append(got, m.Prefix.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

package history

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// TestFormsOfAResponseDoNotAlternate has a host that says nothing of itself but in its banners, looked up with banners
// and without, one after the other: nothing of it has changed.
func TestFormsOfAResponseDoNotAlternate(t *testing.T) {
	banner := `{"port": 22, "transport": "tcp", "timestamp": "2026-03-01T00:00:00", "os": "Linux", "org": "Example", "isp": "Example ISP",
		"asn": "AS64500", "hostnames": ["a.example.com"], "domains": ["example.com"], "location": {"country_code": "NL", "city": "Delft"}, "data": ""}`
	response := func(general string, ports string, banners string) *shodan.Host {
		return parsed(t, `{"ip_str": "192.0.2.1", %s "ports": [%s], "tags": [], "last_update": "2026-03-01T00:00:00"%s}`, general, ports, banners)
	}
	forms := map[string]func() *shodan.Host{
		"full":     func() *shodan.Host { return response("", "22", `, "data": [`+banner+`]`) },
		"minified": func() *shodan.Host { return response("", "22", "") },
		"minified with null": func() *shodan.Host {
			return response(`"os": null, "org": null, "hostnames": null,`, "22", `, "data": []`)
		},
		"minified with org":   func() *shodan.Host { return response(`"org": "Example",`, "22", "") },
		"minified, other org": func() *shodan.Host { return response(`"org": "Other",`, "22", "") },
		"minified, a port":    func() *shodan.Host { return response("", "22, 80", "") },
		"full, a port":        func() *shodan.Host { return response("", "22, 80", `, "data": [`+banner+`]`) },
	}
	tests := []struct {
		forms string
		want  string // checks, organization, system and ports of each state
	}{
		{"full/minified/full/minified", "x4 Example Linux [22]"},
		{"minified/full/minified/full", "x4 Example Linux [22]"},
		{"full/minified with null/minified with org/full", "x4 Example Linux [22]"},
		{"minified with org/full/minified", "x3 Example Linux [22]"},
		{"minified/minified/full", "x3 Example Linux [22]"},
		{"full/minified, other org/full", "x1 Example Linux [22]; x1 Other Linux [22]; x1 Example Linux [22]"},
		{"full/minified, a port/full, a port/minified, a port/full", "x1 Example Linux [22]; x3 Example Linux [22 80]; x1 Example Linux [22]"},
	}
	places(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		for n, tt := range tests {
			addr := []netip.Addr{address(n)} // each has its own, so that one store will do
			t.Run(strings.ReplaceAll(tt.forms, "/", " then "), func(t *testing.T) {
				for n, form := range strings.Split(tt.forms, "/") {
					record1(t, s, addr[0], "shodan", forms[form](), day(float64(n)))
				}
				all := states(t, s, Filter{Addrs: addr})
				var got []string
				for _, state := range all {
					got = append(got, fmt.Sprintf("x%d %s %s %v", state.Checks, state.Host.Organization, state.Host.OS, []int(state.Host.Ports)))
				}
				if text := strings.Join(got, "; "); text != tt.want {
					t.Errorf("got %s, want %s", text, tt.want)
				}
				for i := range all[1:] {
					if changes := Compare(&all[i], all[i+1]); len(changes) == 0 {
						t.Errorf("state %d is no change of the one before", i+1)
					}
				}
				// The order in which sightings are written does not matter.
				for n, form := range slices.Backward(strings.Split(tt.forms, "/")) {
					record1(t, s, addr[0], "internetdb", forms[form](), day(float64(n)))
				}
				if got := states(t, s, Filter{Addrs: addr, Sources: []string{"internetdb"}}); len(got) != len(all) {
					t.Errorf("backwards: %v", shown(got))
				}
			})
		}
	})
}

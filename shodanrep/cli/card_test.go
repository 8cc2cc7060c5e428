package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A card says what a response does not say: a host of which only the ports are known must not look like one with nothing
// to hide.
func TestACardSaysWhatIsNotKnown(t *testing.T) {
	const banner = `{"port": 443, "transport": "tcp", "product": "nginx"}`
	for name, test := range map[string]struct{ ports, data, want string }{
		"no banner":          {"[443, 4444]", "[]", "  Open ports    443, 4444\n  Not known     what answers there, and what only that shows: the response has no banners\n"},
		"a banner of one":    {"[443, 4444]", "[" + banner + "]", "  Services      443/tcp  nginx\n  Not known     what answers on the open port 4444: the response has no banner of it\n"},
		"several without":    {"[80, 443, 4444]", "[" + banner + "]", "  Not known     what answers on the open ports 80, 4444: the response has no banners of them\n"},
		"a banner of each":   {"[443]", "[" + banner + "]", ""},
		"no ports":           {"[]", "[]", ""},
		"a port and no more": {"[443]", `[{"port": 443}]`, "  Services      443/tcp\n"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := shodantest.New(t)
			sim.Fault(shodantest.Fault{Target: "11.0.7.2", Body: fmt.Sprintf(`{"ip_str": "11.0.7.2", "last_update": "2026-01-02T03:04:05", "ports": %s, "org": "%s", "data": %s}`,
				test.ports, strings.Repeat("long ", 4000), test.data)})
			got := runCheck(t, to(sim, fmt.Sprintf("api_key = %q\n", shodantest.Key)), "", "check", "11.0.7.2")
			if got.status != exitDone || !strings.Contains(got.stdout, test.want) || strings.Contains(got.stdout, "Not known") != strings.Contains(test.want, "Not known") {
				t.Errorf("status %d, %s%s", got.status, got.stdout, got.stderr)
			}
			if len(got.stdout) > 2000 {
				t.Errorf("the card has %d bytes", len(got.stdout))
			}
		})
	}
}

package cli

import (
	"encoding/json"
	"fmt"
	"maps"
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

// The owner of a host chooses what its services answer. Whatever is long there, the verdict stays on the screen.
func TestNoTextOfAHostMakesACardLong(t *testing.T) {
	long, many := strings.Repeat("A", 20_000), make([]string, 5_000)
	for i := range many {
		many[i] = fmt.Sprintf("t%d", i)
	}
	for name, banner := range map[string]map[string]any{
		"a program":     {"product": "Cobalt Strike Beacon " + long, "version": long},
		"a module":      {"port": 3306, "product": "MySQL", "_shodan": map[string]any{"module": "mysql " + long}},
		"a host name":   {"hostnames": []string{"tor-exit." + long}},
		"a tag":         {"tags": []string{"c2", long}},
		"many tags":     {"tags": many},
		"a page":        {"http": map[string]any{"title": "Index of / " + long, "server": long}, "product": "phpMyAdmin " + long},
		"a certificate": {"ssl": map[string]any{"cert": map[string]any{"subject": map[string]any{"CN": long}, "issuer": map[string]any{"CN": long}, "expired": true}}},
		"organizations": {"org": "VPN " + long, "isp": "Tor exit " + long, "asn": "AS" + long},
		"a location":    {"location": map[string]any{"city": long, "country_name": long, "country_code": long}},
		"a system":      {"os": "Windows Server 2003 " + long, "devicetype": "router " + long},
		"an identifier": {"vulns": map[string]any{"MS17-010" + long: map[string]any{"kev": true, "verified": true}}, "cpe": []string{"cpe:/a:" + long}},
	} {
		all := map[string]any{"ip_str": "11.0.0.1", "port": 443, "transport": "tcp", "timestamp": "2026-01-31T06:00:00"}
		maps.Copy(all, banner)
		line, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		got := runCheck(t, fmt.Sprintf("data_files = [%q]\nsource = \"dataset\"\n", writeFile(t, "hosts.json", string(line)+"\n")), "", "check", "11.0.0.1")
		if got.status != exitDone || !strings.Contains(got.stdout, "\n1 address by the policy extended") || len(got.stdout) > 2500 {
			t.Errorf("%s: status %d, %d bytes: %.300s%s", name, got.status, len(got.stdout), got.stdout, got.stderr)
		}
	}
}

package shodantest_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// python is the interpreter for which Debian's python3-shodan is installed.
const python = "/usr/bin/python3"

// TestShodansOwnClientUnderstandsTheSimulator sends requests with python3-shodan, which Shodan writes for its own
// service, and so knows nothing of the simulator.
func TestShodansOwnClientUnderstandsTheSimulator(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import shodan").CombinedOutput(); err != nil {
		t.Skipf("%s cannot import shodan; install it with: apt-get install python3-shodan (%v: %s)", python, err, bytes.TrimSpace(out))
	}
	// A search with a filter, the second page that a cursor looks for, and the names of a domain cost a credit each:
	// the last search has none.
	sim := shodantest.New(t, shodantest.WithPlan("corp"), shodantest.WithCredits(3),
		shodantest.WithAnotherKey("free", "oss"), shodantest.WithAnotherKey("dev", "dev"))
	host := oneHost
	host.History = []map[string]any{{"port": 21}}
	sim.AddHost(host)
	sim.AddHost(shodantest.Host{IP: "2001:db8::1", Ports: []int{53}})

	root := strings.TrimSuffix(sim.APIURL(), shodantest.APIPath) // the client takes no base path from Shodan's own address
	cmd := exec.CommandContext(t.Context(), python, "testdata/client.py", root, shodantest.Key)
	cmd.Env = append(os.Environ(), "NO_PROXY=*", "PYTHONWARNINGS=ignore", "PYTHONDONTWRITEBYTECODE=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	answers := object(t, string(out))

	for name, path := range map[string]string{
		"host":            "/shodan/host/192.0.2.1?{key}",
		"minified":        "/shodan/host/192.0.2.1?minify=true&{key}",
		"history":         "/shodan/host/192.0.2.1?history=true&{key}",
		"ipv6":            "/shodan/host/2001:db8::1?{key}",
		"info":            "/api-info?{key}",
		"free plan, info": "/api-info?key=free",
		"count":           "/shodan/host/count?query=port:22&facets=country&{key}",
		"tokens":          "/shodan/host/search/tokens?query=ssh+port:22&{key}",
		"protocols":       "/shodan/protocols?{key}",
	} {
		resp, body := getPath(t, sim, path)
		if resp.StatusCode != 200 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
		want, got := object(t, body), answers[name]
		if name == "info" { // asked before credits were spent
			for _, key := range []string{"query_credits", "unlocked_left"} {
				want[key] = 3.0
			}
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, want := range map[string]string{
		"unknown":         "No information available for that IP.",
		"invalid":         "Invalid IP",
		"malformed":       "The search request timed out or your query was invalid.",
		"bad key":         "Invalid API key",
		"bad key, info":   "Invalid API key",
		"free plan":       "Access denied (403 Forbidden)",
		"dev plan, hosts": "Access denied (403 Forbidden)",
		"no credits":      "Insufficient query credits, please upgrade your API plan or wait for the monthly limit to reset",
		"myip":            "127.0.0.1",
		"cursor":          "[22]",
	} {
		if got := fmt.Sprint(answers[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}

	hosts, ok := answers["hosts"].([]any)
	if !ok || len(hosts) != 2 || !cmp.Equal(hosts[0], answers["host"]) || !cmp.Equal(hosts[1], answers["ipv6"]) {
		t.Errorf("the hosts are %v", answers["hosts"])
	}
	search, ok := answers["search"].(map[string]any)
	if !ok || search["total"] != 3.0 || len(search["matches"].([]any)) != 3 || search["facets"] == nil {
		t.Errorf("the search found %v", answers["search"])
	}
	domain, ok := answers["domain"].(map[string]any)
	if !ok || !slices.Equal(slices.Sorted(maps.Keys(domain)), []string{"data", "domain", "more", "subdomains", "tags"}) {
		t.Errorf("the domain is %v", answers["domain"])
	}
	if ports, ok := answers["ports"].([]any); !ok || len(ports) < 10 {
		t.Errorf("the ports are %v", answers["ports"])
	}
}

package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// crowd is n hosts of one organization in one autonomous system, from 11.0.1.0 on.
func crowd(t *testing.T, n int) *shodantest.Simulator {
	t.Helper()
	sim := shodantest.New(t)
	for i := range n {
		sim.AddHost(shodantest.Host{
			IP: fmt.Sprintf("11.0.%d.%d", 1+i/256, i%256), Org: "Example Crowd", ASN: "AS64501",
			Banners: []map[string]any{{"port": 22, "transport": "tcp", "data": fmt.Sprint(i)}},
		})
	}
	return sim
}

// How many hosts are found, and what that costs, is what the flags say, whatever the correlation_limit of the connection.
func TestRelatedSpendsNoMoreThanMaxCredits(t *testing.T) {
	for name, test := range map[string]struct {
		args           []string
		fault          *shodantest.Fault
		credits, hosts int
	}{
		// The 101st service, which the address itself would make room for, would cost another credit.
		"a page for a credit": {args: []string{"--pivots", "organization", "--max-credits", "1"}, credits: 1, hosts: 99},
		"several pages":       {args: []string{"--pivots", "organization", "--max-credits", "2", "--limit", "200"}, credits: 2, hosts: 199},
		// Both pages are paid for, and the rest does not suffice for the other value.
		"a search that fails": {
			args:    []string{"--pivots", "organization,asn", "--max-credits", "3", "--limit", "200"},
			fault:   &shodantest.Fault{Endpoint: shodantest.EndpointSearch, Target: `org:"Example Crowd"`, Skip: 1, Status: 400, Body: `{"error": "x"}`},
			credits: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim := crowd(t, 250)
			status := exitDone
			if test.fault != nil {
				sim.Fault(*test.fault)
				status = exitFailed
			}
			before := sim.Credits(shodantest.Key)
			for _, limit := range []int{20, 1000} {
				connection := to(sim, fmt.Sprintf("api_key = %q\ncorrelation_limit = %d", shodantest.Key, limit))
				args := append([]string{"11.0.1.0", "--output", "jsonl", "--no-cache"}, test.args...)
				stdout, stderr, got := runRelated(t, connection, args...)
				spent := before - sim.Credits(shodantest.Key)
				if hosts := strings.Count(stdout, "\n"); got != status || spent != test.credits || hosts != test.hosts {
					t.Errorf("correlation_limit %d: exit status %d, %d credits, %d hosts: %s", limit, got, spent, hosts, stderr)
				}
				if test.fault != nil {
					return // it is over
				}
				before -= spent
			}
		})
	}
}

// Each member of an aggregator would pay for the same search.
func TestRelatedRefusesAnAggregator(t *testing.T) {
	spc := writeFile(t, "all.spc", `
connection "all" {
  plugin      = "shodanrep"
  type        = "aggregator"
  connections = ["one"]
}
connection "one" {
  plugin = "shodanrep"
}
`)
	var stdout, stderr bytes.Buffer
	status := Main([]string{"related", "--config", spc, "11.0.1.0"}, strings.NewReader(""), &stdout, &stderr)
	if want := "shodanrep: all is an aggregator of connections: choose one with --connection\n"; status != exitFailed || stderr.String() != want {
		t.Errorf("exit status %d: %q", status, stderr.String())
	}
}

// A reader that goes away early does not make a search that failed before a success.
func TestRelatedFailsAlsoIfNobodyReadsTheRest(t *testing.T) {
	sim := crowd(t, 3)
	sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Status: 400, Body: `{"error": "x"}`})
	connection := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key))
	spc := writeFile(t, "test.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+shodantest.Patient(connection)+"\n}\n")
	var stderr bytes.Buffer
	status := Main([]string{"related", "--config", spc, "--pivots", "organization", "11.0.1.0"}, strings.NewReader(""), closedPipe{}, &stderr)
	if want := "searching for org:\"Example Crowd\" failed"; status != exitFailed || !strings.Contains(stderr.String(), want) {
		t.Errorf("exit status %d: %q", status, stderr.String())
	}
}

package shodanrep_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// readsHistory are the tables whose examples need a history store: the addresses of the examples can never be looked up.
var readsHistory = []string{"shodan_reputation_change", "shodan_reputation_history"}

// historyConfig is a configuration with a history in which some of the sample's addresses change.
func historyConfig(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	location := filepath.Join(dir, "history.sqlite")
	store := history.Open(history.Options{Location: location})
	type facts struct {
		Ports []int    `json:"ports"`
		Vulns []string `json:"vulns"`
		Tags  []string `json:"tags"`
	}
	vulns := make([]string, 13)
	for i := range vulns {
		vulns[i] = fmt.Sprintf("CVE-2021-%04d", i+1)
	}
	const hour = time.Hour
	for _, o := range []struct {
		ip  string
		ago time.Duration
		facts
	}{
		{"198.51.100.66", 100 * hour, facts{Ports: []int{443}}},
		{"198.51.100.66", 50 * hour, facts{Ports: []int{443, 3389}}},
		{"198.51.100.66", 2 * hour, facts{Ports: []int{443, 3389, 6667}, Vulns: vulns, Tags: []string{"compromised"}}},
		{"203.0.113.10", 2 * hour, facts{Ports: []int{8080}, Vulns: vulns, Tags: []string{"c2"}}},
		{"192.0.2.80", 100 * hour, facts{Ports: []int{443}}},
		{"192.0.2.81", 100 * hour, facts{Ports: []int{443}}},
	} {
		body, err := json.Marshal(map[string]any{"ip": o.ip, "ports": o.Ports, "vulns": append([]string{}, o.Vulns...), "tags": append([]string{}, o.Tags...), "hostnames": []string{}, "cpes": []string{}})
		if err != nil {
			t.Fatal(err)
		}
		host, err := shodan.ParseInternetDB(body)
		if err != nil {
			t.Fatal(err)
		}
		store.Record(history.Observation{Addr: netip.MustParseAddr(o.ip), Source: string(lookup.InternetDB), Host: host, CheckedAt: time.Now().Add(-o.ago)})
	}
	for ip, ago := range map[string]time.Duration{"192.0.2.81": hour, "192.0.2.82": 30 * hour} { // the second one has only failed
		store.RecordFailure(netip.MustParseAddr(ip), string(lookup.InternetDB), "InternetDB did not respond within 10s", time.Now().Add(-ago))
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "history.spc")
	text := fmt.Sprintf("connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n  cache = \"memory\"\n  history_store = %q\n}\n", location)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

package cli

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The hosts of the tests: one with nothing against it, and one that the policies call high or worse.
var (
	goodPorts = []int{443}
	badPorts  = []int{443, 3389, 4444}
	badVulns  = []string{
		"CVE-2021-0001", "CVE-2021-0002", "CVE-2021-0003", "CVE-2021-0004", "CVE-2021-0005", "CVE-2021-0006",
		"CVE-2021-0007", "CVE-2021-0008", "CVE-2021-0009", "CVE-2021-0010", "CVE-2021-0011",
	}
)

// historyOf is a connection to simulated services with a history store in a folder of the test.
func historyOf(t *testing.T, sim *shodantest.Simulator, arguments ...string) (connection, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "history.sqlite")
	return to(sim, append(arguments, fmt.Sprintf("history_store = %q\n", path))...), path
}

// record puts responses of InternetDB into a history store, each at a time before now. A host without ports is not
// indexed.
func record(t *testing.T, path, ip string, ago time.Duration, source string, ports []int, vulns ...string) {
	t.Helper()
	store := history.Open(history.Options{Location: path})
	o := history.Observation{Addr: netip.MustParseAddr(ip), Source: source, CheckedAt: time.Now().Add(-ago)}
	if ports != nil {
		body, err := json.Marshal(map[string]any{"ip": ip, "ports": ports, "vulns": vulns, "tags": []string{}, "hostnames": []string{}, "cpes": []string{}})
		if err == nil {
			o.Host, err = shodan.ParseInternetDB(body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	store.Record(o)
	if err := store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// jsonLines decodes JSON lines, and keeps some fields of each.
func jsonLines(t *testing.T, text string, fields ...string) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		var values []string
		for _, field := range fields {
			value, ok := object[field]
			if !ok {
				t.Fatalf("no field %s in %s", field, line)
			}
			if value == nil {
				value = "-"
			}
			values = append(values, fmt.Sprint(value))
		}
		lines = append(lines, strings.Join(values, " "))
	}
	return lines
}

// TestChangesOfAHostBetweenTwoRuns is the main job: check, something changes, check again, what has changed?
func TestChangesOfAHostBetweenTwoRuns(t *testing.T) {
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: "203.0.114.10", Ports: goodPorts})
	sim.AddHost(shodantest.Host{IP: "203.0.114.11", Ports: goodPorts})
	connection, _ := historyOf(t, sim)
	check := func() {
		if got := runCheck(t, connection, "", "check", "--refresh", "--output", "list", "203.0.114.10", "203.0.114.11"); got.status != exitDone {
			t.Fatal(got)
		}
	}
	check()
	sim.AddHost(shodantest.Host{IP: "203.0.114.10", Ports: badPorts, Vulns: badVulns, Tags: []string{"c2"}})
	check()
	requests := len(sim.Requests())

	got := runCheck(t, connection, "", "changes", "--output", "jsonl", "--policy", "baseline")
	if got.status != exitDone || got.stderr != "" {
		t.Fatal(got)
	}
	want := []string{
		"203.0.114.10 level - low - low false", "203.0.114.10 indexed - 443 - low false",
		"203.0.114.10 level low critical low critical true",
		"203.0.114.10 port_opened - 3389 low critical true", "203.0.114.10 port_opened - 4444 low critical true",
	}
	for _, id := range badVulns {
		want = append(want, "203.0.114.10 vulnerability_added - "+id+" low critical true")
	}
	want = append(want, "203.0.114.10 tag_added - c2 low critical true", "203.0.114.11 level - low - low false", "203.0.114.11 indexed - 443 - low false")
	if diff := cmp.Diff(want, jsonLines(t, got.stdout, "ip", "change", "old_value", "new_value", "old_level", "level", "is_worse")); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	got = runCheck(t, connection, "", "changes", "--only", "worse", "--output", "list")
	if got.stdout != "203.0.114.10\n" || got.status != exitDone {
		t.Error(got)
	}
	rows := query(t, connection, "select ip, level, checks, is_newest from shodan_reputation_history where policy = 'baseline' order by ip, first_checked")
	if diff := cmp.Diff([]map[string]any{
		{"ip": "203.0.114.10", "level": "low", "checks": 1.0, "is_newest": false}, {"ip": "203.0.114.10", "level": "critical", "checks": 1.0, "is_newest": true},
		{"ip": "203.0.114.11", "level": "low", "checks": 2.0, "is_newest": true},
	}, rows); diff != "" {
		t.Errorf("the table: want (-), got (+): %s", diff)
	}
	if now := len(sim.Requests()); now != requests {
		t.Errorf("%d requests were sent to read the past", now-requests)
	}
}

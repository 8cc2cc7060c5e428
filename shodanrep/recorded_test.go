package shodanrep

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// recordedStart is the day 0 of the tests of the tables that read the history store.
var recordedStart = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -100)

func recordedDay(n int) time.Time { return recordedStart.AddDate(0, 0, n) }

// manyVulns is a list of 12 vulnerabilities, which both policies call at least high.
var manyVulns = func() (vulns []string) {
	for i := range 12 {
		vulns = append(vulns, fmt.Sprintf("CVE-2021-%04d", i+1))
	}
	return vulns
}()

// A recorded response is what a source said of an address on a day. It is not indexed if ports are nil.
type recorded struct {
	ip, source string
	day        int
	ports      []int
	vulns      []string
}

// recordedPast are the responses of the tests.
var recordedPast = []recorded{
	{"203.0.114.1", "internetdb", 1, []int{443}, nil},
	{"203.0.114.1", "internetdb", 2, []int{443}, nil},
	{"203.0.114.1", "internetdb", 5, []int{443, 8080}, manyVulns},
	{"203.0.114.1", "shodan", 6, []int{443}, nil},
	{"203.0.114.1", "shodan", 7, []int{443, 22}, nil},
	{"203.0.114.2", "internetdb", 3, []int{80}, manyVulns},
	{"203.0.114.2", "internetdb", 4, nil, nil},
	{"2001:db9::1", "internetdb", 5, nil, nil},
}

// withPast is a connection with a history store that has responses.
func withPast(t *testing.T, location string, all ...recorded) server {
	t.Helper()
	store := history.Open(history.Options{Location: location})
	for _, r := range all {
		o := history.Observation{Addr: netip.MustParseAddr(r.ip), Source: r.source, CheckedAt: recordedDay(r.day)}
		if r.ports != nil {
			body, err := json.Marshal(map[string]any{"ip": r.ip, "ports": r.ports, "vulns": append([]string{}, r.vulns...), "tags": []string{}, "hostnames": []string{}, "cpes": []string{}})
			if err == nil {
				o.Host, err = shodan.ParseInternetDB(body)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		store.Record(o)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return mustConnect(t, fmt.Sprintf("internetdb_url = \"http://127.0.0.1:9\"\ncache = \"off\"\nhistory_store = %q\n", location))
}

// recordedHere is a history store in a folder of the test.
func recordedHere(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "history.sqlite")
}

// A recordedFailure is a lookup of an address by a source that failed on a day.
type recordedFailure struct {
	ip, source string
	day        int
	reason     string
}

// recordFailures adds failed lookups to a history store.
func recordFailures(t *testing.T, location string, all ...recordedFailure) {
	t.Helper()
	store := history.Open(history.Options{Location: location})
	for _, f := range all {
		store.RecordFailure(netip.MustParseAddr(f.ip), f.source, f.reason, recordedDay(f.day))
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

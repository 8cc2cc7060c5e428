package scan

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	_ "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest" // waits as long as a busy machine needs
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// checkStored records hosts in a history, and compares what a policy sees of the stored ones with what it sees of them.
func checkStored(t *testing.T, source lookup.Source, hosts []*shodan.Host) {
	t.Helper()
	store := history.Open(history.Options{Location: filepath.Join(t.TempDir(), "history.sqlite")})
	defer store.Close()
	now := time.Now()
	for _, h := range hosts {
		store.Record(history.Observation{Addr: h.Addr, Source: string(source), Host: h, CheckedAt: now})
		var stored *shodan.Host
		for state, err := range store.States(t.Context(), history.Filter{Addrs: []netip.Addr{h.Addr}}) {
			if err != nil {
				t.Fatal(err)
			}
			if state.Addr == h.Addr && state.LastChecked.Equal(now.UTC().Truncate(time.Microsecond)) {
				stored = state.Host
			}
		}
		if stored == nil {
			t.Errorf("%v is not stored", h.Addr)
			continue
		}
		want := factsOf(h, source, nil, now)
		if len(h.Banners) == 0 && len(h.Ports) > 0 { // minified: that it has no services is not known
			want.Detailed, want.Details, want.PortsOf = false, nil, nil
		}
		if diff := cmp.Diff(want, factsOf(stored, source, nil, now), cmpopts.EquateEmpty(),
			cmpopts.SortSlices(func(a, b string) bool { return a < b }), cmpopts.SortSlices(func(a, b int) bool { return a < b })); diff != "" {
			t.Errorf("%v: a policy sees other facts: %s", h.Addr, diff)
		}
		now = now.Add(time.Millisecond)
	}
}

func TestStoredFactsOfTheSampleAreWhatAPolicySees(t *testing.T) {
	checkStored(t, lookup.Shodan, sampleHosts(t))
	checkStored(t, lookup.InternetDB, []*shodan.Host{mustInternetDB(t, 22), mustInternetDB(t, 23)})
}

func TestStoredFactsOfCapturedHostsAreWhatAPolicySees(t *testing.T) {
	var hosts []*shodan.Host
	err := filepath.WalkDir(captures(t), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var found struct{ Matches []json.RawMessage }
		_ = json.Unmarshal(text, &found)
		if h, err := shodan.ParseHost(text); err == nil && h.Addr.IsValid() {
			hosts = append(hosts, h)
		}
		for _, line := range found.Matches {
			if b, err := shodan.ParseBanner(line); err == nil {
				hosts = append(hosts, shodan.MergeBanners([]shodan.Banner{*b}))
			}
		}
		return nil
	})
	if err != nil || len(hosts) < 50 {
		t.Fatalf("%d hosts, %v", len(hosts), err)
	}
	checkStored(t, lookup.Shodan, hosts)
}

// TestADatabaseIsStillRecognizedWithoutItsResponse stores none of the responses by which a database is recognized.
func TestADatabaseIsStillRecognizedWithoutItsResponse(t *testing.T) {
	var hosts []*shodan.Host
	for i, more := range []string{
		`"data": "HTTP/1.1 200 OK\r\nServer: CouchDB/3.1.1 (Erlang OTP/20)\r\n"`, `"html": "{\"couchdb\":\"Welcome\"}"`,
		`"http": {"html": "{\"tagline\" : \"You Know, for Search\"}"}`, `"data": "HTTP/1.1 204\r\nX-Influxdb-Version: 1.8\r\n"`,
		`"http": {"html": "{\"tagline\": \"The OpenSearch Project: https://opensearch.org/\"}"}`, `"data": "HTTP/1.1 200\r\nX-ClickHouse-Summary: {}\r\n"`,
		`"data": "HTTP/1.1 200 OK\r\n"`,
	} {
		hosts = append(hosts, mustHost(t, fmt.Sprintf(`{"ip_str": "192.0.2.%d", "ports": [9200], "tags": [], "data": [
			{"port": 9200, "transport": "tcp", "timestamp": "2026-05-01T10:00:00", "_shodan": {"module": "http"}, %s}]}`, i+1, more)))
	}
	recognized := 0
	for _, h := range hosts {
		recognized += len(h.Banners[0].Software())
	}
	if recognized != len(hosts)-1 {
		t.Errorf("%d databases, want all but the last", recognized)
	}
	checkStored(t, lookup.Shodan, hosts)
}

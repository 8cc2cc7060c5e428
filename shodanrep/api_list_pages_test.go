package shodanrep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestPagesAreAskedForAsFarAsLimitAsks(t *testing.T) {
	sim := shodantest.New(t, shodantest.WithSavedQueries(1000), shodantest.WithScans(150))
	s := mustConnect(t, withoutCache(sim))
	for name, test := range map[string]struct {
		table          string
		limit          int64
		rows, requests int
	}{
		"a page of queries":               {"shodan_saved_query", 7, 7, 1},
		"a page of queries to the last":   {"shodan_saved_query", 10, 10, 1},
		"two pages of queries":            {"shodan_saved_query", 11, 11, 2},
		"queries up to the most":          {"shodan_saved_query", 0, 500, 50},
		"a limit that is beyond the most": {"shodan_saved_query", 700, 500, 50},
		"a page of scans":                 {"shodan_scan", 100, 100, 1},
		"all scans":                       {"shodan_scan", 0, 150, 2},
	} {
		t.Run(name, func(t *testing.T) {
			before := sim.Count("")
			rows := s.mustRun(t, query{table: test.table, limit: test.limit})
			if requests := sim.Count("") - before; len(rows) != test.rows || requests != test.requests {
				t.Errorf("%d rows of %d requests, want %d of %d", len(rows), requests, test.rows, test.requests)
			}
		})
	}
}

// withoutCache is a connection with a key that keeps nothing from one query to the next.
func withoutCache(sim *shodantest.Simulator) string {
	return keyed(sim) + "cache_ttl = \"1ns\"\n"
}

func TestWhatMovesFromPageToPageIsOneRow(t *testing.T) {
	sim := shodantest.New(t)
	for _, body := range []string{
		`{"matches": [{"query": "a"}, {"query": "b"}], "total": 4}`,
		`{"matches": [{"query": "b"}, {"query": "c"}], "total": 5}`,
		`{"matches": [{"query": "b"}, {"query": "c"}], "total": 5}`, // the same again is the end
	} {
		sim.Fault(shodantest.Fault{Endpoint: "/shodan/query", Times: 1, Body: body})
	}
	rows := mustConnect(t, keyed(sim)).mustRun(t, query{table: "shodan_saved_query"})
	var queries []string
	for _, r := range rows {
		queries = append(queries, r["query"].(string))
	}
	slices.Sort(queries)
	if !slices.Equal(queries, []string{"a", "b", "c"}) || sim.Count("") != 3 {
		t.Errorf("%v of %d requests", queries, sim.Count(""))
	}
}

func TestSecretsOfAnswersAreNotKept(t *testing.T) {
	sim := shodantest.New(t)
	dir := t.TempDir()
	s := mustConnect(t, strings.Replace(keyed(sim), `"memory"`, fmt.Sprintf("%q", filepath.Join(dir, "cache.sqlite")), 1))
	for table := range lists {
		s.mustRun(t, query{table: table})
	}
	scan.Shutdown() // which writes what is not yet written
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatal("nothing is kept", err)
	}
	responses := false // in one of the files; the other one has the rate limits
	for _, file := range files {
		kept, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		responses = responses || strings.Contains(string(kept), "/shodan/protocols")
		for _, secret := range []string{shodantest.Key, shodantest.HookSecret} {
			if strings.Contains(string(kept), secret) {
				t.Errorf("%s has %s", file.Name(), secret)
			}
		}
	}
	if !responses {
		t.Error("no file has what may be kept")
	}
}

func TestWhatIsOfThisMomentIsAskedForAnew(t *testing.T) {
	sim := shodantest.New(t)
	s := mustConnect(t, keyed(sim))
	for table, requests := range map[string]int{
		"shodan_api_info": 2, "shodan_account_profile": 2, "shodan_scan": 2, "shodan_alert": 2,
		"shodan_port": 1, "shodan_protocol": 1, "shodan_service_name": 1, "shodan_search_filter": 2, "shodan_saved_query": 3,
	} {
		before := sim.Count("")
		for range 2 {
			s.mustRun(t, query{table: table})
		}
		if got := sim.Count("") - before; got != requests {
			t.Errorf("%s: %d requests for two queries, want %d", table, got, requests)
		}
	}
	rows := s.mustRun(t, query{table: "shodan_api_info"})
	if rows[0]["requests_spent"] != int64(sim.Count("")) {
		t.Errorf("%v requests are told of %d", rows[0]["requests_spent"], sim.Count(""))
	}
}

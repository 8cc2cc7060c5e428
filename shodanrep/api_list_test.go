package shodanrep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A listedTable asks for an endpoint, and has so many rows on the simulator, or some where that is 0, and one of them
// is known.
type listedTable struct {
	endpoint string
	rows     int
	known    row // found by its title
}

func (l listedTable) counts(rows []row) bool {
	return len(rows) == l.rows || l.rows == 0 && len(rows) > 0
}

// lists are the tables that list what Shodan says of itself and of the account.
var lists = map[string]listedTable{
	"shodan_api_info": {"/api-info", 1, row{
		"plan": "dev", "query_credits": int64(10_000), "query_credits_limit": int64(10_000), "scan_credits": int64(100), "scan_credits_limit": int64(100),
		"monitored_ips": int64(0), "monitored_ips_limit": int64(16), "unlocked": true, "unlocked_left": int64(10_000), "https": false, "telnet": false,
		"usage_limits":        map[string]any{"scan_credits": 100.0, "query_credits": 10_000.0, "monitored_ips": 16.0},
		"query_credits_spent": int64(0), "title": "dev",
	}},
	"shodan_account_profile": {"/account/profile", 1, row{"display_name": nil, "member": true, "credits": int64(0), "created": "2026-01-15T12:00:00Z", "title": "account"}},
	"shodan_port":            {"/shodan/ports", 12, row{"port": int64(22), "title": "22"}},
	"shodan_protocol":        {"/shodan/protocols", 11, row{"name": "ssh", "description": "Grab the banner of ssh", "title": "ssh"}},
	"shodan_service_name":    {"/shodan/services", 10, row{"port": int64(22), "name": "OpenSSH", "title": "22 OpenSSH"}},
	"shodan_search_filter":   {"/shodan/host/search/filters", 0, row{"name": "net", "is_filter": true, "is_facet": false, "title": "net"}},
	"shodan_saved_query": {"/shodan/query", 23, row{
		"search": nil, "sort": nil, "query": `product:"nginx"`, "description": nil, "votes": int64(7), "tags": []any{}, "timestamp": "2026-01-14T12:00:00Z",
		"total": int64(23), "title": "nginx (2)",
	}},
	"shodan_scan": {"/shodan/scans", 2, row{
		"id": "INVENTEDscan0001", "status": "PROCESSING", "size": int64(1), "created": "2026-01-15T12:00:00Z", "status_check": "2026-01-15T12:00:00Z",
		"credits_left": int64(100), "total": int64(2), "title": "INVENTEDscan0001",
	}},
	"shodan_alert": {"/shodan/alert/info", 2, row{
		"id": "INVENTEDalert001", "name": "Office 1", "networks": []any{"192.0.2.0/24", "2001:db8::7"}, "size": int64(257),
		"triggers":  map[string]any{"new_service": map[string]any{}, "malware": map[string]any{"ignore": []any{map[string]any{"ip": "192.0.2.80", "port": 443.0}}}},
		"notifiers": []any{map[string]any{"id": "INVENTEDnotifier", "provider": "webhook", "description": "On call"}},
		"created":   "2026-01-15T12:00:00Z", "expires": int64(0), "expiration": nil, "expired": nil, "title": "Office 1",
	}},
}

func TestListsHaveWhatShodanSays(t *testing.T) {
	sim := shodantest.New(t)
	s := mustConnect(t, keyed(sim))
	for table, want := range lists {
		t.Run(table, func(t *testing.T) {
			rows := s.mustRun(t, query{table: table})
			if !want.counts(rows) {
				t.Errorf("%d rows, want %d", len(rows), want.rows)
			}
			known := maps.Clone(want.known)
			if table == "shodan_api_info" {
				known["requests_spent"] = int64(sim.Count(""))
			}
			if diff := cmp.Diff(known, byTitle(t, rows, known["title"].(string))); diff != "" {
				t.Error(diff)
			}
			if text := fmt.Sprint(rows); strings.Contains(text, shodantest.Key) || strings.Contains(text, shodantest.HookSecret) {
				t.Errorf("a secret is shown: %s", text)
			}
		})
	}
}

func TestListsSayWhyTheyAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spc   func(*shodantest.Simulator) string // keyed where nil, with the fault
		fault shodantest.Fault
		want  string
	}{
		"without a key": {spc: free, want: "needs an API key: set api_key"},
		"with a wrong key": {spc: func(sim *shodantest.Simulator) string {
			return strings.Replace(keyed(sim), shodantest.Key, "WRONGkey", 1)
		}, want: "Shodan refused the API key"},
		"with too low a plan":   {fault: shodantest.Fault{Status: 403, Body: shodantest.BodyPlanTooLow}, want: "needs a plan that allows it"},
		"without credits":       {fault: shodantest.Fault{Status: 401, Body: `{"error": "Insufficient query credits"}`}, want: "no query credits left"},
		"by a page":             {fault: shodantest.Fault{Body: shodantest.BodyChallenge}, want: "Shodan sent no usable response"},
		"by a server's error":   {fault: shodantest.Fault{Status: 502, Body: shodantest.BodyPage(502)}, want: "Shodan sent no usable response"},
		"by half an answer":     {fault: shodantest.Fault{Kind: shodantest.Truncated}, want: "Shodan sent no usable response"},
		"by null":               {fault: shodantest.Fault{Body: `null`}, want: "Shodan sent no usable response"},
		"by a list of odd ones": {fault: shodantest.Fault{Body: `[null, [], {"error": {}}]`}, want: "Shodan sent no usable response"},
		"by odd matches":        {fault: shodantest.Fault{Body: `{"matches": [null, 7], "total": "many"}`}, want: "Shodan sent no usable response"},
	} {
		sim := shodantest.New(t)
		connection := keyed(sim)
		if test.spc != nil {
			connection = test.spc(sim)
		} else {
			sim.Fault(test.fault)
		}
		if strings.Contains(test.want, "sent no usable response") {
			connection += `timeout = "180ms"` // too short for a second try
		}
		s := mustConnect(t, connection) // for all tables: the SDK keeps some 35 MB for each
		for table := range lists {
			if table == "shodan_protocol" && name == "by odd matches" {
				continue // which are an object, and two odd protocols
			}
			t.Run(table+" "+name, func(t *testing.T) {
				rows, err := s.run(t, query{table: table})
				if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), shodantest.Key) || strings.Contains(err.Error(), "WRONG") || strings.Contains(err.Error(), "<") {
					t.Errorf("%d rows, error %v, want %q", len(rows), err, test.want)
				}
			})
		}
	}
}

func TestListsWaitWhereTheyAreLimited(t *testing.T) {
	t.Parallel()
	var waiting sync.WaitGroup // all at once: each waits for a second
	for table, want := range lists {
		sim := shodantest.New(t)
		sim.Fault(shodantest.Fault{Endpoint: want.endpoint, Times: 1, Status: 429, Body: shodantest.BodyRateLimited})
		s := mustConnect(t, keyed(sim))
		waiting.Go(func() {
			if rows, err := s.run(t, query{table: table}); err != nil || !want.counts(rows) || sim.Requests()[0].Status != 429 {
				t.Errorf("%s: %d rows, want %d, error %v", table, len(rows), want.rows, err)
			}
		})
	}
	waiting.Wait()
}

func TestWhatIsMissingOrOddIsNull(t *testing.T) {
	sim := shodantest.New(t)
	s := mustConnect(t, keyed(sim))
	for table, test := range map[string]struct {
		body string
		want []row
	}{
		"shodan_api_info":        {`{"plan": "a\u0000b", "query_credits": null, "https": {}, "usage_limits": {"query_credits": -1, "scan_credits": "7", "other": []}}`, []row{{"plan": "ab", "query_credits_limit": nil, "scan_credits_limit": int64(7), "usage_limits": map[string]any{"query_credits": -1.0, "scan_credits": 7.0, "other": nil}, "https": nil}}},
		"shodan_account_profile": {`{"member": "true", "display_name": "a\u0000b", "created": "long ago"}`, []row{{"member": true, "display_name": "ab", "title": "ab", "created": nil, "credits": nil}}},
		"shodan_port":            {`["22", null, {}, 443.0]`, []row{{"port": int64(22)}, {"port": int64(443)}}},
		"shodan_protocol":        {`{"a\u0000b": null, "ssh": "x\u0000"}`, []row{{"name": "ab", "description": nil}, {"name": "ssh", "description": "x"}}},
		"shodan_service_name":    {`{"22": "SSH", "many": "x", "53": null}`, []row{{"port": int64(22), "name": "SSH"}, {"port": int64(53), "name": nil}}},
		"shodan_search_filter":   {`["port", null, "a\u0000b"]`, []row{{"name": "port", "is_facet": true}, {"name": "ab", "is_filter": true, "is_facet": false}}},
		"shodan_saved_query":     {`{"matches": [{"title": 7, "tags": "x"}, {"query": "\u0000", "votes": "3"}]}`, []row{{"title": "7", "tags": []any{"x"}, "total": nil}, {"title": nil, "query": nil, "votes": int64(3), "tags": nil}}},
		"shodan_scan":            {`{"matches": [{"id": "a\u0000", "size": "x", "created": 1}, {}], "total": null}`, []row{{"id": "a", "size": nil, "created": nil}, {"id": nil, "title": nil}}},
		"shodan_alert":           {`[{"id": "a", "filters": [], "triggers": [], "notifiers": {}}, {"name": "b\u0000", "filters": {"ip": "192.0.2.1"}, "triggers": {}}]`, []row{{"title": "a", "networks": nil, "triggers": nil, "notifiers": nil}, {"title": "b", "networks": []any{"192.0.2.1"}, "triggers": map[string]any{}}}},
	} {
		t.Run(table, func(t *testing.T) {
			sim.Fault(shodantest.Fault{Endpoint: lists[table].endpoint, Times: 1, Body: test.body})
			if table == "shodan_saved_query" || table == "shodan_scan" { // the page after an end that is not told
				sim.Fault(shodantest.Fault{Endpoint: lists[table].endpoint, Body: `{"matches": [], "total": null}`})
			}
			rows := s.mustRun(t, query{table: table})
			for _, want := range test.want {
				if !slices.ContainsFunc(rows, func(r row) bool { return hasAll(r, want) }) {
					t.Errorf("no row of %v in %v", want, rows)
				}
			}
			if table != "shodan_search_filter" && len(rows) != len(test.want) { // which has the facets as well
				t.Errorf("%d rows, want %d", len(rows), len(test.want))
			}
		})
	}
}

// hasAll reports whether a row has the values of another.
func hasAll(r, want row) bool {
	for column, value := range want {
		if has, ok := r[column]; !ok || !cmp.Equal(has, value) {
			return false
		}
	}
	return true
}

func TestEmptyListsHaveNoRows(t *testing.T) {
	sim := shodantest.New(t, shodantest.WithSavedQueries(0), shodantest.WithScans(0), shodantest.WithAlerts(0))
	s := mustConnect(t, keyed(sim))
	for _, table := range []string{"shodan_saved_query", "shodan_scan", "shodan_alert"} {
		if rows := s.mustRun(t, query{table: table}); len(rows) != 0 {
			t.Errorf("%s: %v", table, rows)
		}
	}
	if sim.Count("") != 3 {
		t.Errorf("%d requests, want one for each table", sim.Count(""))
	}
}

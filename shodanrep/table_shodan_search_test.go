package shodanrep

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// searching is a scan of a table that is about search queries.
func searching(table string, queries ...string) query {
	return query{table: table, quals: map[string]*proto.QualValue{"query": texts(queries...)}}
}

// endpoints counts the requests by endpoint.
func endpoints(sim *shodantest.Simulator) map[string]int {
	counts := map[string]int{}
	for _, r := range sim.Requests() {
		counts[r.Endpoint]++
	}
	return counts
}

// web adds so many hosts with a web server.
func web(sim *shodantest.Simulator, n int) {
	for i := range n {
		sim.AddHost(shodantest.Host{IP: fmt.Sprintf("11.1.%d.%d", i/256, i%256), Ports: []int{80}})
	}
}

func TestASearchHasARowForEachMatch(t *testing.T) {
	sim := simulate(t)
	sim.AddHost(shodantest.Host{IP: "2606:4700::7", Org: "Example", ASN: "AS64500", CountryCode: "DE", CountryName: "Germany", City: "Berlin",
		Banners: []map[string]any{{"port": 8443, "product": "nginx", "data": "a\x00b", "tags": []string{"cloud"}}}})
	s := mustConnect(t, keyed(sim))
	rows := s.mustRun(t, searching("shodan_search", "port:8443"))
	if len(rows) != 1 {
		t.Fatalf("%v", rows)
	}
	for column, want := range (row{
		"query": "port:8443", "ip": "2606:4700::7", "port": int64(8443), "transport": "tcp", "product": "nginx", "data": "ab", "banner": "ab", "tags": []any{"cloud"},
		"organization": "Example", "isp": "Example", "asn": "AS64500", "country": "Germany", "country_code": "DE", "city": "Berlin", "os": nil, "domains": []any{},
		"total": int64(1), "title": "2606:4700::7 8443/tcp", "ssl_subject": nil, "timestamp": "2026-01-15T12:00:00Z",
	}) {
		if diff := cmp.Diff(want, rows[0][column]); diff != "" {
			t.Errorf("%s: %s", column, diff)
		}
	}
	if rows[0]["checked_at"] == nil {
		t.Error("checked_at is null")
	}
	if rows := s.mustRun(t, searching("shodan_search", "port:9")); len(rows) != 0 {
		t.Errorf("what is not there: %v", rows)
	}
	if rows := s.mustRun(t, searching("shodan_search", "port:22", "port:8443", "net:"+good)); len(rows) != 4 {
		t.Errorf("a list of queries: %d rows", len(rows))
	}
}

// TestAMatchHasAllColumnsOfAService also where a captured page has it.
func TestAMatchHasAllColumnsOfAService(t *testing.T) {
	own := map[string]bool{"ip": true, "source": true, "status": true, "error": true, "port": true, "title": true}
	has := map[string]string{}
	for _, column := range tableShodanSearch(t.Context()).Columns {
		has[column.Name] = column.Description
	}
	for _, column := range tableShodanService(t.Context()).Columns {
		if !own[column.Name] && has[column.Name] != column.Description {
			t.Errorf("%s is %q, and of a service %q", column.Name, has[column.Name], column.Description)
		}
	}
}

func TestMatchesAgreeWithACapturedPage(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(captures(t), "search", "minecraft_100_facets_percussive.json"))
	if err != nil {
		t.Fatal(err)
	}
	var page struct{ Matches []map[string]any }
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(body), `\u0000`, "")), &page); err != nil {
		t.Fatal(err)
	}
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Body: string(body)})
	search := searching("shodan_search", "minecraft")
	search.limit = 100
	rows := mustConnect(t, keyed(sim)).mustRun(t, search)
	if len(rows) != len(page.Matches) || len(rows) != 100 {
		t.Fatalf("%d rows of %d matches", len(rows), len(page.Matches))
	}
	for _, match := range page.Matches {
		i := slices.IndexFunc(rows, func(r row) bool {
			return r["title"] == fmt.Sprintf("%v %v/%v", match["ip_str"], match["port"], match["transport"])
		})
		if i < 0 {
			t.Errorf("no row of %v", match["ip_str"])
			continue
		}
		place := match["location"].(map[string]any)
		for column, want := range map[string]any{
			"raw": match, "ip": match["ip_str"], "version": match["version"], "organization": match["org"], "asn": match["asn"], "isp": match["isp"], "os": match["os"],
			"country": place["country_name"], "country_code": place["country_code"], "latitude": place["latitude"], "total": int64(162015),
		} {
			if diff := cmp.Diff(want, rows[i][column]); diff != "" {
				t.Errorf("%v, %s: %s", match["ip_str"], column, diff)
			}
		}
	}
}

func TestALimitSavesPagesAndCredits(t *testing.T) {
	for _, tt := range []struct {
		name        string
		limit       int64
		queries     []string
		rows, pages int
	}{
		{"all", 0, []string{"port:80"}, 250, 3},
		{"less than a page", 7, []string{"port:80"}, 7, 1},
		{"two pages", 150, []string{"port:80"}, 150, 2},
		{"of a list, whose first has enough", 50, []string{"port:80", "net:11.1.0.0/16", "nginx"}, 50, 1},
		{"of a list, whose first has not enough", 252, []string{"port:80", "net:11.1.0.0/31", "org:none"}, 252, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sim := shodantest.New(t)
			web(sim, 250)
			search := searching("shodan_search", tt.queries...)
			search.limit = tt.limit
			rows := mustConnect(t, keyed(sim)).mustRun(t, search)
			// Which query of a list is the first is the SDK's choice.
			if n := endpoints(sim)[shodantest.EndpointSearch]; len(rows) != tt.rows || n > tt.pages {
				t.Errorf("%d rows of %d pages, want %d of at most %d", len(rows), n, tt.rows, tt.pages)
			}
		})
	}
}

func TestASearchForMoreThanTheLimitIsAnErrorBeforeItCosts(t *testing.T) {
	sim := shodantest.New(t)
	web(sim, 250)
	rows, err := mustConnect(t, keyed(sim)+"search_limit = 200").run(t, searching("shodan_search", "port:80"))
	want := "searching for port:80 would bring 250 banners, more than search_limit = 200, at a query credit for each hundred: narrow it, or raise search_limit in the connection; in shodan_search a LIMIT will do"
	if err == nil || !strings.Contains(err.Error(), want) || len(rows) != 0 || sim.Credits(shodantest.Key) != 10_000 {
		t.Errorf("%d rows, error %v, %d credits left", len(rows), err, sim.Credits(shodantest.Key))
	}
}

// refused are the ways in which the tables about search queries are refused, and what a user is told.
var refused = map[string]struct {
	fault shodantest.Fault
	spc   func(*shodantest.Simulator) string
	query string
	want  string
}{
	"without a key":           {spc: free, query: "port:80", want: "needs an API key: set api_key"},
	"with a wrong key":        {spc: wrongKey, query: "port:80", want: "Shodan refused the API key"},
	"with too low a plan":     {fault: shodantest.Fault{Status: 403, Body: shodantest.BodyPlanTooLow}, query: "port:80", want: "needs a plan that allows it"},
	"with filters for a plan": {fault: shodantest.Fault{Status: 400, Body: shodantest.BodyUpgradePlan}, query: "port:80", want: "Please upgrade your API plan to use filters or paging."},
	"with a malformed query":  {query: "port:", want: "The search request timed out or your query was invalid.); check the query"},
	"with an empty query":     {query: " ", want: "query is empty: write what you would search for at https://www.shodan.io"},
	"with no answer":          {fault: shodantest.Fault{Status: 502, Body: shodantest.BodyPage(502)}, query: "port:80", want: "failed: Shodan sent no usable response (HTTP 502"},
	"with HTML under 200":     {fault: shodantest.Fault{Body: shodantest.BodyPage(200)}, query: "port:80", want: "the response is not a JSON object"},
	"with truncated JSON":     {fault: shodantest.Fault{Kind: shodantest.Truncated}, query: "port:80", want: "the response is not complete JSON"},
	"with an odd answer":      {fault: shodantest.Fault{Body: `{"matches": []}`}, query: "port:80", want: "the response has no total"},
	"without a query":         {want: "missing"},
}

func wrongKey(sim *shodantest.Simulator) string {
	return strings.Replace(keyed(sim), shodantest.Key, "WRONGKEYWRONGKEYWRONGKEYWRONGKEY", 1)
}

func TestWhatIsRefusedOfAQueryIsAnError(t *testing.T) {
	t.Parallel()
	for name, tt := range refused {
		for _, table := range []string{"shodan_search", "shodan_count", "shodan_search_facet"} {
			t.Run(name+": "+table, func(t *testing.T) {
				t.Parallel()
				sim := simulate(t)
				if tt.fault.Status+int(tt.fault.Kind) > 0 || tt.fault.Body != "" {
					sim.Fault(tt.fault)
				}
				spc := keyed
				if tt.spc != nil {
					spc = tt.spc
				}
				search := query{table: table, quals: map[string]*proto.QualValue{}}
				if tt.query != "" {
					search.quals["query"] = texts(tt.query)
				}
				if table == "shodan_search_facet" {
					search.quals["facet"] = texts("country")
				}
				rows, err := runInTime(t, spc(sim), "5s", search)
				if err == nil || !strings.Contains(err.Error(), tt.want) || len(rows) != 0 {
					t.Errorf("%d rows, error %v, want %s", len(rows), err, tt.want)
				}
				if err != nil && (strings.Contains(err.Error(), "WRONGKEY") || strings.Contains(err.Error(), shodantest.Key) || strings.ContainsAny(err.Error(), "<>")) {
					t.Errorf("the error shows a key or HTML: %v", err)
				}
			})
		}
	}
}

func TestASearchWithoutCreditsSaysSo(t *testing.T) {
	sim := simulate(t, shodantest.WithCredits(0))
	s := mustConnect(t, keyed(sim))
	if _, err := s.run(t, searching("shodan_search", "port:80")); err == nil || !strings.Contains(err.Error(), "searching for port:80 costs a query credit: the API key has no query credits left") {
		t.Errorf("%v", err)
	}
	for _, table := range []string{"shodan_count", "shodan_search_facet"} {
		search := searching(table, "port:80")
		if table == "shodan_search_facet" {
			search.quals["facet"] = texts("country")
		}
		if rows := s.mustRun(t, search); len(rows) != 1 {
			t.Errorf("%s costs nothing, and has %d rows", table, len(rows))
		}
	}
}

func TestALaterPageThatFailsFailsTheQuery(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	web(sim, 250)
	sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Skip: 1, Status: 502, Body: shodantest.BodyPage(502)})
	s := mustConnect(t, keyed(sim)+`timeout = "5s"`)
	if rows, err := s.run(t, searching("shodan_search", "port:80")); err == nil || !strings.Contains(err.Error(), "searching for port:80 failed") {
		t.Errorf("%d rows, error %v", len(rows), err)
	}
}

// A response without a match is a page, but not where Shodan counts matches that it must have.
func TestAPageThatIsEmptyTooSoonFailsTheQuery(t *testing.T) {
	t.Parallel()
	for _, empty := range []int{1, 2, 3} {
		sim := shodantest.New(t)
		web(sim, 250)
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Skip: empty - 1, Times: 1, Body: `{"matches": [], "total": 250}`})
		s := mustConnect(t, keyed(sim))
		rows, err := s.run(t, searching("shodan_search", "port:80"))
		if err == nil || !strings.Contains(err.Error(), "has no match, though Shodan counts 250 matches in all") {
			t.Errorf("empty page %d: %d rows, error %v", empty, len(rows), err)
		}
		// The empty page is not cached.
		if rows := s.mustRun(t, searching("shodan_search", "port:80")); len(rows) != 250 {
			t.Errorf("empty page %d: %d rows of a second query", empty, len(rows))
		}
	}
}

func TestASearchThatIsLimitedWaitsItsTurn(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Times: 1, Status: 429, Body: shodantest.BodyRateLimited})
	search := searching("shodan_search", "port:80")
	search.limit = 10
	if rows := mustConnect(t, keyed(sim)).mustRun(t, search); len(rows) != 1 || endpoints(sim)[shodantest.EndpointSearch] != 2 {
		t.Errorf("%d rows after %v", len(rows), endpoints(sim))
	}
}

func TestBannersWithoutWhatRealOnesHaveAreRows(t *testing.T) {
	sim := simulate(t)
	sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Body: `{"total": 4, "matches": [{}, {"ip_str": "11.0.0.8"}, {"port": "22", "transport": "tcp", "ssl": 1, "http": [], "location": null}, {"ip": 184549385, "port": 22, "ssl": {"cert": {}}, "hash": "x"}]}`})
	rows := mustConnect(t, keyed(sim)).mustRun(t, searching("shodan_search", "port:80"))
	var titles []string
	for _, r := range rows {
		titles = append(titles, fmt.Sprint(r["title"]))
	}
	slices.Sort(titles)
	if diff := cmp.Diff([]string{"0", "11.0.0.8 0", "11.0.0.9 22", "22/tcp"}, titles); diff != "" {
		t.Error(diff)
	}
}

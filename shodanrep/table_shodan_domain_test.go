package shodanrep

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func domain(list ...string) query {
	return query{table: "shodan_domain", quals: map[string]*proto.QualValue{"domain": texts(list...)}}
}

// with adds a condition to a scan.
func (q query) with(column string, value *proto.QualValue) query {
	quals := map[string]*proto.QualValue{column: value}
	for name, value := range q.quals {
		quals[name] = value
	}
	q.quals = quals
	return q
}

// large makes a domain of so many records, which its own plan may page through.
func large(t *testing.T, records int) *shodantest.Simulator {
	t.Helper()
	sim := shodantest.New(t, shodantest.WithPlan("corp"))
	for i := range records {
		sim.AddRecords("example.com", shodantest.Record{Subdomain: fmt.Sprintf("host-%d", i), Type: "A", Value: fmt.Sprintf("11.0.%d.%d", i/250, i%250)})
	}
	return sim
}

func credits(sim *shodantest.Simulator) int { return 10_000 - sim.Credits(shodantest.Key) }

// TestRecordsAgreeWithTheCapture reads the captured answer on its own, without the product's types, and holds every
// column to it.
func TestRecordsAgreeWithTheCapture(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(captures(t), "api", "dns_domain.json"))
	if err != nil {
		t.Fatal(err)
	}
	var capture struct {
		Tags []any
		Data []map[string]string
	}
	if err := json.Unmarshal(body, &capture); err != nil || len(capture.Data) < 100 {
		t.Fatal(len(capture.Data), err)
	}
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Body: string(body)})
	rows := mustConnect(t, keyed(sim)).mustRun(t, domain("Shodan.io"))
	if len(rows) != len(capture.Data) || sim.Count("") != 1 {
		t.Fatalf("%d rows of %d records, %d requests", len(rows), len(capture.Data), sim.Count(""))
	}
	for _, record := range capture.Data {
		at := slices.IndexFunc(rows, func(r row) bool {
			subdomain, _ := r["subdomain"].(string)
			return subdomain == record["subdomain"] && r["type"] == record["type"] && r["value"] == record["value"]
		})
		if at < 0 {
			t.Fatalf("no row of %v", record)
		}
		seen, err := time.Parse(time.RFC3339, record["last_seen"])
		if err != nil {
			t.Fatal(err)
		}
		want := row{
			"domain": "Shodan.io", "status": "indexed", "error": nil, "hostname": "shodan.io", "subdomain": nil, "type": record["type"], "value": record["value"], "ip": nil,
			"ports": nil, "tags": capture.Tags, "last_seen": seen.UTC().Truncate(time.Second).Format(time.RFC3339), "history": false, "page": int64(1), "more": false,
			"checked_at": rows[at]["checked_at"],
		}
		if record["subdomain"] != "" {
			want["subdomain"], want["hostname"] = record["subdomain"], record["subdomain"]+".shodan.io"
		}
		if addr, err := netip.ParseAddr(record["value"]); err == nil {
			want["ip"] = addr.String()
		}
		want["title"] = want["hostname"].(string) + " " + record["type"]
		if diff := cmp.Diff(want, rows[at]); diff != "" || rows[at]["checked_at"] == nil {
			t.Error(diff)
		}
	}
}

func TestRecordsMayBeNarrowed(t *testing.T) {
	sim := shodantest.New(t)
	sim.AddRecords("example.com", shodantest.Record{Type: "MX", Value: "mail.example.com"}, shodantest.Record{Type: "A", Value: good},
		shodantest.Record{Subdomain: "old", Type: "A", Value: bad, Past: true})
	sim.AddRecords("example.org", shodantest.Record{Type: "TXT", Value: "v=spf1 -all"})
	s := mustConnect(t, keyed(sim))
	both := domain("example.com", "example.org")
	for name, tt := range map[string]struct {
		scan query
		want []string
	}{
		"all":                         {domain("example.com"), []string{"example.com A false", "example.com MX false"}},
		"of a type":                   {domain("example.com").with("type", texts("MX")), []string{"example.com MX false"}},
		"of two types":                {domain("example.com").with("type", texts("MX", "A")), []string{"example.com A false", "example.com MX false"}},
		"of a type that it lacks":     {domain("example.com").with("type", texts("NS")), []string{"example.com not_indexed NS false"}},
		"of the past too":             {domain("example.com").with("history", truth(true)), []string{"example.com A true", "example.com MX true", "old.example.com A true"}},
		"of two domains":              {both, []string{"example.com A false", "example.com MX false", "example.org TXT false"}},
		"of two domains and types":    {both.with("type", texts("A", "TXT")), []string{"example.com A false", "example.com not_indexed TXT false", "example.org TXT false", "example.org not_indexed A false"}},
		"of one domain written twice": {domain("example.org", "EXAMPLE.org."), []string{"example.org TXT false", "example.org TXT false"}},
		"of an unknown domain":        {domain("nowhere.example"), []string{"nowhere.example not_indexed <nil> false"}},
		"of a page":                   {domain("example.com").with("page", numbers(1)), []string{"example.com A false", "example.com MX false"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range s.mustRun(t, tt.scan) {
				if r["status"] == "indexed" {
					got = append(got, fmt.Sprint(r["hostname"], " ", r["type"], " ", r["history"]))
				} else {
					got = append(got, fmt.Sprint(r["domain"], " ", r["status"], " ", r["type"], " ", r["history"]))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPagesAreReadOnlyAsFarAsTheyAreWanted(t *testing.T) {
	for name, tt := range map[string]struct {
		records, limit int
		with           func(query) query
		rows, pages    int
		problem        string
	}{
		"all":                     {records: 250, rows: 250, pages: 3},
		"a page exactly":          {records: 100, rows: 100, pages: 1},
		"a limit within a page":   {records: 250, limit: 20, rows: 20, pages: 1},
		"a limit of a whole page": {records: 250, limit: 100, rows: 100, pages: 1},
		"a limit beyond a page":   {records: 250, limit: 101, rows: 101, pages: 2},
		"a page by itself":        {records: 250, with: func(q query) query { return q.with("page", numbers(2)) }, rows: 100, pages: 1},
		"two pages by themselves": {records: 250, with: func(q query) query { return q.with("page", numbers(2, 3)) }, rows: 150, pages: 2},
		"more than are listed":    {records: 1050, rows: 1001, pages: 10, problem: "more than the 10 pages of records that are listed"},
		"the page after those":    {records: 1050, with: func(q query) query { return q.with("page", numbers(11)) }, rows: 50, pages: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := large(t, tt.records)
			q := domain("example.com")
			if tt.with != nil {
				q = tt.with(q)
			}
			q.limit = int64(tt.limit)
			rows := mustConnect(t, keyed(sim)).mustRun(t, q)
			if len(rows) != tt.rows || credits(sim) != tt.pages {
				t.Errorf("%d rows for %d credits, want %d for %d", len(rows), credits(sim), tt.rows, tt.pages)
			}
			for _, r := range rows {
				text, _ := r["error"].(string)
				if (r["status"] == "error") != (text != "") || text != "" && (tt.problem == "" || !strings.Contains(text, tt.problem)) {
					t.Errorf("%v", r)
				}
			}
			if failed := slices.ContainsFunc(rows, func(r row) bool { return r["status"] == "error" }); failed != (tt.problem != "") {
				t.Errorf("a row that says that records are missing: %v", failed)
			}
		})
	}
}

func TestALimitAsksForOneDomainAfterTheOther(t *testing.T) {
	sim := shodantest.New(t)
	var list []string
	for i := range 20 {
		list = append(list, fmt.Sprintf("%d.example.com", i))
		sim.AddRecords(list[i], shodantest.Record{Type: "A", Value: good}, shodantest.Record{Type: "MX", Value: "mail.example.com"})
	}
	q := domain(list...)
	q.limit = 3
	if rows := mustConnect(t, keyed(sim)).mustRun(t, q); len(rows) != 3 || credits(sim) != 2 {
		t.Errorf("%d rows for %d credits, want three rows of two domains", len(rows), credits(sim))
	}
}

func TestRecordsThatAreMissingAreARowThatSaysSo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault shodantest.Fault
		opts  []shodantest.Option
		rows  int
		want  string
	}{
		"the plan may not page":         {opts: []shodantest.Option{shodantest.WithPlan("dev")}, rows: 101, want: "listing the DNS records of example.com, page 2, needs a plan that allows it"},
		"the credits are spent":         {opts: []shodantest.Option{shodantest.WithPlan("corp"), shodantest.WithCredits(1)}, rows: 101, want: "page 2, costs a query credit"},
		"error pages":                   {fault: shodantest.Fault{Status: 502, Body: shodantest.BodyPage(502)}, rows: 1, want: "Shodan sent no usable response (HTTP 502"},
		"error pages, later":            {fault: shodantest.Fault{Skip: 1, Status: 502, Body: shodantest.BodyPage(502)}, rows: 101, want: "Shodan sent no usable response (HTTP 502"},
		"a challenge":                   {fault: shodantest.Fault{Body: shodantest.BodyChallenge}, rows: 1, want: "Shodan sent no usable response (HTTP 200"},
		"answers that are cut":          {fault: shodantest.Fault{Kind: shodantest.Truncated}, rows: 1, want: "not complete JSON"},
		"no list of records":            {fault: shodantest.Fault{Body: `{"domain": "example.com", "data": {}}`}, rows: 1, want: "no list of records"},
		"another domain":                {fault: shodantest.Fault{Body: `{"domain": "example.org", "data": []}`}, rows: 1, want: `the response is for "example.org", not for example.com`},
		"the same page again and again": {fault: shodantest.Fault{Body: `{"domain": "example.com", "data": [{"type": "A", "value": "11.0.0.1"}], "more": true}`}, rows: 2, want: "page 2 of the records of example.com has nothing new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.opts == nil {
				tt.opts = []shodantest.Option{shodantest.WithPlan("corp")}
			}
			sim := shodantest.New(t, tt.opts...)
			for i := range 150 {
				sim.AddRecords("example.com", shodantest.Record{Subdomain: fmt.Sprint("host-", i), Type: "A", Value: good})
			}
			if tt.fault.Body != "" || tt.fault.Kind != shodantest.Respond {
				sim.Fault(tt.fault)
			}
			rows := mustRunInTime(t, keyed(sim), "5s", domain("example.com"))
			failed := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r["status"] != "error" })
			if len(rows) != tt.rows || len(failed) != 1 {
				t.Fatalf("%d rows, %d of them errors", len(rows), len(failed))
			}
			r := failed[0]
			text, _ := r["error"].(string)
			if !strings.Contains(text, tt.want) || strings.Contains(text, shodantest.Key) || r["domain"] != "example.com" || r["value"] != nil || r["type"] != nil {
				t.Errorf("%v, want %q", r, tt.want)
			}
		})
	}
}

// A page that the query names is the only one that is read, so that nothing else could say that it lacks its records.
func TestAPageWithoutRecordsThatIsNotTheLastIsARowThatSaysSo(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no record":              `{"domain": "example.com", "data": [], "more": true}`,
		"a record of other type": `{"domain": "example.com", "data": [{"type": "MX", "value": "mail.example.com"}], "more": true}`,
	} {
		sim := shodantest.New(t, shodantest.WithPlan("corp"))
		sim.Fault(shodantest.Fault{Body: body})
		q := domain("example.com")
		q.quals["type"], q.quals["page"] = texts("A"), numbers(3)
		rows := mustConnect(t, keyed(sim)).mustRun(t, q)
		if len(rows) != 1 || rows[0]["status"] != "error" || rows[0]["page"] != int64(3) || rows[0]["type"] != "A" ||
			!strings.Contains(fmt.Sprint(rows[0]["error"]), "page 3 of the records of example.com has none of those") {
			t.Errorf("%s: %v", name, rows)
		}
	}
}

func TestOddRecordsAreReadAsFarAsTheyGo(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Body: `{"domain": "EXAMPLE.com", "tags": "ipv6", "more": null, "data": [
		{"subdomain": "a\u0000", "type": "A", "value": "11.0.0.1", "last_seen": "2026-01-02T03:04:05.5+00:00", "ports": [80, "443", null], "tags": ["vpn"]},
		{"subdomain": null, "type": "TXT", "value": 7, "last_seen": "never"}, {"subdomain": {}, "type": "A", "value": "nowhere"}, null, 3, [], {}]}`})
	rows := mustConnect(t, keyed(sim)).mustRun(t, domain("www.example.com"))
	if len(rows) != 3 {
		t.Fatalf("%d rows: %v", len(rows), rows)
	}
	for title, want := range map[string]row{
		"a.example.com A": {"ip": "11.0.0.1", "value": "11.0.0.1", "ports": []any{80.0, 443.0}, "tags": []any{"ipv6", "vpn"}, "last_seen": "2026-01-02T03:04:05Z", "subdomain": "a"},
		"example.com TXT": {"ip": nil, "value": "7", "ports": nil, "tags": []any{"ipv6"}, "last_seen": nil, "subdomain": nil},
		"example.com A":   {"ip": nil, "value": "nowhere", "ports": nil, "tags": []any{"ipv6"}, "last_seen": nil, "subdomain": nil},
	} {
		r := byTitle(t, rows, title)
		for column, value := range want {
			if diff := cmp.Diff(value, r[column]); diff != "" {
				t.Errorf("%s, %s: %s", title, column, diff)
			}
		}
	}
}

func TestWhatIsAskedOfADomainIsChecked(t *testing.T) {
	sim := shodantest.New(t)
	s := mustConnect(t, keyed(sim))
	for want, q := range map[string]query{
		`type = "a" is not a record type of shodan_domain: use A, AAAA, CNAME, MX, NS, SOA, TXT`: domain("example.com").with("type", texts("a")),
		"page = 0 does not exist: pages count from 1":                                            domain("example.com").with("page", numbers(0)),
	} {
		if _, err := s.run(t, q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, odd := range []string{"example.com/../../account/profile", "../api-info", "..", "a,b", "a b.com", "", "198.51.100.7", "example.com?x=1"} {
		rows := s.mustRun(t, domain(odd))
		if len(rows) != 1 || rows[0]["status"] != "error" || rows[0]["domain"] != odd || !strings.Contains(rows[0]["error"].(string), "not the name of a host") {
			t.Errorf("%q: %v", odd, rows)
		}
	}
	if sim.Count("") != 0 {
		t.Errorf("asked for %q", subjects(sim))
	}
}

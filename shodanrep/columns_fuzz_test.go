package shodanrep

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// columnSeeds are responses at the limits of protobuf, SQLite and PostgreSQL.
func columnSeeds() []string {
	late := `"9999-12-31T23:59:59-01:00"`
	deep := strings.Repeat("[", 1001) + strings.Repeat("]", 1001)
	banner := `{"ip_str": "192.0.2.1", "port": 443, "transport": "tcp", "timestamp": ` + late + `, "_shodan": {"id": "a", "module": "https", "options": {"hostname": "a.example"}},
		"data": "x\u0000", "hash": 1e131072, "product": "p\ud800", "x": [1e131072, 1e-20000, ` + strings.Repeat("9", 131073) + `, ` + deep + `],
		"ssl": {"cert": {"expires": ` + late + `, "serial": 1e200000, "subject": {"CN": "a\u0000"}, "fingerprint": {"sha256": "aa"}}, "jarm": "1", "ja3s": "2"},
		"http": {"title": "t", "favicon": {"hash": 5}}, "ssh": {"fingerprint": "aa", "hassh": "b"}, "uptime": 1e300, "opts": {"vulns": ["CVE-2014-0160"]},
		"vulns": {"CVE-2024-0001": {"cvss": 1e400, "epss": "1e-400", "kev": true, "summary": "\u0000", "verified": true}}, "cloud": {"provider": "p"}}`
	return []string{
		`{"ip_str": "192.0.2.1", "ports": [443, -1, 99999999999], "last_update": ` + late + `, "latitude": 1e400, "vulns": ["cve-2024-0001,MS15-034"], "data": [` + banner + `, ` + banner + `, {"port": 53, "timestamp": "2026-01-01T00:00:00"}]}`,
		banner,
		`{"ip": "192.0.2.1", "ports": [80], "cpes": ["cpe:/a:b:c"], "hostnames": ["a\u0000"], "tags": ["c2"], "vulns": ["CVE-2024-0001"], "x": ` + deep + `}`,
		`{"matches": [` + banner + `], "total": "1e3", "facets": {"country": [{"count": 3, "value": 1e131072}]}}`,
		`{"cve_id": "CVE-2021-44228", "published_time": ` + late + `, "cvss": 1e400, "cvss_v3": 9.8, "epss": 0.5, "ranking_epss": 1, "kev": true, "summary": "s\u0000", "propose_action": "p", "ransomware_campaign": 1e131072, "cpes": ["a"], "references": [1e131072]}`,
		`{"cves": [{"cve_id": "CVE-2021-44228", "published_time": ` + late + `}]}`,
		`[{"id": 1e131072, "created": ` + late + `, "expiration": "0000-01-01T00:00:00", "expires": 1e18, "triggers": {"any": {"x": ` + deep + `, "y": 1e-20000}}, "notifiers": [{"id": "a"}]}]`,
		`{"matches": [{"id": "a", "title": "t", "timestamp": ` + late + `, "created": ` + late + `, "votes": 1e18, "status": "DONE"}], "total": 7}`,
		`{"matches": [{"_id": 1e131072, "source": "ExploitDB", "alias": ["a\u0000"], "arch": "x86", "author": ["\ud800"], "bid": [1e131072], "code": "c", "cve": ["CVE-2021-44228"],
			"date": ` + late + `, "description": "d\u0000", "msb": ["MS15-034"], "platform": "linux", "port": 1e18, "privileged": true, "rank": "r", "type": "remote", "version": 1e-20000}], "total": 1}`,
		`{"domain": "example.com", "data": [{"subdomain": "www", "type": "A", "value": "192.0.2.1", "last_seen": ` + late + `, "ports": [0, 80, 70000]}], "more": true}`,
		`{"plan": "dev", "usage_limits": {"\u0000": 1e18, "x": -1}, "created": ` + late + `, "member": true, "display_name": "a", "80": "http"}`,
		`{"example.com": "192.0.2.1", "192.0.2.1": ["a.example"]}`, `[80, 443, 99999999999]`, `["country", "\u0000"]`,
	}
}

// rowsOf returns the rows of all tables that can be made of a response.
func rowsOf(body []byte) (rows []any) {
	add := func(list ...any) { rows = append(rows, list...) }
	addr := netip.MustParseAddr("192.0.2.1")
	target := scan.Address{Given: "192.0.2.1", Addr: addr}
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	q := scan.New(scan.Settings{Lists: &reputation.Lists{}, Clock: func() time.Time { return now }}, policyfile.Baseline(), policyfile.Extended())
	addHost := func(h *shodan.Host, source lookup.Source) {
		result := q.NewResult(&scan.Target{Address: target}, lookup.Answer{Status: lookup.Indexed, Source: source, Host: h, CheckedAt: now})
		add(result.Target, result)
		for _, policy := range []string{"baseline", "extended"} {
			scored := q.NewResult(&scan.Target{Address: target, Options: scan.Options{Policy: policy}}, result.Answer())
			add(scored.Verdict(), &networkRow{addr: addr, verdict: scored.Verdict()})
			for _, r := range factorRows(scored) {
				add(r)
			}
			observed := &scan.Observed{Verdict: scored.Verdict(), First: now, Last: now, Checks: 1}
			add(&stateRow{observed})
			for _, before := range []*history.State{nil, {}, {Host: &shodan.Host{Ports: shodan.Ints{1}, Organization: "x"}}} {
				for _, change := range history.Compare(before, history.State{Host: h}) {
					add(&changeRow{Observed: observed, change: &scan.Change{Observed: observed, Before: observed, Change: change}})
				}
			}
		}
		for _, r := range serviceRows(result) {
			add(r)
		}
		for _, r := range vulnerabilityRows(result) {
			add(r)
		}
		for _, r := range historyRows(result) {
			add(r)
		}
		for _, r := range fingerprintRows(result) {
			add(r)
		}
	}
	addBanners := func(banners []shodan.Banner) {
		for i := range banners {
			b := &banners[i]
			add(&matchRow{query: "x", banner: b, page: lookup.Page{Total: 1, CheckedAt: now}})
			for _, pivot := range shodan.Pivots() {
				add(&relatedRow{target: &scan.Target{Address: target}, source: lookup.Shodan, pivot: pivot, value: pivot.Value(b), related: b})
			}
		}
	}
	if h, err := shodan.ParseHost(body); err == nil {
		addHost(h, lookup.Shodan)
		addBanners(h.Banners)
	}
	if h, err := shodan.ParseInternetDB(body); err == nil {
		addHost(h, lookup.InternetDB)
	}
	if b, err := shodan.ParseBanner(body); err == nil {
		addHost(shodan.MergeBanners([]shodan.Banner{*b}), lookup.Dataset)
	}
	if r, err := shodan.ParseSearch(body); err == nil {
		addBanners(r.Matches)
	}
	// A response from a cache comes as it was kept.
	if c, err := shodan.FindCVE("CVE-2021-44228").Read(body); err == nil {
		add(&cveRow{cve: c, id: "CVE-2021-44228", checkedAt: now})
	}
	if list, err := shodan.FindCVEs(shodan.CVEQuery{}).Read(body); err == nil {
		for i := range list {
			add(&cveRow{cve: &list[i], checkedAt: now})
		}
	}
	if r, err := shodan.Count("x", []string{"country"}, 10).Read(body); err == nil {
		add(&countRow{query: "x", total: r.Total.V, checkedAt: now})
		for _, value := range r.Facets["country"] {
			add(&facetRow{query: "x", facet: "country", value: value, reply: lookup.Reply[*shodan.CountResult]{Value: r, CheckedAt: now}})
		}
	}
	if alerts, err := shodan.Alerts().Read(body); err == nil {
		for _, alert := range alerts {
			add(alert)
		}
	}
	if page, err := shodan.Scans(1).Read(body); err == nil {
		for _, item := range page.Matches {
			add(scan.Item[shodan.Scan]{Value: item, Total: page.Total.Ptr()})
		}
	}
	if page, err := shodan.FindExploits("x", 1).Read(body); err == nil {
		for _, item := range page.Matches {
			add(&exploitRow{query: "x", exploit: item, total: page.Total.Ptr(), checkedAt: now})
		}
	}
	if page, err := shodan.SavedQueries("votes", 1).Read(body); err == nil {
		for _, item := range page.Matches {
			add(&savedQuery{Item: scan.Item[shodan.SavedQuery]{Value: item, Total: page.Total.Ptr()}})
		}
	}
	if page, err := shodan.Domain("example.com", shodan.DomainOptions{}).Read(body); err == nil {
		for i := range page.Records {
			add(&domainRow{options: domainOptions{given: "example.com"}, record: &page.Records[i], hostname: "example.com", tags: page.Tags, checkedAt: now})
		}
	}
	if info, err := shodan.Info().Read(body); err == nil {
		add(&apiInfoRow{APIInfo: info})
	}
	if profile, err := shodan.Profile().Read(body); err == nil {
		add(profile)
	}
	if found, err := shodan.Resolve([]string{"example.com"}).Read(body); err == nil {
		add(&scan.BulkRow[netip.Addr]{Value: found["example.com"], CheckedAt: now})
	}
	if found, err := shodan.Reverse([]string{"192.0.2.1"}).Read(body); err == nil {
		add(&scan.BulkRow[shodan.Texts]{Value: found["192.0.2.1"], CheckedAt: now})
	}
	if ports, err := shodan.Ports().Read(body); err == nil {
		for _, port := range ports {
			add(port)
		}
	}
	if protocols, err := shodan.Protocols().Read(body); err == nil {
		for _, protocol := range protocols {
			add(protocol)
		}
	}
	if services, err := shodan.ServiceNames().Read(body); err == nil {
		for _, service := range services {
			add(service)
		}
	}
	if names, err := shodan.SearchFilters().Read(body); err == nil {
		for _, name := range names {
			add(searchFilter{name: name, isFilter: true})
		}
	}
	return rows
}

// checkColumns fails where a value of any column cannot be passed on to where users read it. It returns which columns,
// as table.column, have a value.
func checkColumns(t *testing.T, tables map[string]*plugin.Table, rows []any) map[string]bool {
	t.Helper()
	filled := map[string]bool{}
	for name, table := range tables {
		for _, column := range table.Columns {
			for _, item := range rows {
				value, err := column.Transform.Execute(t.Context(), &transform.TransformData{HydrateItem: item, ColumnName: column.Name})
				if err != nil {
					t.Fatalf("%s.%s: %v", name, column.Name, err)
				}
				converted, err := column.ToColumnValue(value)
				if err != nil {
					t.Fatalf("%s.%s: the SDK does not take %v: %v", name, column.Name, value, err)
				}
				if _, null := converted.Value.(*proto.Column_NullValue); !null {
					filled[name+"."+column.Name] = true
				}
				checkValue(t, name+"."+column.Name, converted)
			}
		}
	}
	return filled
}

// checkValue fails where SQLite or PostgreSQL do not take a value.
func checkValue(t *testing.T, column string, value *proto.Column) {
	t.Helper()
	switch v := value.Value.(type) {
	case *proto.Column_JsonValue:
		if err := postgrestest.CheckSteampipe(v.JsonValue); err != nil {
			t.Fatalf("%s: Steampipe does not take %.200q: %v", column, v.JsonValue, err)
		}
		if err := checkSQLite(v.JsonValue); err != nil {
			t.Fatalf("%s: SQLite does not take %.200q: %v", column, v.JsonValue, err)
		}
	case *proto.Column_StringValue:
		if err := postgrestest.CheckText(v.StringValue); err != nil {
			t.Fatalf("%s: PostgreSQL does not take %.200q: %v", column, v.StringValue, err)
		}
	case *proto.Column_TimestampValue:
		if err := v.TimestampValue.CheckValid(); err != nil {
			t.Fatalf("%s: %v", column, err)
		}
	}
}

// jsonReader reads JSON as SQLite does.
var jsonReader = sync.OnceValues(func() (*sqlite3.Stmt, error) {
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		return nil, err
	}
	stmt, _, err := db.Prepare("select json(?)")
	return stmt, err
})

func checkSQLite(text []byte) error {
	stmt, err := jsonReader()
	if err != nil {
		return err
	}
	if err := stmt.BindText(1, string(text)); err != nil {
		return err
	}
	stmt.Step()
	err = stmt.Err()
	_ = stmt.Reset() // it says the same again
	return err
}

// columnTables are all tables.
func columnTables(t testing.TB) map[string]*plugin.Table {
	all, err := tables(context.Background(), &plugin.TableMapData{Connection: &plugin.Connection{Config: connectionConfig{}}})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func FuzzEveryColumnIsFitForItsReaders(f *testing.F) {
	for _, seed := range append(columnSeeds(), shodantest.OddBodies...) {
		f.Add([]byte(seed))
	}
	all := columnTables(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		checkColumns(t, all, rowsOf(body))
	})
}

func TestTheSeedsReachEveryTable(t *testing.T) {
	all := columnTables(t)
	filled := map[string]bool{}
	for _, seed := range columnSeeds() {
		for column := range checkColumns(t, all, rowsOf([]byte(seed))) {
			filled[column] = true
		}
	}
	for name, table := range all {
		var missing []string
		for _, column := range table.Columns {
			if !filled[name+"."+column.Name] {
				missing = append(missing, column.Name)
			}
		}
		if 3*len(missing) > 2*len(table.Columns) {
			t.Errorf("%s: no seed has a value for %v", name, missing)
		}
	}
}

func TestWhatCannotBeStoredCostsNoRow(t *testing.T) {
	line := func(ip, more string) string { return bannerLine(ip, 80, "tcp", more) }
	late := `"9999-12-31T23:59:59-01:00"`
	deep := strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000)
	s := withDataset(t, shodantest.New(t),
		line("192.0.2.90", `"ssl": {"cert": {"expires": `+late+`}}`),
		fmt.Sprintf(`{"ip_str": "192.0.2.91", "port": 80, "timestamp": %s}`, late),
		line("192.0.2.92", `"x": `+deep),
		line("192.0.2.93", `"x": [1e131072, 1e-20000, `+strings.Repeat("9", 131073)+`, 0.`+strings.Repeat("0", 16383)+`1]`),
		line("192.0.2.94", `"x": 1`))
	ips := []string{"192.0.2.90", "192.0.2.91", "192.0.2.92", "192.0.2.93", "192.0.2.94"}
	for _, table := range []string{"shodan_host", "shodan_service", "shodan_ip_reputation", "shodan_vulnerability", "shodan_host_history", "shodan_reputation_factor"} {
		rows := s.mustRun(t, query{table: table, quals: map[string]*proto.QualValue{"ip": inets(ips...)}})
		var found []string
		for _, r := range rows {
			if r["status"] != "indexed" {
				t.Errorf("%s: %v", table, r)
			}
			found = append(found, r["ip"].(string))
		}
		slices.Sort(found)
		if found = slices.Compact(found); !slices.Equal(found, ips) {
			t.Errorf("%s has rows of %v", table, found)
		}
	}
}

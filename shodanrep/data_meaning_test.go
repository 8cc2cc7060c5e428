package shodanrep

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// withDataset is a connection to a dataset of some lines.
func withDataset(t *testing.T, sim *shodantest.Simulator, lines ...string) server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hosts.json")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustConnect(t, free(sim)+fmt.Sprintf("data_files = [%q]\n", path))
}

// bannerLine is a line of a dataset.
func bannerLine(ip string, port int, transport, more string) string {
	return fmt.Sprintf(`{"ip_str": %q, "port": %d, "transport": %q, "timestamp": "2026-05-01T10:00:00", %s}`, ip, port, transport, more)
}

func scoresOf(columns []string, policy string, ips ...string) query {
	return query{table: "shodan_ip_reputation", columns: columns, quals: map[string]*proto.QualValue{"ip": inets(ips...), "policy": texts(policy)}}
}

func TestVulnerabilitiesOfOldBannersCountAsTheyWereMeant(t *testing.T) {
	sim := shodantest.New(t)
	s := withDataset(t, sim,
		bannerLine("192.0.2.31", 443, "tcp", `"title": "Shop", "opts": {"vulns": ["CVE-2014-0160", "!CVE-2015-0204"]}`),
		bannerLine("192.0.2.32", 443, "tcp", `"vulns": {"cve-2020-0001": {}, "CVE-2020-0001": {}, " CVE-2020-0001": {}, "CVE-2020-0002,CVE-2020-0003": {}, "": {}, "CVE-1,CVE-2": {}}`),
		bannerLine("192.0.2.60", 80, "tcp", `"vulns": {"CVE-2019-0211": {"verified": false, "cvss": "7.2"}}`),
		bannerLine("192.0.2.61", 80, "tcp", `"vulns": {"CVE-2019-0211": {"verified": false, "cvss": 7.2, "epss": 0.97}, "CVE-2019-0217": {"verified": false}}`),
		bannerLine("192.0.2.62", 80, "tcp", `"product": "nginx"`),
	)
	columns := []string{"ip", "vuln_count", "verified_vuln_count", "score", "kev_count", "vulns"}
	for _, want := range []row{
		{"ip": "192.0.2.31", "vuln_count": int64(1), "verified_vuln_count": int64(1), "score": int64(10), "kev_count": nil, "vulns": []any{"CVE-2014-0160"}},
		{"ip": "192.0.2.32", "vuln_count": int64(3), "verified_vuln_count": int64(0), "score": int64(10), "kev_count": nil, "vulns": []any{"CVE-2020-0001", "CVE-2020-0002", "CVE-2020-0003"}},
		{"ip": "192.0.2.60", "vuln_count": int64(1), "verified_vuln_count": int64(0), "score": int64(10), "kev_count": nil, "vulns": []any{"CVE-2019-0211"}},
		{"ip": "192.0.2.61", "vuln_count": int64(2), "verified_vuln_count": int64(0), "score": int64(10), "kev_count": int64(0), "vulns": []any{"CVE-2019-0211", "CVE-2019-0217"}},
		{"ip": "192.0.2.62", "vuln_count": int64(0), "verified_vuln_count": int64(0), "score": int64(0), "kev_count": int64(0), "vulns": []any{}},
	} {
		rows := s.mustRun(t, scoresOf(columns, "baseline", want["ip"].(string)))
		for _, r := range rows {
			for column := range r {
				if _, ok := want[column]; !ok {
					delete(r, column)
				}
			}
		}
		if diff := cmp.Diff([]row{want}, rows); diff != "" {
			t.Error(diff)
		}
	}
	services := s.mustRun(t, query{table: "shodan_service", columns: []string{"http_title"}, quals: map[string]*proto.QualValue{"ip": inets("192.0.2.31")}})
	if len(services) != 1 || services[0]["http_title"] != "Shop" {
		t.Errorf("%v", services)
	}
	kevs := map[string]any{}
	for _, ip := range []string{"192.0.2.60", "192.0.2.61"} {
		for _, r := range s.mustRun(t, vulnerabilities([]string{"cve_id", "kev"}, ip)) {
			kevs[fmt.Sprint(ip, " ", r["cve_id"])] = r["kev"]
		}
	}
	// CVEDB knows none of them here: it is asked where the banner says nothing, and what it does not know stays null.
	if diff := cmp.Diff(map[string]any{"192.0.2.60 CVE-2019-0211": nil, "192.0.2.61 CVE-2019-0211": false, "192.0.2.61 CVE-2019-0217": nil}, kevs); diff != "" {
		t.Error(diff)
	}
}

func TestCVEDBIsNotAskedForWhatTheBannersSay(t *testing.T) {
	sim := shodantest.New(t)
	var vulns []string
	for i := range 107 {
		vulns = append(vulns, fmt.Sprintf(`"CVE-2024-%04d": {"verified": false, "cvss": 7.5, "cvss_version": 3.1, "epss": 0.1, "ranking_epss": 0.2, "summary": "s"}`, i))
	}
	s := withDataset(t, sim, bannerLine("192.0.2.63", 443, "tcp", `"vulns": {`+strings.Join(vulns, ",")+`}`))
	rows := s.mustRun(t, vulnerabilities(nil, "192.0.2.63"))
	if n := sim.Count(shodantest.CVEDB); len(rows) != 107 || n != 0 {
		t.Errorf("%d rows, %d requests", len(rows), n)
	}
	for _, r := range rows {
		if r["kev"] != false || r["detail_source"] != "banner" {
			t.Fatalf("%v", r)
		}
	}
}

func TestTheSameVulnerabilitiesScoreTheSameFromBothSources(t *testing.T) {
	sim := shodantest.New(t)
	var ids, old []string
	for i := range 24 {
		ids = append(ids, fmt.Sprintf("CVE-2017-%04d", i))
		old = append(old, fmt.Sprintf(`"CVE-2017-%04d": {"verified": false, "cvss": "7.5"}`, i))
	}
	sim.AddHost(shodantest.Host{IP: "11.0.0.70", Ports: []int{80}, Vulns: ids})
	s := withDataset(t, sim, bannerLine("192.0.2.70", 80, "tcp", `"vulns": {`+strings.Join(old, ",")+`}`))
	for _, ip := range []string{"11.0.0.70", "192.0.2.70"} {
		rows := s.mustRun(t, scoresOf([]string{"score", "level", "source"}, "extended", ip))
		if len(rows) != 1 || rows[0]["score"] != int64(35) || rows[0]["level"] != "high" {
			t.Errorf("%s: %v", ip, rows)
		}
	}
}

func TestADatasetAndTheRESTAPIScoreTheSame(t *testing.T) {
	banner := func(hour, name, more string) string {
		return fmt.Sprintf(`{"ip_str": "192.0.2.50", "port": 443, "transport": "tcp", "timestamp": "2026-05-01T%s:00:00", "_shodan": {"module": "https", "options": {"hostname": %q}}%s}`, hour, name, more)
	}
	older := banner("10", "a.example.com", `, "tags": ["c2"], "vulns": {"CVE-2021-44228": {"verified": true, "kev": true, "epss": 0.97, "cvss": 10}}`)
	newer := banner("11", "b.example.com", "")
	s := withDataset(t, shodantest.New(t), older, newer)
	rows := s.mustRun(t, scoresOf([]string{"score", "factors"}, "extended", "192.0.2.50"))
	if len(rows) != 1 || rows[0]["score"] != int64(100) {
		t.Errorf("from the dataset: %v", rows)
	}
	h, err := shodan.ParseHost([]byte(`{"ip_str": "192.0.2.50", "ports": [443], "last_update": "2026-05-01T11:00:00", "tags": ["c2"], "vulns": ["CVE-2021-44228"], "data": [` + older + `,` + newer + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	rest := scan.New(scan.Settings{Clock: clock}, policyfile.Extended()).
		NewResult(&scan.Target{}, lookup.Answer{Source: lookup.Shodan, Host: h}).VerdictBy("extended").Score()
	factors, err := json.Marshal(rest.Factors)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(factors, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, rows[0]["factors"]); diff != "" || rest.Score != 100 {
		t.Errorf("from the REST API: %d, %s", rest.Score, diff)
	}
}

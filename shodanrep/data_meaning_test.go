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

func scoresOf(columns []string, policy string, ips ...string) scan {
	return scan{table: "shodan_ip_reputation", columns: columns, quals: map[string]*proto.QualValue{"ip": inets(ips...), "policy": texts(policy)}}
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
	services := s.mustRun(t, scan{table: "shodan_service", columns: []string{"http_title"}, quals: map[string]*proto.QualValue{"ip": inets("192.0.2.31")}})
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
	rest := policyfile.Extended().Score(factsOf(h, lookup.Shodan, nil, clock()))
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

func TestABannerDecidesWhatAnswersAtAPort(t *testing.T) {
	module := func(name string) string { return fmt.Sprintf(`"_shodan": {"module": %q}`, name) }
	page := func(html string) string {
		text, _ := json.Marshal(html)
		return fmt.Sprintf(`"data": "HTTP/1.1 200 OK\r\n", "http": {"html": %s}`, text)
	}
	for name, tt := range map[string]struct {
		port            int
		transport, more string
		score           int64
	}{
		"IKE, not Siemens S7":          {102, "udp", module("ike"), 0},
		"DNS, not Modbus":              {502, "udp", module("dns-udp"), 0},
		"a webcam, not InfluxDB":       {8086, "tcp", module("http") + `, "product": "IP Webcam"`, 0},
		"a web server, not VNC":        {5900, "tcp", module("http"), 0},
		"SSH, not SMB":                 {445, "tcp", module("ssh"), 0},
		"udpxy, not a trojan":          {1234, "tcp", module("udpxy"), 0},
		"a product alone":              {5900, "tcp", `"product": "nginx"`, 0},
		"a web server by its answer":   {5900, "tcp", module("auto") + `, "http": {"status": 200}`, 0},
		"nothing says what answers":    {502, "tcp", `"data": "x"`, 25},
		"a module that says nothing":   {502, "tcp", module("auto"), 25},
		"Modbus":                       {502, "tcp", module("modbus"), 25},
		"Modbus elsewhere":             {1502, "tcp", module("modbus"), 25},
		"InfluxDB by its number":       {8086, "tcp", `"data": ""`, 20},
		"InfluxDB by its headers":      {8086, "tcp", module("http") + `, "data": "HTTP/1.1 404 Not Found\r\nX-Influxdb-Version: 1.8.10\r\n"`, 20},
		"InfluxDB by its product":      {8086, "tcp", module("http") + `, "product": "InfluxDB"`, 20},
		"Elasticsearch by its module":  {9200, "tcp", module("elastic"), 20},
		"Elasticsearch by its page":    {9200, "tcp", module("http-simple-new") + `, ` + page("{\n  \"tagline\" : \"You Know, for Search\"\n}"), 20},
		"a page about Elasticsearch":   {9200, "tcp", module("http-simple-new") + `, ` + page("<p>You Know, for Search</p>"), 0},
		"Elasticsearch by its product": {9200, "tcp", module("http-simple-new") + `, "product": "Elastic"`, 20},
		"CouchDB by its module":        {5984, "tcp", module("couchdb"), 20},
		"CouchDB by its product":       {5984, "tcp", module("http") + `, "product": "CouchDB"`, 20},
		"CouchDB by its page":          {5984, "tcp", module("http") + `, ` + page(`{"couchdb":"Welcome","version":"3.1.1"}`), 20},
		"CouchDB by its headers":       {5984, "tcp", module("http-simple-new") + `, "data": "HTTP/1.1 200 OK\r\nServer: CouchDB/3.1.1 (Erlang OTP/20)\r\n"`, 20},
		"CouchDB of old":               {5984, "tcp", module("http-simple-new") + `, "html": "{\"couchdb\":\"Welcome\"}"`, 20},
		"memcached":                    {11211, "tcp", module("memcache"), 20},
		"the listener of Oracle":       {1521, "tcp", module("oracle-tns"), 20},
		"a SOCKS proxy":                {1080, "tcp", module("socks"), 10},
	} {
		b, err := shodan.ParseBanner([]byte(bannerLine("192.0.2.51", tt.port, tt.transport, tt.more)))
		if err != nil {
			t.Fatal(name, err)
		}
		for source, h := range map[lookup.Source]*shodan.Host{
			lookup.Dataset: shodan.MergeBanners([]shodan.Banner{*b}),
			lookup.Shodan:  mustHost(t, fmt.Sprintf(`{"ip_str": "192.0.2.51", "ports": [%d], "tags": [], "data": [%s]}`, tt.port, b.Raw)),
		} {
			got := policyfile.Extended().Score(factsOf(h, source, nil, clock()))
			// How old the banner is adds no points.
			if int64(got.Score) != tt.score {
				t.Errorf("%s, from %s: %d, want %d: %+v", name, source, got.Score, tt.score, got.Factors)
			}
			if tt.score == 0 && len(got.SuspiciousPorts) != 0 {
				t.Errorf("%s, from %s: the ports %v are suspicious", name, source, got.SuspiciousPorts)
			}
		}
		// InternetDB has nothing but the number.
		byNumber := mustInternetDB(t, tt.port)
		if got := policyfile.Extended().Score(factsOf(byNumber, lookup.InternetDB, nil, clock())); (got.Score > 0) != (tt.port != 1502) {
			t.Errorf("%s, from InternetDB: %+v", name, got)
		}
	}
}

func TestAPortWithAServiceThatNothingNamesCountsByItsNumber(t *testing.T) {
	h := mustHost(t, `{"ip_str": "192.0.2.55", "ports": [502, 445, 3306], "tags": [], "data": [
		{"port": 502, "transport": "udp", "_shodan": {"module": "dns-udp"}}, {"port": 502, "transport": "tcp"},
		{"port": 445, "transport": "tcp"}, {"port": 445, "transport": "tcp", "_shodan": {"module": "ssh", "options": {"hostname": "a.example.com"}}}]}`)
	got := policyfile.Extended().Score(factsOf(h, lookup.Shodan, nil, clock()))
	// 502 over TCP and 3306, of which there is no banner; but not 445, where SSH answers.
	if diff := cmp.Diff([]int{502, 3306}, got.SuspiciousPorts); diff != "" || got.Score != 45 {
		t.Errorf("%d, %s", got.Score, diff)
	}
	baseline := policyfile.Baseline().Score(factsOf(mustHost(t, `{"ip_str": "192.0.2.54", "ports": [1234], "data": [{"port": 1234, "_shodan": {"module": "udpxy"}}]}`), lookup.Shodan, nil, clock()))
	if baseline.Score != 15 {
		t.Errorf("the baseline counts a port by its number: %d", baseline.Score)
	}
}

func mustHost(t *testing.T, body string) *shodan.Host {
	t.Helper()
	h, err := shodan.ParseHost([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func mustInternetDB(t *testing.T, port int) *shodan.Host {
	t.Helper()
	h, err := shodan.ParseInternetDB(fmt.Appendf(nil, `{"ip": "192.0.2.51", "ports": [%d], "cpes": [], "hostnames": [], "tags": [], "vulns": []}`, port))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

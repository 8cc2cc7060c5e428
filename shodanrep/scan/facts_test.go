package scan

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// update writes the golden results anew: go test ./shodanrep/scan -run Golden -update
var update = flag.Bool("update", false, "write the golden results of the policies on the sample")

// sampleHosts reads the hosts of the sample as a dataset makes them of its lines.
func sampleHosts(t *testing.T) []*shodan.Host {
	t.Helper()
	file, err := os.Open("../../config/sample/hosts.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	banners := map[string][]shodan.Banner{}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		b, err := shodan.ParseBanner(lines.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		banners[b.Addr.String()] = append(banners[b.Addr.String()], *b)
	}
	var hosts []*shodan.Host
	for _, list := range banners {
		hosts = append(hosts, shodan.MergeBanners(list))
	}
	slices.SortFunc(hosts, func(a, b *shodan.Host) int { return a.Addr.Compare(b.Addr) })
	return hosts
}

func TestGoldenResultsOfThePoliciesOnTheSample(t *testing.T) {
	hosts := sampleHosts(t)
	for _, name := range policyfile.Names() {
		var got strings.Builder
		for _, h := range hosts {
			facts := factsOf(h, lookup.Dataset, nil, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
			r := policyfile.BuiltIn(name).Score(facts)
			fmt.Fprintf(&got, "%s %d %s, %s, confidence %.2f\n", h.Addr, r.Score, r.Level, strings.TrimSpace(r.Hosting.Type+" "+r.Hosting.Reason), *r.Confidence)
			for _, f := range r.Factors {
				evidence, err := json.Marshal(f.Evidence)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&got, "  %d %s: %s %s\n", f.Points, f.Factor, f.Detail, evidence)
			}
		}
		path := filepath.Join("testdata", "golden", name+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s judges the sample otherwise than %s says; if that is meant, write it anew with go test ./shodanrep/scan -run Golden -update: %s", name, path, diff)
		}
	}
}

func TestFactsOfAHost(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	h, err := shodan.ParseHost([]byte(`{"ip_str": "192.0.2.1", "ports": [443, 22, 22], "asn": " as64496 ", "country_code": "NL", "hostnames": ["WWW.Example.com"], "tags": ["vpn"],
		"last_update": "2026-05-01T00:00:00.000000", "vulns": ["CVE-2024-0001", "CVE-2024-0002"], "data": [
		{"port": 443, "timestamp": "2026-05-01T00:00:00", "_shodan": {"module": "https"}, "product": "nginx ", "http": {"title": " IIS7 \n"}, "cloud": {"provider": "Z"}, "cpe": ["cpe:/a:x:y:1"],
			"ssl": {"cert": {"expired": true, "subject": {"CN": "a", "O": "b"}, "issuer": {"O": "b", "CN": "a"}}},
			"vulns": {"CVE-2024-0001": {"verified": false, "cvss": "7.5", "epss": 0.2}, "CVE-2024-0002": {"kev": "x", "epss": "high", "verified": null}}},
		{"port": 22, "timestamp": "2026-04-01T00:00:00", "_shodan": null, "http": {"title": 404}, "cloud": {"provider": "A"}, "tags": ["self-signed"],
			"ssl": {"cert": {"expires": "20260301000000Z", "subject": {"CN": "a"}, "issuer": {"CN": "b"}}},
			"vulns": {"CVE-2024-0001": {"verified": true, "kev": true, "cvss": 5}}},
		{"port": 8, "http": null, "ssl": {"cert": null}, "vulns": []}, 7]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := reputation.Host{
		Ports: []int{22, 443}, IdentifiedPorts: []int{22, 443}, Vulnerabilities: []string{"CVE-2024-0001", "CVE-2024-0002"}, Tags: []string{"vpn"}, CPEs: []string{"cpe:/a:x:y:1"}, Hostnames: []string{"www.example.com"},
		ASN: "AS64496", Country: "NL", Detailed: true,
		Details: map[string]reputation.Vulnerability{
			"CVE-2024-0001": {KEVKnown: true, Exploited: true, Verified: true, EPSS: 0.2, CVSS: 7.5}, "CVE-2024-0002": {},
		},
		Protocols: []string{"https"}, Software: []string{"nginx"}, PortsOf: map[string][]int{"https": {443}, "nginx": {443}}, Certificates: []string{"expired", "self-signed", "expired", "self-signed"}, Titles: []string{"IIS7", "404"}, Cloud: "A",
		Source: "shodan", Seen: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Now: now,
	}
	if diff := cmp.Diff(want, factsOf(h, lookup.Shodan, nil, now)); diff != "" {
		t.Error(diff)
	}
	h, err = shodan.ParseInternetDB([]byte(`{"ip": "192.0.2.1", "ports": [22], "cpes": ["cpe:/a:x:y"], "hostnames": [], "tags": [], "vulns": ["CVE-2024-0001"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if facts := factsOf(h, lookup.InternetDB, nil, now); facts.Detailed || facts.Details != nil || facts.VulnerabilitySummary() != (reputation.VulnerabilitySummary{}) || !facts.Seen.IsZero() {
		t.Errorf("InternetDB is taken to know details: %+v", facts)
	}
}

func TestThePastIsToldApart(t *testing.T) {
	h, err := shodan.ParseHost([]byte(`{"ip_str": "192.0.2.1", "ports": [443, 53], "tags": [], "data": [
		{"port": 443, "transport": "tcp", "timestamp": "2026-05-01T00:00:00", "product": "now"},
		{"port": 443, "transport": "tcp", "timestamp": "2026-04-20T00:00:00", "product": "another name", "_shodan": {"options": {"hostname": "www.example.com"}}},
		{"port": 443, "transport": "tcp", "timestamp": "2026-04-10T00:00:00", "product": "an older state", "tags": ["iot"]},
		{"port": 443, "transport": "tcp", "timestamp": "2025-04-20T00:00:00", "tags": ["malware"]},
		{"port": 23, "transport": "tcp", "timestamp": "2024-01-02T00:00:00", "tags": ["c2", "iot"]},
		{"port": 53, "transport": "udp", "timestamp": "2026-03-01T00:00:00", "product": "dns"},
		{"transport": "tcp"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	now, past := splitHistory(h)
	var products []string
	for _, b := range now.Banners {
		products = append(products, string(b.Product))
	}
	want := &reputation.Past{FirstSeen: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC), Ports: []int{443, 443, 443, 443, 23, 53}, Tags: []string{"iot", "malware", "c2", "iot"}}
	if diff := cmp.Diff(want, past); diff != "" || !slices.Equal(products, []string{"now", "another name", "dns"}) || len(h.Banners) != 7 {
		t.Errorf("now: %v, past: %s", products, diff)
	}
	if bare, none := splitHistory(&shodan.Host{}); none != nil || bare.Banners != nil {
		t.Error("a source without banners is taken to know that there was nothing")
	}
}

// captures returns the folder of what the services really answered, which is beside the project where it is developed.
func captures(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "captures")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the captured answers are not here: ", err)
	}
	return dir
}

func TestCapturedHostsAreJudged(t *testing.T) {
	judged := 0
	err := filepath.WalkDir(captures(t), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var found struct{ Matches, Data []json.RawMessage }
		if json.Unmarshal(text, &found) != nil {
			return nil
		}
		hosts := []*shodan.Host{}
		if h, err := shodan.ParseHost(text); err == nil {
			hosts = append(hosts, h)
		}
		for _, line := range found.Matches {
			if b, err := shodan.ParseBanner(line); err == nil {
				hosts = append(hosts, shodan.MergeBanners([]shodan.Banner{*b}))
			}
		}
		for _, h := range hosts {
			for _, name := range policyfile.Names() {
				sum := 0
				r := policyfile.BuiltIn(name).Score(factsOf(h, lookup.Shodan, nil, time.Now()))
				for _, f := range r.Factors {
					sum += f.Points
				}
				if sum != r.Score {
					t.Errorf("%s, %s: the factors add up to %d, the score is %d", path, name, sum, r.Score)
				}
				judged++
			}
		}
		return nil
	})
	if err != nil || judged < 100 {
		t.Errorf("%d judgements, %v", judged, err)
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
		b, err := shodan.ParseBanner([]byte(fmt.Sprintf(`{"ip_str": "192.0.2.51", "port": %d, "transport": %q, "timestamp": "2026-05-01T10:00:00", %s}`, tt.port, tt.transport, tt.more)))
		if err != nil {
			t.Fatal(name, err)
		}
		for source, h := range map[lookup.Source]*shodan.Host{
			lookup.Dataset: shodan.MergeBanners([]shodan.Banner{*b}),
			lookup.Shodan:  mustHost(t, fmt.Sprintf(`{"ip_str": "192.0.2.51", "ports": [%d], "tags": [], "data": [%s]}`, tt.port, b.Raw)),
		} {
			got := policyfile.Extended().Score(factsOf(h, source, nil, time.Now()))
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
		if got := policyfile.Extended().Score(factsOf(byNumber, lookup.InternetDB, nil, time.Now())); (got.Score > 0) != (tt.port != 1502) {
			t.Errorf("%s, from InternetDB: %+v", name, got)
		}
	}
}

func TestAPortWithAServiceThatNothingNamesCountsByItsNumber(t *testing.T) {
	h := mustHost(t, `{"ip_str": "192.0.2.55", "ports": [502, 445, 3306], "tags": [], "data": [
		{"port": 502, "transport": "udp", "_shodan": {"module": "dns-udp"}}, {"port": 502, "transport": "tcp"},
		{"port": 445, "transport": "tcp"}, {"port": 445, "transport": "tcp", "_shodan": {"module": "ssh", "options": {"hostname": "a.example.com"}}}]}`)
	got := policyfile.Extended().Score(factsOf(h, lookup.Shodan, nil, time.Now()))
	// 502 over TCP and 3306, of which there is no banner; but not 445, where SSH answers.
	if diff := cmp.Diff([]int{502, 3306}, got.SuspiciousPorts); diff != "" || got.Score != 45 {
		t.Errorf("%d, %s", got.Score, diff)
	}
	baseline := policyfile.Baseline().Score(factsOf(mustHost(t, `{"ip_str": "192.0.2.54", "ports": [1234], "data": [{"port": 1234, "_shodan": {"module": "udpxy"}}]}`), lookup.Shodan, nil, time.Now()))
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

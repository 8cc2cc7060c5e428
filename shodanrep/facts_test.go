package shodanrep

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

// update writes the golden results anew: go test ./shodanrep -run Golden -update
var update = flag.Bool("update", false, "write the golden results of the policies on the sample")

// sampleHosts reads the hosts of the sample as a dataset makes them of its lines.
func sampleHosts(t *testing.T) []*shodan.Host {
	t.Helper()
	file, err := os.Open("../config/sample/hosts.json.gz")
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
			t.Errorf("%s judges the sample otherwise than %s says; if that is meant, write it anew with go test ./shodanrep -run Golden -update: %s", name, path, diff)
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
	now, past := apart(h)
	var products []string
	for _, b := range now.Banners {
		products = append(products, string(b.Product))
	}
	want := &reputation.Past{FirstSeen: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC), Ports: []int{443, 443, 443, 443, 23, 53}, Tags: []string{"iot", "malware", "c2", "iot"}}
	if diff := cmp.Diff(want, past); diff != "" || !slices.Equal(products, []string{"now", "another name", "dns"}) || len(h.Banners) != 7 {
		t.Errorf("now: %v, past: %s", products, diff)
	}
	if bare, none := apart(&shodan.Host{}); none != nil || bare.Banners != nil {
		t.Error("a source without banners is taken to know that there was nothing")
	}
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

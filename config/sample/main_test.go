package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/dataset"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestFilesAreAsGenerated(t *testing.T) {
	t.Parallel()
	for name, want := range files() {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == hostsFile {
			// Go versions compress differently: it is the content that counts.
			r, err := gzip.NewReader(bytes.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			if !r.ModTime.IsZero() {
				t.Errorf("%s has a time in it: %v", name, r.ModTime)
			}
			if got, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
			t.Errorf("%s is not as generated; run: go run ./config/sample\n%.2000s", name, diff)
		}
	}
}

func TestEveryHostIsOfTheLevelItIsListedUnder(t *testing.T) {
	t.Parallel()
	least := []int{3, 5, 8, 10}
	for i, group := range sample {
		if len(group.hosts) < least[i] {
			t.Errorf("%d hosts are %s, not at least %d", len(group.hosts), group.level, least[i])
		}
		for _, h := range group.hosts {
			if got := h.judge(); got.Level != group.level {
				t.Errorf("%s is %s with score %d, not %s: %+v", h.addr, got.Level, got.Score, group.level, got.Factors)
			}
		}
	}
}

func TestTheDatasetReadsEveryLine(t *testing.T) {
	t.Parallel()
	d, err := dataset.Open(t.Context(), dataset.Options{Files: []string{hostsFile}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	listed := 0
	for _, group := range sample {
		listed += len(group.hosts)
	}
	if got := d.Stats(); got.BadRecords != 0 || got.Hosts != int64(listed) {
		t.Errorf("of %d hosts: %+v", listed, got)
	}
	invented := []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32"),
	}
	for h, err := range d.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(invented, func(p netip.Prefix) bool { return p.Contains(h.Addr) }) {
			t.Errorf("%s is no address for documentation", h.Addr)
		}
	}
	organizations := map[string]bool{}
	related, err := d.Related(t.Context(), shodan.SubjectCN, updates.cn, netip.Addr{}, 100)
	for _, b := range related {
		organizations[string(b.Organization)] = true
	}
	if err != nil || len(organizations) < 4 {
		t.Errorf("the certificate is in the organizations %v: %v", organizations, err)
	}
	fingerprints := map[string]bool{}
	related, err = d.Related(t.Context(), shodan.SubjectCN, shop("").cn, netip.Addr{}, 100)
	for _, b := range related {
		fingerprints[string(b.SSL.Cert.Fingerprint.SHA256)] = true
	}
	if err != nil || len(related) != 3 || len(fingerprints) != 3 {
		t.Errorf("the name has the certificates %v: %v", fingerprints, err)
	}
}

// TestTheSampleHasTheVarietyOfRealAnswers looks for what real banners have that is easily read wrong.
func TestTheSampleHasTheVarietyOfRealAnswers(t *testing.T) {
	t.Parallel()
	always := []string{"_shodan", "data", "domains", "hash", "hostnames", "isp", "location", "org", "os", "port", "timestamp", "transport"}
	seen := map[string]bool{}
	tags := map[string]bool{}
	for line := range bytes.Lines(hostLines()) {
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(line, &keys); err != nil {
			t.Fatal(err)
		}
		for _, key := range always {
			if keys[key] == nil {
				t.Errorf("no %s in %.200s", key, line)
			}
		}
		b, err := shodan.ParseBanner(line)
		if err != nil {
			t.Fatal(err)
		}
		note := func(what string, is bool) { seen[what] = seen[what] || is }
		note("an IPv6 address in a key of its own", keys["ip_str"] == nil)
		note("a negative hash", b.Hash.V < 0)
		note("a NUL byte", bytes.Contains(line, []byte(`\u0000`)))
		note("no asn", keys["asn"] == nil)
		note("no city", b.Location.City == "")
		note("an operating system", b.OS != "")
		note("no operating system", string(keys["os"]) == "null")
		note("a UDP service", b.Transport == "udp")
		note("a null title", bytes.Contains(keys["http"], []byte(`"title":null`)))
		note("no status", b.HTTP != nil && !b.HTTP.Status.Valid)
		note("an old banner", b.Timestamp.Year() < 2022)
		note("a cloud without a provider", bytes.Contains(keys["cloud"], []byte(`"provider":null`)))
		note("a cloud without a region", bytes.Contains(keys["cloud"], []byte(`"region":null`)))
		note("a CVSS score as text", bytes.Contains(keys["vulns"], []byte(`"cvss":"`)))
		note("a CVSS score as number", bytes.Contains(keys["vulns"], []byte(`"cvss":9`)))
		note("a vulnerability known to be exploited", bytes.Contains(keys["vulns"], []byte(`"kev":true`)))
		note("a verified vulnerability", bytes.Contains(keys["vulns"], []byte(`"verified":true`)))
		note("more than 10 vulnerabilities", len(b.Vulns) > 10)
		if b.SSL != nil {
			note("a serial beyond 64 bits", len(b.SSL.Cert.Serial) > 20)
			note("an expired certificate", b.SSL.Cert.Expired.V)
			note("no list of TLS versions", len(b.SSL.Versions) == 0)
		}
		for _, tag := range b.Tags {
			tags[tag] = true
		}
	}
	for what, is := range seen {
		if !is {
			t.Errorf("nowhere: %s", what)
		}
	}
	for _, tag := range []string{"c2", "malware", "vpn", "proxy", "tor", "cloud", "honeypot", "ics", "database", "eol-product", "self-signed", "compromised"} {
		if !tags[tag] {
			t.Errorf("no host is tagged %s", tag)
		}
	}
}

func TestRulesNameOnlyHostsOfTheSample(t *testing.T) {
	t.Parallel()
	records, err := csv.NewReader(bytes.NewReader(ruleLines())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[netip.Addr]bool{}
	for _, group := range sample {
		for _, h := range group.hosts {
			hosts[netip.MustParseAddr(h.addr)] = true
		}
	}
	four, six := slices.Index(records[0], "cidr_ipv4"), slices.Index(records[0], "cidr_ipv6")
	for _, record := range records[1:] {
		text := record[four] + record[six]
		if text == "" {
			continue // another group
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		if network.IsSingleIP() && !hosts[network.Addr()] && !network.Addr().IsPrivate() {
			t.Errorf("rule %s: %s is not in the sample", record[0], text)
		}
	}
}

package reputation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// today is the day on which the hosts of the tests are judged.
var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// ago is a moment some days before today.
func ago(days int) time.Time { return today.AddDate(0, 0, -days) }

// exploited, likely and tested are vulnerabilities of each kind.
var (
	exploited = reputation.Vulnerability{Exploited: true, EPSS: 0.3, CVSS: 9.8}
	likely    = reputation.Vulnerability{EPSS: 0.9, CVSS: 7.5}
	tested    = reputation.Vulnerability{Verified: true, EPSS: 0.1}
)

// vulnerable returns a host with details of its vulnerabilities, numbered from 1 on.
func vulnerable(details ...reputation.Vulnerability) reputation.Host {
	h := reputation.Host{Detailed: true, Vulnerabilities: numbered(len(details)), Details: map[string]reputation.Vulnerability{}}
	for i, v := range details {
		h.Details[h.Vulnerabilities[i]] = v
	}
	return h
}

func TestEachFactorOfTheExtendedPolicy(t *testing.T) {
	t.Parallel()
	type host = reputation.Host
	past := func(p reputation.Past) host { return host{Past: &p} }
	for name, tt := range map[string]struct {
		host host
		want []string // of each factor: its name, its points, its sentence, its evidence
	}{
		"nothing known against it": {host{Ports: []int{80, 443}, Tags: []string{"cdn", "starttls"}}, nil},

		"a command-and-control server": {host{Tags: []string{"c2"}}, []string{`malice 50 tagged c2 (answers as a command-and-control server) ["c2"]`}},
		"malware beside it is capped":  {host{Tags: []string{"c2", "malware"}}, []string{`malice 60 tagged c2 (answers as a command-and-control server), malware (answers as malware does) ["c2","malware"]`}},
		"DoublePulsar":                 {host{Tags: []string{"doublepulsar"}}, []string{`malice 50 tagged doublepulsar (has the DoublePulsar backdoor) ["doublepulsar"]`}},
		"a host that was broken into":  {host{Tags: []string{"compromised"}}, []string{`malice 35 tagged compromised (shows signs of a break-in) ["compromised"]`}},
		"a scanner":                    {host{Tags: []string{"scanner"}}, []string{`malice 15 tagged scanner (scans the internet) ["scanner"]`}},
		"Cobalt Strike without a tag": {host{Software: []string{"nginx", "Cobalt Strike Beacon"}}, []string{
			`malicious_software 50 attackers' software answers: Cobalt Strike Beacon (controls what attackers have taken over) ["Cobalt Strike Beacon"]`,
		}},
		"two trojans count as one": {host{Software: []string{"njRAT trojan", "DarkComet trojan"}}, []string{
			`malicious_software 50 attackers' software answers: DarkComet trojan (controls what it has infected), njRAT trojan (controls what it has infected) ["DarkComet trojan","njRAT trojan"]`,
		}},
		"software that only looks like malice": {host{Software: []string{"Cobalt RaQ", "Trojan Horse Museum"}}, nil},
		"a tag that only looks like malice":    {host{Tags: []string{"C2", "c2x"}}, nil},

		"one exploited vulnerability": {vulnerable(exploited), []string{
			`known_exploited 20 a vulnerability that is known to be exploited: CVE-2024-0001 ["CVE-2024-0001"]`,
			`vulnerabilities 5 1 known vulnerability ["CVE-2024-0001"]`,
		}},
		"five of them are capped": {vulnerable(slices.Repeat([]reputation.Vulnerability{exploited}, 5)...), []string{
			`known_exploited 35 5 vulnerabilities that are known to be exploited: CVE-2024-0001, CVE-2024-0002, CVE-2024-0003, CVE-2024-0004, CVE-2024-0005 ["CVE-2024-0001","CVE-2024-0002","CVE-2024-0003","CVE-2024-0004","CVE-2024-0005"]`,
			`vulnerabilities 5 5 known vulnerabilities, more than 0 ["CVE-2024-0001","CVE-2024-0002","CVE-2024-0003","CVE-2024-0004","CVE-2024-0005"]`,
		}},
		"two likely ones": {vulnerable(likely, likely), []string{
			`likely_exploited 12 2 vulnerabilities more likely than not to be exploited within 30 days: CVE-2024-0001, CVE-2024-0002 ["CVE-2024-0001","CVE-2024-0002"]`,
			`vulnerabilities 5 2 known vulnerabilities, more than 0 ["CVE-2024-0001","CVE-2024-0002"]`,
		}},
		"one that is exactly as likely as not": {vulnerable(reputation.Vulnerability{EPSS: 0.5}), []string{`vulnerabilities 5 1 known vulnerability ["CVE-2024-0001"]`}},
		"one that Shodan tested": {vulnerable(tested), []string{
			`verified_vulnerabilities 15 a vulnerability that Shodan tested: CVE-2024-0001 ["CVE-2024-0001"]`,
			`vulnerabilities 5 1 known vulnerability ["CVE-2024-0001"]`,
		}},
		"details of one of two": {host{Detailed: true, Vulnerabilities: numbered(2), Details: map[string]reputation.Vulnerability{"CVE-2024-0002": {KEVKnown: true}}}, []string{
			`vulnerabilities 5 1 known vulnerability ["CVE-2024-0002"]`,
			`unweighed_vulnerabilities 10 1 known vulnerability; the source does not say how bad it is ["CVE-2024-0001"]`,
		}},
		"banners without details": {vulnerable(slices.Repeat([]reputation.Vulnerability{{Verified: false, CVSS: 9}}, 2)...), []string{
			`unweighed_vulnerabilities 10 2 known vulnerabilities, more than 0; the source does not say how bad they are ["CVE-2024-0001","CVE-2024-0002"]`,
		}},
		"vulnerabilities of which there is no detail": {host{Vulnerabilities: numbered(2)}, []string{
			`unweighed_vulnerabilities 10 2 known vulnerabilities, more than 0; the source does not say how bad they are ["CVE-2024-0001","CVE-2024-0002"]`,
		}},

		"a database by its port":                    {host{Ports: []int{6379, 80}}, []string{`exposed_databases 20 a database faces the internet: 6379 (Redis, which asks for no password by itself) {"ports":[6379]}`}},
		"two by their ports":                        {host{Ports: []int{27017, 3306}}, []string{`exposed_databases 25 a database faces the internet: 3306 (MySQL), 27017 (MongoDB) {"ports":[3306,27017]}`}},
		"one database seen in four ways":            {host{Ports: []int{27017}, Protocols: []string{"mongodb"}, CPEs: []string{"cpe:/a:mongodb:mongodb:4.4"}, Tags: []string{"database"}}, []string{`exposed_databases 20 a database faces the internet: 27017 (MongoDB), mongodb, mongodb:mongodb, database {"ports":[27017],"products":["mongodb:mongodb"],"protocols":["mongodb"],"tags":["database"]}`}},
		"one by the newer CPE, on any port":         {host{Ports: []int{12121}, CPEs: []string{"cpe:2.3:a:redis:redis:6.0:*:*:*:*:*:*:*"}}, []string{`exposed_databases 20 a database faces the internet: redis:redis {"products":["redis:redis"]}`}},
		"remote administration":                     {host{Ports: []int{3389}}, []string{`remote_administration 15 remote administration faces the internet: 3389 (RDP, a favourite of ransomware) {"ports":[3389]}`}},
		"remote administration on other port":       {host{Ports: []int{13389}, Protocols: []string{"rdp"}}, []string{`remote_administration 15 remote administration faces the internet: rdp {"protocols":["rdp"]}`}},
		"a control system":                          {host{Ports: []int{502}, Tags: []string{"ics"}}, []string{`industrial_protocols 25 a control system faces the internet: 502 (Modbus), ics {"ports":[502],"tags":["ics"]}`}},
		"suspicious ports":                          {host{Ports: []int{4444, 31337, 6667}}, []string{`suspicious_ports 15 what seldom serves a good purpose: 4444 (the listener of Metasploit), 6667 (IRC, also of botnets), 31337 (Back Orifice) {"ports":[4444,6667,31337]}`}},
		"a proxy on any port":                       {host{Ports: []int{10443}, IdentifiedPorts: []int{10443}, Protocols: []string{"socks"}}, []string{`suspicious_ports 10 what seldom serves a good purpose: socks (SOCKS proxy) {"protocols":["socks"]}`}},
		"ports of which a banner says what answers": {host{Ports: []int{102, 445, 502, 1234, 5900, 8086}, IdentifiedPorts: []int{102, 445, 502, 1234, 5900, 8086}, Protocols: []string{"ike", "ssh", "dns-udp", "udpxy", "http"}}, nil},
		"one of two ports":                          {host{Ports: []int{3306, 5432}, IdentifiedPorts: []int{5432, 99}}, []string{`exposed_databases 20 a database faces the internet: 3306 (MySQL) {"ports":[3306]}`}},
		"a database that speaks HTTP":               {host{Ports: []int{9200}, IdentifiedPorts: []int{9200}, Protocols: []string{"http-simple-new"}, Software: []string{"Elasticsearch"}}, []string{`exposed_databases 20 a database faces the internet: Elasticsearch {"software":["Elasticsearch"]}`}},
		"an ordinary port for applications":         {host{Ports: []int{8080, 8443}}, nil},
		"out of support":                            {host{Tags: []string{"eol-os", "eol-product"}}, []string{`end_of_life 15 out of support: eol-os (its system gets no fixes any more), eol-product (gets no fixes any more) ["eol-os","eol-product"]`}},
		"a self-signed certificate":                 {host{Tags: []string{"self-signed"}, Certificates: []string{"self-signed"}}, []string{`certificates 5 certificates that no one vouches for: self-signed {"certificates":["self-signed"],"tags":["self-signed"]}`}},
		"an expired certificate as well":            {host{Certificates: []string{"self-signed", "expired", "expired"}}, []string{`certificates 8 certificates that no one vouches for: expired, self-signed {"certificates":["expired","self-signed"]}`}},
		"a default page":                            {host{Titles: []string{"Shop", "Welcome to nginx! - here"}}, []string{`default_pages 5 a page that nobody set up: Welcome to nginx! - here ["Welcome to nginx! - here"]`}},
		"more than fifty ports":                     {host{Ports: quiet(51)}, []string{`open_ports 15 51 open ports, more than 50 ` + jsonOf(quiet(51))}},
		"more than twenty ports":                    {host{Ports: quiet(21)}, []string{`open_ports 10 21 open ports, more than 20 ` + jsonOf(quiet(21))}},

		"a cloud":                         {host{Tags: []string{"cloud"}}, []string{`hosting_type 5 the type of hosting: cloud (tag cloud) ["tag cloud"]`}},
		"a domain that only is called so": {host{Hostnames: []string{"vpn.example"}}, nil}, // the domain itself says nothing
		"a VPN's name":                    {host{Hostnames: []string{"VPN-12.example.net"}}, []string{`hosting_type 10 the type of hosting: vpn (name vpn-12.example.net) ["name vpn-12.example.net"]`}},
		"an open proxy":                   {host{Tags: []string{"proxy", "cloud"}}, []string{`hosting_type 15 the type of hosting: proxy (tag proxy) ["tag proxy"]`}},
		"a Tor exit":                      {host{Tags: []string{"tor", "vpn"}}, []string{`hosting_type 20 the type of hosting: tor (tag tor) ["tag tor"]`}},
		"a bulletproof":                   {host{ASN: "AS198953", Tags: []string{"tor"}}, []string{`hosting_type 30 the type of hosting: bulletproof (AS198953 Proton66, on the list bulletproof) ["AS198953 Proton66, on the list bulletproof"]`}},
		"past malice":                     {past(reputation.Past{Tags: []string{"c2", "cloud", "malware"}}), []string{`past_malice 20 in the past tagged c2, malware ["c2","malware"]`}},
		"services that go":                {past(reputation.Past{Ports: quiet(6)}), []string{`changing_services 5 6 ports were open in the past and are not now, more than 5 ` + jsonOf(quiet(6))}},
		"many that go":                    {past(reputation.Past{Ports: quiet(21)}), []string{`changing_services 10 21 ports were open in the past and are not now, more than 20 ` + jsonOf(quiet(21))}},
		"a country, of which the policy lists none": {host{Country: "NL"}, nil},

		"data of the day before yesterday": {host{Seen: ago(2), Now: today}, nil},
		"data of last year":                {host{Seen: ago(200), Now: today}, []string{`stale_data 0 last seen 200 days ago, more than 90: what it says may no longer hold [200]`}},
		"a honeypot counts for less, as far as zero": {host{Tags: []string{"honeypot", "eol-os"}}, []string{
			`end_of_life 10 out of support: eol-os (its system gets no fixes any more) ["eol-os"]`,
			`honeypot -10 tagged honeypot (pretends to be vulnerable, to watch attackers) ["honeypot"]`,
		}},
		"on the deny list": {host{Tags: []string{"cloud"}, Listed: reputation.Listing{List: reputation.Deny, Entry: "203.0.113.0/24", Reason: "attacked us"}}, []string{
			`hosting_type 5 the type of hosting: cloud (tag cloud) ["tag cloud"]`,
			`deny_list 45 on the deny list: attacked us ["203.0.113.0/24"]`,
		}},
		"bad enough without the deny list": {host{Tags: []string{"c2"}, Listed: reputation.Listing{List: reputation.Deny, Entry: "AS64496", Reason: "AS64496"}}, []string{
			`malice 50 tagged c2 (answers as a command-and-control server) ["c2"]`,
			`deny_list 0 on the deny list: AS64496 ["AS64496"]`,
		}},
		"on the allow list": {host{Tags: []string{"c2"}, Listed: reputation.Listing{List: reputation.Allow, Entry: "203.0.113.7", Reason: "our scanner"}}, []string{
			`malice 50 tagged c2 (answers as a command-and-control server) ["c2"]`,
			`allow_list -36 on the allow list: our scanner ["203.0.113.7"]`,
		}},
		"good enough without the allow list": {host{Listed: reputation.Listing{List: reputation.Allow, Entry: "203.0.113.7", Reason: "our scanner"}}, []string{
			`allow_list 0 on the allow list: our scanner ["203.0.113.7"]`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := policyfile.Extended().Score(tt.host)
			var factors []string
			for _, f := range got.Factors {
				factors = append(factors, fmt.Sprintf("%s %d %s %s", f.Factor, f.Points, f.Detail, jsonOf(f.Evidence)))
			}
			if diff := cmp.Diff(tt.want, factors); diff != "" {
				t.Errorf("want (-), got (+): %s", diff)
			}
		})
	}
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestEveryFactorOfTheExtendedPolicyHasACaseAndAReference(t *testing.T) {
	t.Parallel()
	everything := vulnerable(exploited, likely, tested)
	everything.Ports = append(quiet(60), 3306, 3389, 502, 4444)
	everything.Tags = []string{"c2", "tor", "eol-os", "self-signed", "honeypot"}
	everything.Software = []string{"Cobalt Strike Beacon"}
	everything.Titles, everything.Seen, everything.Now = []string{"IIS7"}, ago(400), today
	everything.Past = &reputation.Past{Tags: []string{"c2"}, Ports: quiet(90)}
	seen := map[string]bool{}
	for _, list := range []reputation.List{reputation.Allow, reputation.Deny} {
		for _, detailed := range []bool{true, false} {
			h := everything
			h.Listed = reputation.Listing{List: list, Entry: "AS64496", Reason: "ours"}
			if !detailed {
				h.Detailed, h.Details = false, nil
			}
			for _, f := range policyfile.Extended().Score(h).Factors {
				seen[f.Factor] = true
			}
		}
	}
	for _, rule := range policyfile.Extended().Factors {
		if !seen[rule.Name] && rule.Name != "geography" { // which lists no country
			t.Errorf("nothing makes %s count", rule.Name)
		}
		if rule.Reference == "" {
			t.Errorf("%s has no reference", rule.Name)
		}
	}
}

func TestAPolicyAsksForWhatItNeeds(t *testing.T) {
	t.Parallel()
	if policyfile.Baseline().NeedsBanners() || policyfile.Baseline().History {
		t.Error("the baseline asks for more than a summary")
	}
	if !policyfile.Extended().NeedsBanners() || policyfile.Extended().History {
		t.Error("the extended policy asks for no banners, or for history, which it must not by itself")
	}
}

func TestDetailsOfVulnerabilitiesAreSummedUp(t *testing.T) {
	t.Parallel()
	h := vulnerable(exploited, likely, tested, reputation.Vulnerability{})
	want := reputation.VulnerabilitySummary{MaxCVSS: new(9.8), MaxEPSS: new(0.9), Exploited: new(1), Verified: new(1)}
	if diff := cmp.Diff(want, h.VulnerabilitySummary()); diff != "" {
		t.Error(diff)
	}
	h = reputation.Host{Detailed: true}
	if diff := cmp.Diff(reputation.VulnerabilitySummary{Exploited: new(0), Verified: new(0)}, h.VulnerabilitySummary()); diff != "" {
		t.Errorf("without vulnerabilities: %s", diff)
	}
	h = vulnerable(reputation.Vulnerability{CVSS: 7.2}, reputation.Vulnerability{CVSS: 5})
	if diff := cmp.Diff(reputation.VulnerabilitySummary{MaxCVSS: new(7.2), Verified: new(0)}, h.VulnerabilitySummary()); diff != "" {
		t.Errorf("where no banner says what is exploited: %s", diff)
	}
	h = vulnerable(reputation.Vulnerability{}, reputation.Vulnerability{KEVKnown: true})
	if diff := cmp.Diff(reputation.VulnerabilitySummary{Exploited: new(0), Verified: new(0)}, h.VulnerabilitySummary()); diff != "" {
		t.Errorf("where one banner says so: %s", diff)
	}
	h = reputation.Host{Vulnerabilities: numbered(3)}
	if diff := cmp.Diff(reputation.VulnerabilitySummary{}, h.VulnerabilitySummary()); diff != "" {
		t.Errorf("where the source has no details they are not known, and not 0: %s", diff)
	}
}

func TestConfidence(t *testing.T) {
	t.Parallel()
	known := reputation.Host{Source: "shodan", Seen: ago(1), Now: today}
	for name, tt := range map[string]struct {
		change func(*reputation.Host)
		want   float64
	}{
		"fresh from Shodan":                 {func(*reputation.Host) {}, 0.95},
		"from a dataset":                    {func(h *reputation.Host) { h.Source = "dataset" }, 0.95},
		"from InternetDB, which has no age": {func(h *reputation.Host) { h.Source, h.Seen = "internetdb", time.Time{} }, 0.63},
		"thirty days old":                   {func(h *reputation.Host) { h.Seen = ago(30) }, 0.95},
		"thirty-one days old":               {func(h *reputation.Host) { h.Seen = ago(31) }, 0.86},
		"half a year old":                   {func(h *reputation.Host) { h.Seen = ago(180) }, 0.66},
		"two years old":                     {func(h *reputation.Host) { h.Seen = ago(730) }, 0.38},
		"seen in the future":                {func(h *reputation.Host) { h.Seen = ago(-3) }, 0.95},
		"vulnerabilities nobody tested":     {func(h *reputation.Host) { h.Vulnerabilities = numbered(3) }, 0.76},
		"vulnerabilities, one of them tested": {func(h *reputation.Host) {
			h.Vulnerabilities, h.Details = numbered(3), map[string]reputation.Vulnerability{"CVE-2024-0002": tested}
		}, 0.95},
		"a honeypot": {func(h *reputation.Host) { h.Tags = []string{"honeypot"} }, 0.48},
	} {
		h := known
		tt.change(&h)
		if got := policyfile.Extended().Score(h); !cmp.Equal(got.Confidence, &tt.want) || got.Honeypot != (name == "a honeypot") {
			t.Errorf("%s: confidence %s, honeypot %v, want %v", name, jsonOf(got.Confidence), got.Honeypot, tt.want)
		}
	}
}

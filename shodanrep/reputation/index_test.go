package reputation

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// words of the invented policies and hosts: few, so that they meet often.
var (
	testPorts = []int{22, 23, 80, 443, 3306, 4444, 8080}
	testTexts = map[string][]string{
		factVulnerabilities: {"CVE-2020-0001", "CVE-2020-0002", "CVE-2021-44228", "CVE-2022-12345"},
		"tags":              {"c2", "tor", "vpn", "cloud", "honeypot", "self-signed"},
		"products":          {"f5:nginx", "mysql:mysql", "redis:redis"},
		factProtocols:       {"http", "redis", "rdp"},
		factSoftware:        {"nginx", "Cobalt Strike Beacon", "njRAT trojan"},
		"certificates":      {"expired", "self-signed"},
		"titles":            {"Welcome to nginx!", "IIS7"},
		"hostnames":         {"vpn-1.example.net", "44.dsl.isp.example", "www.example.com"},
		"asn":               {"AS64496", "AS64497"},
		"country":           {"NL", "DE"},
		factHosting:         {"tor", "vpn", unknownHosting},
		factListed:          {"allow", "deny"},
		"past_tags":         {"c2", "tor"},
	}
	withPatterns = []string{"tags", "products", factProtocols, factSoftware, "titles", "hostnames", "past_tags"}
)

// some returns up to n values of a list.
func some[T any](rng *rand.Rand, n int, list []T) (values []T) {
	for range rng.IntN(n + 1) {
		values = append(values, list[rng.IntN(len(list))])
	}
	return values
}

// randomMatch invents a match.
func randomMatch(rng *rand.Rand) *Match {
	names := FactNames()
	fact := FactByName(names[rng.IntN(len(names))])
	for fact.Numeric {
		fact = FactByName(names[rng.IntN(len(names))])
	}
	m := &Match{Fact: fact.Name, Unidentified: fact.ports != nil && rng.IntN(2) == 0}
	add := func(text string) {
		v := &Value{Text: text, Reason: []string{"", "why"}[rng.IntN(2)]}
		if rng.IntN(3) == 0 {
			v.Points = new(rng.IntN(20))
		}
		m.Values = append(m.Values, v)
	}
	if fact.ports != nil {
		for _, port := range some(rng, 4, testPorts) {
			add(strconv.Itoa(port))
		}
		return m
	}
	for _, text := range some(rng, 3, testTexts[fact.Name]) {
		if slices.Contains(withPatterns, fact.Name) && rng.IntN(3) == 0 {
			text = []string{text[:2] + "*", "*" + text[1:], "*" + text[1:2] + "*"}[rng.IntN(3)]
		}
		add(text)
	}
	if fact.Name == factVulnerabilities || rng.IntN(8) == 0 {
		m.Exploited, m.Verified = rng.IntN(3) == 0, rng.IntN(3) == 0
		if rng.IntN(3) == 0 {
			m.EPSSOver = new(float64(rng.IntN(3)-1) * 0.4) // also below 0, which a vulnerability without details is over
		}
		if rng.IntN(4) == 0 {
			m.CVSSOver = new(float64(rng.IntN(3)-1) * 4)
		}
	}
	return m
}

// randomPolicy invents a policy with any number of rules.
func randomPolicy(t *testing.T, rng *rand.Rand) *Policy {
	p := &Policy{
		Name: "invented", Thresholds: []Threshold{{Critical, 50}, {High, 35}, {Medium, 15}},
		Hosting: []*HostingRule{{Type: "tor", Tags: []string{"tor"}}, {Type: "vpn", Words: []string{"vpn"}, LineWords: []string{"dsl"}}},
	}
	names := FactNames()
	for i := range 1 + rng.IntN(150) {
		r := &Rule{
			Name: fmt.Sprint("rule ", i), Points: rng.IntN(40) - 10, Each: rng.IntN(5), Cap: rng.IntN(3) * 20,
			Only: []Only{"", "", "", WithDetails, WithoutDetails}[rng.IntN(5)], Detail: "{count}", DetailOne: "one",
		}
		if rng.IntN(4) == 0 {
			r.Count, r.Steps = names[rng.IntN(len(names))], []Step{{3, 20}, {rng.IntN(4) - 1, 5}}
		} else {
			r.Detail = "{count}: {values}, {reasons}"
			for range 1 + rng.IntN(3) {
				r.Matches = append(r.Matches, randomMatch(rng))
			}
		}
		p.Factors = append(p.Factors, r)
	}
	if err := p.Compile(); err != nil {
		t.Fatal(err)
	}
	return p
}

// inventedHost invents a host that has what the invented policies match.
func inventedHost(rng *rand.Rand) Host {
	texts := func(fact string) []string { return some(rng, 3, testTexts[fact]) }
	one := func(fact string) string { return append(testTexts[fact], "")[rng.IntN(len(testTexts[fact])+1)] }
	h := Host{
		Ports: some(rng, 5, testPorts), Vulnerabilities: texts(factVulnerabilities), Tags: texts("tags"), Hostnames: texts("hostnames"),
		ASN: one("asn"), Country: one("country"), Source: "internetdb", Listed: Listing{List: List(one(factListed)), Entry: "entry", Reason: "reason"},
	}
	for _, product := range texts("products") {
		h.CPEs = append(h.CPEs, "cpe:/a:"+product+":1")
	}
	if rng.IntN(2) == 0 {
		return h
	}
	h.Detailed, h.Details, h.PortsOf = true, map[string]Vulnerability{}, map[string][]int{}
	for _, id := range some(rng, 5, testTexts[factVulnerabilities]) {
		h.Details[id] = Vulnerability{Exploited: rng.IntN(3) == 0, Verified: rng.IntN(3) == 0, EPSS: float64(rng.IntN(3)) * 0.3, CVSS: float64(rng.IntN(10))}
	}
	h.IdentifiedPorts, h.Protocols, h.Software = some(rng, 4, testPorts), texts(factProtocols), texts(factSoftware)
	for _, name := range slices.Concat(h.Protocols, h.Software) {
		h.PortsOf[name] = append(h.PortsOf[name], testPorts[rng.IntN(len(testPorts))])
	}
	h.Certificates, h.Titles = texts("certificates"), texts("titles")
	h.Now = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	h.Seen = h.Now.AddDate(0, 0, -rng.IntN(10))
	if rng.IntN(2) == 0 {
		h.Past = &Past{Ports: some(rng, 5, testPorts), Tags: texts("past_tags")}
	}
	return h
}

// plainValue reads a match as the documentation says it: the first of its values that a value of the host has.
func plainValue(m *Match, text string) bool {
	return slices.ContainsFunc(m.Values, func(v *Value) bool {
		rest, anyStart := strings.CutPrefix(v.Text, "*")
		rest, anyEnd := strings.CutSuffix(rest, "*")
		return text == v.Text || anyStart && anyEnd && strings.Contains(text, rest) ||
			anyStart && strings.HasSuffix(text, rest) && !anyEnd || anyEnd && strings.HasPrefix(text, rest) && !anyStart
	})
}

// plainlyMatches reports whether a host has what a match says, without what Compile prepares.
func plainlyMatches(m *Match, f *facts) bool {
	fact := FactByName(m.Fact)
	if fact.ports != nil {
		ports := fact.ports(f)
		if m.Unidentified {
			ports = slices.DeleteFunc(slices.Clone(f.ports), func(port int) bool { return slices.Contains(f.host.IdentifiedPorts, port) })
		}
		return slices.ContainsFunc(ports, func(port int) bool { return plainValue(m, strconv.Itoa(port)) })
	}
	return slices.ContainsFunc(fact.texts(f), func(text string) bool {
		v := f.host.Details[text]
		limited := m.Exploited || m.Verified || m.EPSSOver != nil || m.CVSSOver != nil
		if m.Exploited && !v.Exploited || m.Verified && !v.Verified || m.EPSSOver != nil && v.EPSS <= *m.EPSSOver || m.CVSSOver != nil && v.CVSS <= *m.CVSSOver {
			return false
		}
		return limited && len(m.Values) == 0 || plainValue(m, text)
	})
}

// plainlyApplies reports whether a rule applies to a host.
func plainlyApplies(r *Rule, f *facts) bool {
	all := f.vulnerabilities
	defer func() { f.vulnerabilities = all }()
	if r.Only != "" {
		f.vulnerabilities = slices.DeleteFunc(slices.Clone(all), func(id string) bool {
			v := f.host.Details[id]
			return (v.KEVKnown || v.Exploited || v.EPSS > 0) != (r.Only == WithDetails)
		})
		if len(f.vulnerabilities) == 0 {
			return false
		}
	}
	if r.Count != "" {
		n := FactByName(r.Count).count(f)
		return slices.ContainsFunc(r.Steps, func(s Step) bool { return n > s.Over })
	}
	return slices.ContainsFunc(r.Matches, func(m *Match) bool { return plainlyMatches(m, f) })
}

// Fewer returns how many random policies or hosts a test tries: all, or a tenth of them with -short. "make test" does both,
// see the Makefile.
func Fewer(all int) int {
	if testing.Short() {
		return all / 10
	}
	return all
}

func TestTheIndexOfRulesChangesNoScore(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 12))
	applied, skipped := 0, 0
	for range Fewer(40) {
		p := randomPolicy(t, rng)
		every := *p
		every.rules = ruleIndex{always: ^ruleSet(0)}
		for range 50 {
			h := inventedHost(rng)
			got := p.Score(h)
			if want := every.Score(h); !reflect.DeepEqual(want, got) {
				t.Fatalf("the score is not that of a policy that tries every rule: %s\n%+v", cmp.Diff(want, got), h)
			}
			f := p.factsOf(&h)
			var want, have []string
			for i, rule := range p.Factors {
				if plainlyApplies(rule, f) {
					want = append(want, rule.Name)
				}
				if !p.rules.candidates(f).has(i) {
					skipped++
				}
			}
			for _, factor := range got.Factors {
				have = append(have, factor.Factor)
			}
			if !slices.Equal(want, have) {
				t.Fatalf("factors %q, want %q: %+v", have, want, h)
			}
			applied += len(have)
			f.release()
		}
	}
	if applied == 0 || skipped == 0 {
		t.Errorf("%d rules applied and %d were skipped", applied, skipped)
	}
}

func TestResultsKeepTheirEvidenceWhenOtherHostsAreScored(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(13, 14))
	p := randomPolicy(t, rng)
	var results []Result
	var before []string
	for range 200 {
		result := p.Score(inventedHost(rng))
		results, before = append(results, result), append(before, fmt.Sprintf("%+v", result.Factors))
	}
	for i, result := range results {
		if after := fmt.Sprintf("%+v", result.Factors); after != before[i] {
			t.Fatalf("was\n%s\nis\n%s", before[i], after)
		}
	}
}

// BenchmarkScoreInternetDB scores hosts as InternetDB has them: few facts, and no banners.
func BenchmarkScoreInternetDB(b *testing.B) {
	rng := rand.New(rand.NewPCG(15, 16))
	p := &Policy{Thresholds: []Threshold{{Medium, 15}}, Hosting: []*HostingRule{{Type: "vpn", Tags: []string{"vpn"}}}}
	for i := range 25 { // as many as the policy extended
		r := &Rule{Name: fmt.Sprint(i), Points: 10, Detail: "found: {values}"}
		for range 2 {
			m := &Match{Fact: []string{factPorts, "tags", "products"}[rng.IntN(3)]}
			for n := range 8 {
				text := fmt.Sprintf("some:%d", rng.IntN(500))
				if m.Fact == factPorts {
					text = strconv.Itoa(1 + n*200 + rng.IntN(200))
				}
				m.Values = append(m.Values, &Value{Text: text})
			}
			r.Matches = append(r.Matches, m)
		}
		p.Factors = append(p.Factors, r)
	}
	if err := p.Compile(); err != nil {
		b.Fatal(err)
	}
	hosts := make([]Host, 64)
	for i := range hosts {
		hosts[i] = Host{
			Ports: []int{22, 80, 443 + rng.IntN(1000)}, Tags: []string{"vpn"}, Hostnames: []string{fmt.Sprintf("host%d.example.net", i)},
			CPEs: []string{fmt.Sprintf("cpe:/a:some:%d:1", rng.IntN(500))}, Source: "internetdb",
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Score(hosts[i%len(hosts)])
	}
}

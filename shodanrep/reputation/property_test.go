package reputation_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// ranks are the levels, the worse the higher.
var ranks = map[reputation.Level]int{reputation.Critical: 3, reputation.High: 2, reputation.Medium: 1, reputation.Low: 0}

// ofAny returns up to n values of a list, by chance.
func ofAny[T any](rng *rand.Rand, n int, list ...T) []T {
	var values []T
	for range rng.IntN(n + 1) {
		values = append(values, list[rng.IntN(len(list))])
	}
	return values
}

// randomVulnerability invents what is known of one.
func randomVulnerability(rng *rand.Rand) reputation.Vulnerability {
	return reputation.Vulnerability{KEVKnown: rng.IntN(2) == 0, Exploited: rng.IntN(4) == 0, Verified: rng.IntN(4) == 0, EPSS: float64(rng.IntN(3)) * 0.4, CVSS: float64(rng.IntN(11))}
}

// randomHost invents a host, as one of the sources may know it; the same rng gives the same hosts.
func randomHost(rng *rand.Rand) reputation.Host {
	h := reputation.Host{
		Vulnerabilities: numbered(rng.IntN(14)),
		Ports:           append(quiet(rng.IntN(60)), ofAny(rng, 4, 4444, 8080, 1080, 443, 6379, 3306, 3389, 23, 502, 31337)...),
		Tags:            ofAny(rng, 5, "cdn", "cloud", "vpn", "tor", "proxy", "honeypot", "c2", "malware", "compromised", "scanner", "eol-os", "self-signed", "database"),
		CPEs:            ofAny(rng, 2, "cpe:/a:mongodb:mongodb:4.4", "cpe:/a:openbsd:openssh:9.6", "cpe:2.3:a:redis:redis:6.0:*:*:*:*:*:*:*"),
		Hostnames:       ofAny(rng, 3, "vpn-1.example.net", "44.dsl.isp.example", "static-9.isp.example", "www.example.com", "tor-exit.example.net"),
		Source:          "internetdb",
		Now:             today,
	}
	if rng.IntN(3) == 0 {
		h.Listed = reputation.Listing{List: []reputation.List{reputation.Allow, reputation.Deny}[rng.IntN(2)], Entry: "203.0.113.0/24", Reason: "ours"}
	}
	if rng.IntN(2) == 0 {
		return h
	}
	h.Source, h.Detailed, h.Details = "shodan", true, map[string]reputation.Vulnerability{}
	for _, id := range h.Vulnerabilities {
		h.Details[id] = randomVulnerability(rng)
	}
	h.ASN = []string{"AS198953", "AS9009", "AS16509", "AS7922", "AS64496", ""}[rng.IntN(6)]
	h.IdentifiedPorts = ofAny(rng, 3, 4444, 6379, 3389, 502)
	h.Protocols = ofAny(rng, 3, "ssh", "http", "redis", "rdp", "modbus")
	h.Certificates = ofAny(rng, 2, "expired", "self-signed")
	h.Titles = ofAny(rng, 2, "Welcome to nginx!", "Shop", "IIS7")
	h.Software = ofAny(rng, 2, "nginx", "Cobalt Strike Beacon", "njRAT trojan")
	h.Seen = ago(rng.IntN(500))
	if rng.IntN(2) == 0 {
		h.Past = &reputation.Past{Ports: quiet(rng.IntN(90)), Tags: ofAny(rng, 3, "c2", "malware", "cloud"), FirstSeen: ago(700)}
	}
	return h
}

// copyOf returns a host of which the lists can be changed.
func copyOf(h reputation.Host) reputation.Host {
	for _, list := range []*[]string{&h.Vulnerabilities, &h.Tags, &h.CPEs, &h.Hostnames, &h.Protocols, &h.Certificates, &h.Titles, &h.Software} {
		*list = slices.Clone(*list)
	}
	h.Ports = slices.Clone(h.Ports)
	details := map[string]reputation.Vulnerability{}
	for id, v := range h.Details {
		details[id] = v
	}
	h.Details = details
	if h.Past != nil {
		h.Past = &reputation.Past{Ports: slices.Clone(h.Past.Ports), Tags: slices.Clone(h.Past.Tags), FirstSeen: h.Past.FirstSeen}
	}
	return h
}

// badFacts are what can only make a host worse: each changes one thing.
var badFacts = map[string]func(*rand.Rand, *reputation.Host){
	"a port": func(rng *rand.Rand, h *reputation.Host) {
		h.Ports = append(h.Ports, []int{4444, 6379, 3389, 502, 22, 8080, 47808, 31337}[rng.IntN(8)])
	},
	"a tag": func(rng *rand.Rand, h *reputation.Host) {
		h.Tags = append(h.Tags, []string{"c2", "malware", "doublepulsar", "compromised", "scanner", "tor", "proxy", "vpn", "cloud", "self-signed", "eol-os", "eol-product", "database", "ics"}[rng.IntN(14)])
	},
	"a vulnerability": func(rng *rand.Rand, h *reputation.Host) {
		id := fmt.Sprintf("CVE-1999-%04d", rng.IntN(9999))
		h.Vulnerabilities = append(h.Vulnerabilities, id)
		if h.Detailed {
			h.Details[id] = randomVulnerability(rng)
		}
	},
	"more known of a vulnerability": func(rng *rand.Rand, h *reputation.Host) {
		if !h.Detailed || len(h.Vulnerabilities) == 0 {
			return
		}
		id := h.Vulnerabilities[rng.IntN(len(h.Vulnerabilities))]
		v := h.Details[id]
		if v == (reputation.Vulnerability{Verified: v.Verified, CVSS: v.CVSS}) {
			return // of which there are no details: those can also show that it is less bad than it had to be taken for
		}
		v.Exploited, v.Verified, v.EPSS = v.Exploited || rng.IntN(2) == 0, v.Verified || rng.IntN(2) == 0, min(1, v.EPSS+0.3)
		h.Details[id] = v
	},
	"a product":     func(_ *rand.Rand, h *reputation.Host) { h.CPEs = append(h.CPEs, "cpe:/a:memcached:memcached:1.6") },
	"a protocol":    func(_ *rand.Rand, h *reputation.Host) { h.Protocols = append(h.Protocols, "vnc") },
	"a certificate": func(_ *rand.Rand, h *reputation.Host) { h.Certificates = append(h.Certificates, "expired") },
	"a beacon":      func(_ *rand.Rand, h *reputation.Host) { h.Software = append(h.Software, "Cobalt Strike Beacon") },
	"a page":        func(_ *rand.Rand, h *reputation.Host) { h.Titles = append(h.Titles, "IIS7") },
	"a name":        func(_ *rand.Rand, h *reputation.Host) { h.Hostnames = append(h.Hostnames, "tor-exit.example.org") },
	"a cloud":       func(_ *rand.Rand, h *reputation.Host) { h.Cloud = "Example Cloud" },
	"a past tag": func(_ *rand.Rand, h *reputation.Host) {
		if h.Past != nil {
			h.Past.Tags = append(h.Past.Tags, "malware")
		}
	},
	"age": func(_ *rand.Rand, h *reputation.Host) {
		if !h.Seen.IsZero() {
			h.Seen = h.Seen.Add(-100 * 24 * time.Hour)
		}
	},
	"a place on the deny list": func(_ *rand.Rand, h *reputation.Host) {
		h.Listed = reputation.Listing{List: reputation.Deny, Entry: "203.0.113.7", Reason: "bad"}
	},
}

func TestABadFactNeverLowersAScore(t *testing.T) {
	t.Parallel()
	for _, policy := range []*reputation.Policy{policyfile.Baseline(), policyfile.Extended()} {
		for name, worsen := range badFacts {
			t.Run(policy.Name+": "+name, func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(1, 2))
				for range reputation.Fewer(1000) {
					h := randomHost(rng)
					worse := copyOf(h)
					worsen(rng, &worse)
					before, after := policy.Score(h), policy.Score(worse)
					if after.Score < before.Score || ranks[after.Level] < ranks[before.Level] {
						t.Fatalf("the score falls from %d to %d:\n%s\n%s\n%+v", before.Score, after.Score, jsonOf(before.Factors), jsonOf(after.Factors), h)
					}
				}
			})
		}
	}
}

func TestAHoneypotLowersScoreAndConfidenceAsThePolicySays(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range reputation.Fewer(1000) {
		h := randomHost(rng)
		h.Listed = reputation.Listing{}
		h.Tags = slices.DeleteFunc(h.Tags, func(tag string) bool { return tag == "honeypot" })
		pot := copyOf(h)
		pot.Tags = append(pot.Tags, "honeypot")
		before, after := policyfile.Extended().Score(h), policyfile.Extended().Score(pot)
		if after.Score != max(0, before.Score-20) || *after.Confidence >= *before.Confidence || !after.Honeypot {
			t.Fatalf("the score goes from %d to %d, the confidence from %v to %v: %+v", before.Score, after.Score, *before.Confidence, *after.Confidence, h)
		}
		if b, a := policyfile.Baseline().Score(h), policyfile.Baseline().Score(pot); b.Score != a.Score {
			t.Fatalf("the baseline knows of honeypots: %d and %d", b.Score, a.Score)
		}
	}
}

// shuffle puts a list in another order.
func shuffle[T any](rng *rand.Rand, list []T) {
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func TestPropertiesThatHoldForEveryHost(t *testing.T) {
	t.Parallel()
	for _, policy := range []*reputation.Policy{policyfile.Baseline(), policyfile.Extended()} {
		t.Run(policy.Name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(5, 6))
			for range reputation.Fewer(3000) {
				h := randomHost(rng)
				got := policy.Score(h)
				mustHold(t, policy, h, got)
				other := copyOf(h)
				shuffle(rng, other.Ports)
				for _, list := range [][]string{other.Vulnerabilities, other.Tags, other.CPEs, other.Hostnames, other.Protocols, other.Certificates, other.Titles, other.Software} {
					shuffle(rng, list)
				}
				other.Tags = append(other.Tags, other.Tags...) // and what is there twice counts once
				if again := policy.Score(other); !reflect.DeepEqual(got, again) {
					t.Fatalf("the order of the facts matters: %s", cmp.Diff(got, again))
				}
			}
		})
	}
}

// mustHold checks what holds for every result of every policy.
func mustHold(t *testing.T, policy *reputation.Policy, h reputation.Host, got reputation.Result) {
	t.Helper()
	sum := 0
	for _, f := range got.Factors {
		sum += f.Points
		if f.Detail == "" || f.Factor == "" || f.Evidence == nil {
			t.Fatalf("a factor does not say what it rests on: %+v", f)
		}
	}
	if sum != got.Score || got.Score < 0 {
		t.Fatalf("the factors add up to %d, the score is %d: %+v", sum, got.Score, h)
	}
	level := reputation.Low
	for _, threshold := range slices.Backward(policy.Thresholds) {
		if got.Score >= threshold.AtLeast {
			level = threshold.Level
		}
	}
	if got.Level != level {
		t.Fatalf("a score of %d is %s, want %s", got.Score, got.Level, level)
	}
	if c := got.Confidence; c != nil && !(*c >= 0 && *c <= 1) {
		t.Fatalf("a confidence of %v", *c)
	}
}

func TestAHostIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		h := randomHost(rng)
		before := fmt.Sprintf("%+v", h)
		policyfile.Extended().Score(h)
		if after := fmt.Sprintf("%+v", h); after != before {
			t.Fatalf("was\n%s\nis\n%s", before, after)
		}
	}
}

// BenchmarkScore judges a host with more of everything than most have: it must take the extended policy 20 µs at most.
func BenchmarkScore(b *testing.B) {
	h := reputation.Host{Ports: append(quiet(20), 6667, 3306, 443), Tags: []string{"tor", "self-signed", "eol-product"}, Vulnerabilities: numbered(30)}
	h.Detailed, h.Details = true, map[string]reputation.Vulnerability{}
	rng := rand.New(rand.NewPCG(9, 10))
	for _, id := range h.Vulnerabilities {
		h.Details[id] = randomVulnerability(rng)
	}
	h.Protocols, h.Titles, h.Certificates = []string{"http", "https", "ssh", "mysql", "irc"}, []string{"Welcome to nginx!", "Shop"}, []string{"self-signed"}
	h.CPEs = []string{"cpe:/a:openbsd:openssh:9.6", "cpe:/a:f5:nginx:1.24.0", "cpe:/a:mysql:mysql:5.7"}
	h.Hostnames = []string{"www.example.com", "shop.example.com", "tor-exit-4.example.net"}
	h.ASN, h.Source, h.Seen, h.Now = "AS24940", "shodan", ago(3), today
	for _, policy := range []*reputation.Policy{policyfile.Baseline(), policyfile.Extended()} {
		b.Run(policy.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				policy.Score(h)
			}
		})
	}
}

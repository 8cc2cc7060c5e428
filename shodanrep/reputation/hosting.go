package reputation

import (
	"strings"
)

// hostingTypes are the types of hosting, as the column has them.
var hostingTypes = []string{"bulletproof", "tor", "proxy", "vpn", "cdn", "cloud", "business", "residential", unknownHosting}

// unknownHosting is the type of a host of which nothing gives the type away.
const unknownHosting = "unknown"

// HostingTypes returns the types of hosting.
func HostingTypes() []string { return hostingTypes }

// Hosting is who a host's network is run for, and what says so.
type Hosting struct{ Type, Reason string }

// A HostingRule gives a type of hosting to hosts that have any of these.
type HostingRule struct {
	Type     string
	Tags     []string // Shodan's tags
	Cloud    bool     // a banner names a cloud provider
	ASNs     []ASN    // autonomous systems
	ASNLists []string // lists of autonomous systems that are built in, by their kind
	Words    []string // words of a name, before its domain: of 44.dsl.isp.example the word dsl
	// LineWords are words that count only in the name of a line, see isLine: providers number their customers' lines, and
	// name most of them after the address.
	LineWords []string
	Domains   []string // domains of a name
}

// hostingIndex finds the first of some rules that fits a host, without going through them.
type hostingIndex struct {
	tags    map[string]int
	asns    map[string]asnRule
	words   map[words]int
	lines   map[words]int // the same for words that count only in the name of a line
	domains map[string]int
	cloud   int
	types   []string
}

type asnRule struct {
	rule int
	name string
}

// words are a word of a name, or two that follow one another, as tor and exit in tor-exit-4.
type words [2]string

// wordsOf reads one or two words as a policy writes them.
func wordsOf(text string) words {
	first, second, _ := strings.Cut(text, "-")
	return words{first, second}
}

// indexHosting prepares rules for look-ups.
func indexHosting(rules []*HostingRule) hostingIndex {
	x := hostingIndex{tags: map[string]int{}, asns: map[string]asnRule{}, words: map[words]int{}, lines: map[words]int{}, domains: map[string]int{}, cloud: len(rules)}
	for i, rule := range rules {
		x.types = append(x.types, rule.Type)
		for _, tag := range rule.Tags {
			keepFirst(x.tags, tag, i)
		}
		for _, word := range rule.Words {
			keepFirst(x.words, wordsOf(word), i)
		}
		for _, word := range rule.LineWords {
			keepFirst(x.lines, wordsOf(word), i)
		}
		for _, domain := range rule.Domains {
			keepFirst(x.domains, domain, i)
		}
		for _, asn := range rule.ASNs {
			keepFirst(x.asns, asn.Number, asnRule{i, strings.TrimSpace(asn.Number + " " + asn.Name)})
		}
		for _, kind := range rule.ASNLists {
			for _, asn := range asnLists()[kind] {
				keepFirst(x.asns, asn.Number, asnRule{i, asn.Number + " " + asn.Name + ", on the list " + kind})
			}
		}
		if rule.Cloud {
			x.cloud = min(x.cloud, i)
		}
	}
	return x
}

func keepFirst[K comparable, V any](m map[K]V, key K, value V) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

// of decides the type of a host's hosting. Where several of its facts fit a rule, tags go before the cloud provider,
// before the autonomous system, before names.
func (x *hostingIndex) of(h *Host) Hosting {
	first, kind, detail := len(x.types), "", ""
	better := func(rule int, of, what string) {
		if rule < first || rule == first && kind == of && what < detail {
			first, kind, detail = rule, of, what
		}
	}
	for _, tag := range h.Tags {
		if rule, ok := x.tags[tag]; ok {
			better(rule, "tag", tag)
		}
	}
	if h.Cloud != "" {
		better(x.cloud, "cloud", h.Cloud)
	}
	if asn, ok := x.asns[h.ASN]; ok {
		better(asn.rule, "", asn.name)
	}
	for _, name := range h.Hostnames {
		x.name(strings.ToLower(name), better)
	}
	if first == len(x.types) {
		return Hosting{Type: unknownHosting}
	}
	return Hosting{Type: x.types[first], Reason: strings.TrimSpace(kind + " " + detail)}
}

// name looks for the domains and the words of a name.
func (x *hostingIndex) name(name string, better func(rule int, of, what string)) {
	for domain := name; domain != ""; {
		if rule, ok := x.domains[domain]; ok {
			better(rule, "name", name)
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	domain := strings.LastIndexByte(name, '.')
	if domain < 0 {
		return
	}
	if domain = strings.LastIndexByte(name[:domain], '.'); domain < 0 {
		return
	}
	line := isLine(name[:domain])
	fits := func(w words) {
		if rule, ok := x.words[w]; ok {
			better(rule, "name", name)
		}
		if rule, ok := x.lines[w]; ok && line {
			better(rule, "name", name)
		}
	}
	last := ""
	for rest := name[:domain]; rest != ""; {
		begin := strings.IndexFunc(rest, isLetter)
		if begin < 0 {
			return
		}
		rest = rest[begin:]
		end := strings.IndexFunc(rest, func(r rune) bool { return !isLetter(r) })
		if end < 0 {
			end = len(rest)
		}
		word := rest[:end]
		rest = rest[end:]
		fits(words{word})
		fits(words{last, word})
		last = word
	}
}

// isLine reports whether the part of a name before its domain numbers a line, as 203-0-113-5 and customer21 do: it has
// two numbers, or one of at least two digits. A single digit rather tells servers apart, as in static2.
func isLine(text string) bool {
	numbers := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	return len(numbers) > 1 || len(numbers) == 1 && len(numbers[0]) > 1
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }

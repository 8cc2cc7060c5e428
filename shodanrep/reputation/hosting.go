package reputation

import (
	"math"
	"strings"
)

// hostingTypes are the types of hosting, which are also the values of the column.
var hostingTypes = []string{"bulletproof", "tor", "proxy", "vpn", "cdn", "cloud", "business", "residential", unknownHosting}

// unknownHosting is the type if no rule applies.
const unknownHosting = "unknown"

// HostingTypes returns the types of hosting.
func HostingTypes() []string { return hostingTypes }

// Hosting is the type of hosting of a host's network, and the reason for it.
type Hosting struct{ Type, Reason string }

// A HostingRule gives a type of hosting to hosts that have any of its properties.
type HostingRule struct {
	Type     string
	Tags     []string // Shodan's tags
	Cloud    bool     // a banner names a cloud provider
	ASNs     []ASN    // autonomous systems
	ASNLists []string // built-in lists of autonomous systems, by kind
	Words    []string // words of a host name, before its domain: the word dsl of 44.dsl.isp.example
	// LineWords are words that count only in the names of customers' lines, see isLine. Providers number the lines,
	// most of them by the address.
	LineWords []string
	Domains   []string // domains of a host name
}

// hostingIndex finds the first rule that applies to a host without trying every rule.
type hostingIndex struct {
	tags    map[string]int
	asns    map[string]asnRule
	words   map[words]wordRules
	domains map[string]int
	cloud   int
	types   []string
}

type asnRule struct {
	rule int
	name string
}

// wordRules are the rules for a word: in any host name, and in that of a line. They are noRule if there is none.
type wordRules struct{ any, line int }

const noRule = math.MaxInt

// words is a word of a host name, or two consecutive words, such as tor and exit in tor-exit-4.
type words [2]string

// wordsOf reads one or two words in the form of policies.
func wordsOf(text string) words {
	first, second, _ := strings.Cut(text, "-")
	return words{first, second}
}

// indexHosting makes an index of rules.
func indexHosting(rules []*HostingRule) hostingIndex {
	x := hostingIndex{tags: map[string]int{}, asns: map[string]asnRule{}, words: map[words]wordRules{}, domains: map[string]int{}, cloud: len(rules)}
	for i, rule := range rules {
		x.types = append(x.types, rule.Type)
		for _, tag := range rule.Tags {
			keepFirst(x.tags, tag, i)
		}
		for _, word := range rule.Words {
			x.addWord(word, wordRules{any: i, line: noRule})
		}
		for _, word := range rule.LineWords {
			x.addWord(word, wordRules{any: noRule, line: i})
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

// addWord adds rules for a word.
func (x *hostingIndex) addWord(word string, rules wordRules) {
	key := wordsOf(word)
	if old, ok := x.words[key]; ok {
		rules = wordRules{min(rules.any, old.any), min(rules.line, old.line)}
	}
	x.words[key] = rules
}

// keepFirst sets the value of a key that has none.
func keepFirst[K comparable, V any](m map[K]V, key K, value V) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

// find returns the type of hosting of a host. If several properties match the same rule, the reason is a tag, else the
// cloud provider, else the autonomous system, else a host name.
func (x *hostingIndex) find(h *Host) Hosting {
	first, kind, detail := len(x.types), "", ""
	add := func(rule int, of, value string) {
		if rule < first || rule == first && kind == of && value < detail {
			first, kind, detail = rule, of, value
		}
	}
	for _, tag := range h.Tags {
		if rule, ok := x.tags[tag]; ok {
			add(rule, "tag", tag)
		}
	}
	if h.Cloud != "" {
		add(x.cloud, "cloud", h.Cloud)
	}
	if asn, ok := x.asns[h.ASN]; ok {
		add(asn.rule, "", asn.name)
	}
	for _, name := range h.Hostnames {
		x.addName(strings.ToLower(name), add)
	}
	if first == len(x.types) {
		return Hosting{Type: unknownHosting}
	}
	return Hosting{Type: x.types[first], Reason: strings.TrimSpace(kind + " " + detail)}
}

// addName adds the rules for the domains and the words of a host name.
func (x *hostingIndex) addName(name string, add func(rule int, of, value string)) {
	for domain := name; domain != ""; {
		if rule, ok := x.domains[domain]; ok {
			add(rule, "name", name)
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
	addWords := func(w words) {
		rules, ok := x.words[w]
		if !ok {
			return
		}
		if rules.any != noRule {
			add(rules.any, "name", name)
		}
		if rules.line != noRule && isLine(name[:domain]) {
			add(rules.line, "name", name)
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
		addWords(words{word})
		addWords(words{last, word})
		last = word
	}
}

// isLine reports whether the part of a host name before its domain is the number of a line, such as 203-0-113-5 and
// customer21: it has two numbers, or one with at least two digits. A single digit usually is the number of a server, as
// in static2.
func isLine(text string) bool {
	digits := 0
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			digits++
		}
	}
	return digits > 1
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }

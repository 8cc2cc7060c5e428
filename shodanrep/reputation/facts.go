package reputation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Fact is something about a host that a policy can match or count.
type Fact struct {
	Name    string
	Numeric bool   // a number: a policy can count it, and it has no values to match
	Allowed string // the values that it can have, for people

	banners bool // only the host's banners have it
	check   func(string) bool
	list    func(*facts) []string
	ports   func(*facts) []int // in place of list, for numbers
	number  func(*facts) (int, bool)
	// evidence is what a match rests on, where that is not the value itself, and why says more about a value.
	evidence func(*facts) string
	why      func(*facts) string
}

// FactNames returns the names of all facts, sorted.
func FactNames() []string { return slices.Sorted(maps.Keys(allFacts)) }

// FactByName returns the fact of a name, or nil if there is none.
func FactByName(name string) *Fact { return allFacts[name] }

// Validate returns an error if a policy cannot match the value: the fact never has it, or it has a * in the middle. A *
// at the beginning or the end of a text stands for any text.
func (f *Fact) Validate(value string) error {
	switch pattern := strings.Trim(value, "*"); {
	case value != pattern && f.ports == nil && f.evidence == nil:
		if pattern == "" || strings.Contains(pattern, "*") {
			return fmt.Errorf("%q: a * is allowed only at the beginning or the end of a text, where it stands for any text", value)
		}
	case f.check == nil || !f.check(value):
		return fmt.Errorf("%s cannot be %q: use %s", f.Name, value, f.Allowed)
	}
	return nil
}

// facts are a host's facts in the form in which rules ask for them.
type facts struct {
	host            *Host
	ports           []int
	unidentified    []int // the ports of which nothing says what answers there
	vulnerabilities []string
	detailed        []string // the vulnerabilities that the source has details of, and bare those that it has not
	bare            []string
	tags            []string
	products        []string
	hosting         Hosting
	hits            []hit // where matches put theirs, one rule after the other
}

// factsOf prepares the facts of a host.
func (p *Policy) factsOf(h *Host) *facts {
	f := &facts{host: h, ports: distinct(h.Ports), vulnerabilities: distinct(h.Vulnerabilities), tags: distinct(h.Tags)}
	f.unidentified = without(f.ports, h.IdentifiedPorts)
	for _, id := range f.vulnerabilities {
		if h.Details[id].hasDetails() {
			f.detailed = append(f.detailed, id)
		} else {
			f.bare = append(f.bare, id)
		}
	}
	f.products = productsOf(h.CPEs)
	f.hosting = p.hosting.of(h)
	return f
}

// single is a fact that has one value, or none.
func single(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

const (
	factPorts           = "ports"
	factVulnerabilities = "vulnerabilities"
	factProtocols       = "protocols"
	factSoftware        = "software"
	factHosting         = "hosting_type"
	factListed          = "listed"
)

var (
	asnForm     = regexp.MustCompile(`^AS[1-9][0-9]{0,9}$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	cveForm     = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,}$`)
)

func oneOf(allowed ...string) (string, func(string) bool) {
	return `"` + strings.Join(allowed, `", "`) + `"`, func(s string) bool { return slices.Contains(allowed, s) }
}

func anyText(s string) bool { return strings.TrimSpace(s) == s && s != "" }

func isPort(s string) bool {
	port, err := strconv.Atoi(s)
	return err == nil && port > 0 && port < 1<<16 && strconv.Itoa(port) == s
}

const someText = "a text without space around it"

// allFacts are all that a policy can ask.
var allFacts = func() map[string]*Fact {
	hostingAllowed, isHosting := oneOf(HostingTypes()...)
	listedAllowed, isListed := oneOf(string(Allow), string(Deny))
	certificates, isCertificate := oneOf("expired", "self-signed")
	all := []*Fact{
		{Name: factPorts, Allowed: "a port from 1 to 65535", check: isPort, ports: func(f *facts) []int { return f.ports }},
		{Name: factVulnerabilities, Allowed: "a CVE id such as CVE-2021-44228", check: cveForm.MatchString,
			list: func(f *facts) []string { return f.vulnerabilities }},
		{Name: "tags", Allowed: someText, check: anyText, list: func(f *facts) []string { return f.tags }},
		{Name: "products", Allowed: "vendor:product", check: func(s string) bool { return anyText(s) && strings.Count(s, ":") == 1 },
			list: func(f *facts) []string { return f.products }},
		{Name: factProtocols, banners: true, Allowed: someText, check: anyText,
			list: func(f *facts) []string { return distinct(f.host.Protocols) }},
		{Name: factSoftware, banners: true, Allowed: someText, check: anyText,
			list: func(f *facts) []string { return distinct(f.host.Software) }},
		{Name: "certificates", banners: true, Allowed: certificates, check: isCertificate,
			list: func(f *facts) []string { return distinct(f.host.Certificates) }},
		{Name: "titles", banners: true, Allowed: someText, check: anyText,
			list: func(f *facts) []string { return distinct(f.host.Titles) }},
		{Name: "hostnames", Allowed: someText, check: anyText, list: func(f *facts) []string { return distinct(f.host.Hostnames) }},
		{Name: "asn", Allowed: "a number such as AS64496", check: asnForm.MatchString, list: func(f *facts) []string { return single(f.host.ASN) }},
		{Name: "country", Allowed: "a code of two capital letters such as NL", check: countryForm.MatchString,
			list: func(f *facts) []string { return single(f.host.Country) }},
		{Name: factHosting, Allowed: hostingAllowed, check: isHosting,
			list: func(f *facts) []string { return single(f.hosting.Type) },
			why:  func(f *facts) string { return f.hosting.Reason }, evidence: func(f *facts) string { return f.hosting.Reason }},
		{Name: factListed, Allowed: listedAllowed, check: isListed,
			list: func(f *facts) []string { return single(string(f.host.Listed.List)) },
			why:  func(f *facts) string { return f.host.Listed.Reason }, evidence: func(f *facts) string { return f.host.Listed.Entry }},
		{Name: "past_tags", Allowed: someText, check: anyText,
			list: func(f *facts) []string {
				if f.host.Past == nil {
					return nil
				}
				return distinct(f.host.Past.Tags)
			}},
		{Name: "closed_ports", Allowed: "a port from 1 to 65535", check: isPort, ports: closedPorts},
		{Name: "age_days", Numeric: true, number: ageDays},
	}
	byName := map[string]*Fact{}
	for _, f := range all {
		byName[f.Name] = f
	}
	return byName
}()

// closedPorts returns the ports that were open once and are not now.
func closedPorts(f *facts) []int {
	if f.host.Past == nil {
		return nil
	}
	return without(distinct(f.host.Past.Ports), f.ports)
}

// without returns the ports that are not among others, in their order.
func without(ports, others []int) []int {
	if len(others) == 0 {
		return ports
	}
	others = distinct(others)
	return slices.DeleteFunc(slices.Clone(ports), func(port int) bool {
		_, found := slices.BinarySearch(others, port)
		return found
	})
}

// only narrows the facts down to those vulnerabilities that a rule is limited to.
func (f *facts) only(limit Only) *facts {
	narrowed := *f
	if narrowed.vulnerabilities = f.detailed; limit == WithoutDetails {
		narrowed.vulnerabilities = f.bare
	}
	return &narrowed
}

// ageDays returns how many whole days ago the host was seen, where that is known.
func ageDays(f *facts) (int, bool) {
	h := f.host
	if h.Seen.IsZero() || h.Now.IsZero() {
		return 0, false
	}
	return max(0, int(h.Now.Sub(h.Seen)/(24*time.Hour))), true
}

// count returns how many values a fact has, or its number.
func (f *Fact) count(of *facts) int {
	switch {
	case f.Numeric:
		n, _ := f.number(of)
		return n
	case f.ports != nil:
		return len(f.ports(of))
	}
	return len(f.list(of))
}

// productsOf returns vendor:product of each CPE, in either form: cpe:/a:vendor:product:… or cpe:2.3:a:vendor:product:….
func productsOf(cpes []string) []string {
	products := make([]string, 0, len(cpes))
	for _, cpe := range cpes {
		rest, ok := strings.CutPrefix(cpe, "cpe:2.3:")
		if !ok {
			if rest, ok = strings.CutPrefix(cpe, "cpe:/"); !ok {
				continue
			}
		}
		_, rest, _ = strings.Cut(rest, ":") // the part: a, o or h
		vendor := strings.IndexByte(rest, ':')
		if vendor <= 0 {
			continue
		}
		if end := strings.IndexByte(rest[vendor+1:], ':'); end >= 0 {
			rest = rest[:vendor+1+end]
		}
		products = append(products, rest)
	}
	slices.Sort(products)
	return slices.Compact(products)
}

// distinct returns the values of a list in order, each once, and leaves the list itself alone. It may be the list itself:
// do not change it.
func distinct[T int | string](values []T) []T {
	for i := 1; i < len(values); i++ {
		if values[i-1] >= values[i] {
			sorted := slices.Clone(values)
			slices.Sort(sorted)
			return slices.Compact(sorted)
		}
	}
	return values
}

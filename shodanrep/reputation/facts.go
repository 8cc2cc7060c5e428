package reputation

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A fact is something that a policy can ask of a host.
type fact struct {
	name    string
	about   string // for people, after "the host's"
	banners bool   // only a host's banners say it
	allowed string // what a value has to be, for people
	check   func(string) bool
	numeric bool // counted as a number; it has no values to match
	list    func(*facts) []string
	ports   func(*facts) []int // in place of list, for numbers
	number  func(*facts) (int, bool)
	// evidence is what a match rests on, where that is not the value itself, and why says more about a value.
	evidence func(*facts) string
	why      func(*facts) string
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
var allFacts = func() map[string]*fact {
	hostingAllowed, isHosting := oneOf(HostingTypes()...)
	listedAllowed, isListed := oneOf(string(Allow), string(Deny))
	certificates, isCertificate := oneOf("expired", "self-signed")
	all := []*fact{
		{name: factPorts, about: "open ports", allowed: "a port from 1 to 65535", check: isPort, ports: func(f *facts) []int { return f.ports }},
		{name: factVulnerabilities, about: "vulnerabilities, by CVE id", allowed: "a CVE id such as CVE-2021-44228", check: cveForm.MatchString,
			list: func(f *facts) []string { return f.vulnerabilities }},
		{name: "tags", about: "tags, as Shodan gives them", allowed: someText, check: anyText, list: func(f *facts) []string { return f.tags }},
		{name: "products", about: "products, as vendor:product of their CPE", allowed: "vendor:product", check: func(s string) bool { return anyText(s) && strings.Count(s, ":") == 1 },
			list: func(f *facts) []string { return f.products }},
		{name: factProtocols, about: "protocols, as Shodan's crawler names what it spoke", banners: true, allowed: someText, check: anyText,
			list: func(f *facts) []string { return distinct(f.host.Protocols) }},
		{name: factSoftware, about: "software that answers, as Shodan or its own response names it", banners: true, allowed: someText, check: anyText,
			list: func(f *facts) []string { return distinct(f.host.Software) }},
		{name: "certificates", about: "faults of certificates", banners: true, allowed: certificates, check: isCertificate,
			list: func(f *facts) []string { return distinct(f.host.Certificates) }},
		{name: "titles", about: "titles of web pages", banners: true, allowed: someText, check: anyText,
			list: func(f *facts) []string { return distinct(f.host.Titles) }},
		{name: "hostnames", about: "names, in lower case", allowed: someText, check: anyText, list: func(f *facts) []string { return distinct(f.host.Hostnames) }},
		{name: "asn", about: "autonomous system", allowed: "a number such as AS64496", check: asnForm.MatchString, list: func(f *facts) []string { return single(f.host.ASN) }},
		{name: "country", about: "country", allowed: "a code of two capital letters such as NL", check: countryForm.MatchString,
			list: func(f *facts) []string { return single(f.host.Country) }},
		{name: factHosting, about: "type of hosting", allowed: hostingAllowed, check: isHosting,
			list: func(f *facts) []string { return single(f.hosting.Type) },
			why:  func(f *facts) string { return f.hosting.Reason }, evidence: func(f *facts) string { return f.hosting.Reason }},
		{name: factListed, about: "list, where it is on one", allowed: listedAllowed, check: isListed,
			list: func(f *facts) []string { return single(string(f.host.Listed.List)) },
			why:  func(f *facts) string { return f.host.Listed.Reason }, evidence: func(f *facts) string { return f.host.Listed.Entry }},
		{name: "past_tags", about: "tags of the past, with history", allowed: someText, check: anyText,
			list: func(f *facts) []string {
				if f.host.Past == nil {
					return nil
				}
				return distinct(f.host.Past.Tags)
			}},
		{name: "closed_ports", about: "ports that were open in the past and are not now, with history", allowed: "a port from 1 to 65535", check: isPort, ports: closedPorts},
		{name: "age_days", about: "days since it was last seen", numeric: true, number: ageDays},
	}
	byName := map[string]*fact{}
	for _, f := range all {
		byName[f.name] = f
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
func (f *fact) count(of *facts) int {
	switch {
	case f.numeric:
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

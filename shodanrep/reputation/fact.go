package reputation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Fact is something about a host that a policy can match or count.
type Fact struct {
	Name    string
	Numeric bool   // a number: a policy can count it, and it has no values to match
	Allowed string // the values that it can have, for people

	banners bool // only the host's banners have it
	check   func(string) bool
	list    func(*facts) []string
	single  func(*facts) string // in place of list, for at most one value, which is empty if there is none
	ports   func(*facts) []int  // in place of list, for numbers
	number  func(*facts) (int, bool)
	// evidence is the evidence of a match, if it is not the value itself. why is the reason for a value.
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

// count returns the number of values, or the value of a number.
func (f *Fact) count(of *facts) int {
	switch {
	case f.Numeric:
		n, _ := f.number(of)
		return n
	case f.ports != nil:
		return len(f.ports(of))
	}
	return len(f.texts(of))
}

// texts returns the values of a fact that is neither a number nor ports.
func (f *Fact) texts(of *facts) []string {
	if f.single == nil {
		return f.list(of)
	}
	if value := f.single(of); value != "" {
		return []string{value}
	}
	return nil
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

// allFacts are the facts by name.
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
		{Name: "asn", Allowed: "a number such as AS64496", check: asnForm.MatchString, single: func(f *facts) string { return f.host.ASN }},
		{Name: "country", Allowed: "a code of two capital letters such as NL", check: countryForm.MatchString,
			single: func(f *facts) string { return f.host.Country }},
		{Name: factHosting, Allowed: hostingAllowed, check: isHosting,
			single: func(f *facts) string { return f.hosting.Type },
			why:    func(f *facts) string { return f.hosting.Reason }, evidence: func(f *facts) string { return f.hosting.Reason }},
		{Name: factListed, Allowed: listedAllowed, check: isListed,
			single: func(f *facts) string { return string(f.host.Listed.List) },
			why:    func(f *facts) string { return f.host.Listed.Reason }, evidence: func(f *facts) string { return f.host.Listed.Entry }},
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

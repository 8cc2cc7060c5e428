package policyfile

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A hostingBlock is a rule for a type of hosting.
type hostingBlock struct {
	Type      string   `hcl:"type,label"`
	Tags      []string `hcl:"tags,optional"`
	Cloud     bool     `hcl:"cloud,optional"`
	ASNs      []string `hcl:"asns,optional"`
	ASNLists  []string `hcl:"asn_lists,optional"`
	Words     []string `hcl:"words,optional"`
	LineWords []string `hcl:"line_words,optional"`
	Domains   []string `hcl:"domains,optional"`
	Body      hcl.Body `hcl:",body"`
}

// rule makes the rule, and reports all that is wrong with it.
func (b *hostingBlock) rule(r *report) *reputation.HostingRule {
	rule := &reputation.HostingRule{
		Type: b.Type, Tags: b.Tags, Cloud: b.Cloud, ASNLists: b.ASNLists, Words: b.Words, LineWords: b.LineWords, Domains: b.Domains,
	}
	if !slices.Contains(reputation.HostingTypes(), b.Type) {
		r.wrong(b.Body.MissingItemRange(), `hosting %q: use "%s"`, b.Type, strings.Join(reputation.HostingTypes(), `", "`))
	}
	asn := reputation.FactByName("asn")
	for i, text := range b.ASNs {
		number, name, _ := strings.Cut(text, " ")
		if asn.Validate(number) != nil {
			r.wrongElement(b.Body, "asns", i, `%q is not an autonomous system: use its number and, after a space, its name, such as "AS64496 Example Hosting"`, text)
		}
		rule.ASNs = append(rule.ASNs, reputation.ASN{Number: number, Name: strings.TrimSpace(name)})
	}
	for i, kind := range b.ASNLists {
		if !slices.Contains(reputation.ASNLists(), kind) {
			r.wrongElement(b.Body, "asn_lists", i, `there is no list %q: use "%s"`, kind, strings.Join(reputation.ASNLists(), `", "`))
		}
	}
	b.checkWords(r, "words", b.Words)
	b.checkWords(r, "line_words", b.LineWords)
	for i, domain := range b.Domains {
		if domain != strings.ToLower(domain) || strings.Trim(domain, ". *") != domain || domain == "" {
			r.wrongElement(b.Body, "domains", i, `%q is not a domain: write it in lower case, as "vpn.example"; the names below it count too`, domain)
		}
	}
	return rule
}

// checkWords checks words of names.
func (b *hostingBlock) checkWords(r *report, argument string, words []string) {
	for i, word := range words {
		first, second, two := strings.Cut(word, "-")
		if !isWord(first) || two && !isWord(second) {
			r.wrongElement(b.Body, argument, i, `%q: a word of a name has only lower-case letters; write two consecutive words as "tor-exit"`, word)
		}
	}
}

// isWord reports whether a text has lower-case letters and nothing else.
func isWord(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool { return c < 'a' || c > 'z' })
}

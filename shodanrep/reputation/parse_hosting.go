package reputation

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// hosting reads a rule for the type of hosting.
func (r *reader) hosting(block *hclsyntax.Block) *HostingRule {
	rule := &HostingRule{Type: r.label(block, "vpn", hostingTypes...)}
	a := r.arguments("hosting", block.Body, []string{"tags", "cloud", "asns", "asn_lists", "words", "line_words", "domains"}, nil)
	rule.Tags, _ = r.texts(a["tags"])
	rule.Cloud = r.boolean(a["cloud"])
	texts, ranges := r.texts(a["asns"])
	for i, text := range texts {
		number, name, _ := strings.Cut(text, " ")
		if !asnForm.MatchString(number) {
			r.wrong(ranges[i], `%q is no autonomous system: use its number and, after a space, its name, such as "AS64496 Example Hosting"`, text)
		}
		rule.ASNs = append(rule.ASNs, ASN{number, strings.TrimSpace(name)})
	}
	rule.ASNLists, ranges = r.texts(a["asn_lists"])
	for i, kind := range rule.ASNLists {
		if !slices.Contains(ASNLists(), kind) {
			r.wrong(ranges[i], `there is no list %q: use "%s"`, kind, strings.Join(ASNLists(), `", "`))
		}
	}
	rule.Words = r.words(a["words"])
	rule.LineWords = r.words(a["line_words"])
	rule.Domains, ranges = r.texts(a["domains"])
	for i, domain := range rule.Domains {
		if domain != strings.ToLower(domain) || strings.Trim(domain, ". *") != domain || domain == "" {
			r.wrong(ranges[i], `%q is no domain: write it in lower case, as "vpn.example"; the names below it count too`, domain)
		}
	}
	return rule
}

// words takes words of names.
func (r *reader) words(a *hclsyntax.Attribute) []string {
	list, ranges := r.texts(a)
	for i, word := range list {
		first, second, two := strings.Cut(word, "-")
		if notLetters(first) || two && notLetters(second) {
			r.wrong(ranges[i], `%q: a word of a name has lower-case letters only; two that follow one another are written as "tor-exit"`, word)
		}
	}
	return list
}

func notLetters(word string) bool {
	return word == "" || strings.ContainsFunc(word, func(c rune) bool { return !isLetter(c) })
}

// confidence reads how sure scores are.
func (r *reader) confidence(block *hclsyntax.Block) *Confidence {
	c := &Confidence{Sources: map[string]float64{}, Unverified: 1, Honeypot: 1, UnknownAge: 1}
	if len(block.Labels) > 0 {
		r.wrong(block.DefRange(), "confidence has no name")
	}
	a := r.arguments("confidence", block.Body, []string{"sources", "unverified", "honeypot", "unknown_age"}, []string{"older_than"})
	for name, field := range map[string]*float64{"unverified": &c.Unverified, "honeypot": &c.Honeypot, "unknown_age": &c.UnknownAge} {
		if a[name] != nil {
			*field = r.decimal(a[name].Expr, name, 1)
		}
	}
	if sources := a["sources"]; sources != nil {
		object, ok := sources.Expr.(*hclsyntax.ObjectConsExpr)
		if !ok {
			r.wrong(sources.Expr.Range(), "sources must be an object, such as { shodan = 0.9, internetdb = 0.7 }")
			object = &hclsyntax.ObjectConsExpr{}
		}
		for _, item := range object.Items {
			if key, ok := r.constant(item.KeyExpr, "a source", cty.String); ok {
				if source := key.AsString(); !slices.Contains(sourceNames, source) {
					r.wrong(item.KeyExpr.Range(), `there is no source %q: use %s`, source, strings.Join(sourceNames, ", "))
				}
				c.Sources[key.AsString()] = r.decimal(item.ValueExpr, "a source's confidence", 1)
			}
		}
	}
	for _, inner := range block.Body.Blocks {
		if inner.Type == "older_than" {
			r.age(c, inner)
		}
	}
	r.ages(c, block)
	return c
}

// sourceNames are the sources of answers.
var sourceNames = []string{"dataset", "shodan", "internetdb"}

// age reads how much less sure older data makes a score.
func (r *reader) age(c *Confidence, block *hclsyntax.Block) {
	a := r.arguments("older_than", block.Body, []string{"times"}, nil)["times"]
	if a == nil {
		r.wrong(block.DefRange(), `older_than needs times, such as older_than "90" { times = 0.7 }`)
		return
	}
	days := r.number(block, "number of days", `older_than "90" { times = 0.7 }`)
	if slices.ContainsFunc(c.Ages, func(o Age) bool { return o.OverDays == days }) {
		r.wrong(block.DefRange(), "there is an older_than \"%d\" already", days)
	}
	c.Ages = append(c.Ages, Age{days, r.decimal(a.Expr, "times", 1)})
}

// ages puts the ages in order, oldest first, and checks that older data makes no score surer.
func (r *reader) ages(c *Confidence, block *hclsyntax.Block) {
	slices.SortFunc(c.Ages, func(a, b Age) int { return b.OverDays - a.OverDays })
	for i := range max(0, len(c.Ages)-1) {
		if older, newer := c.Ages[i], c.Ages[i+1]; older.Times > newer.Times {
			r.wrong(block.DefRange(), "data older than %d days counts %g times and than %d days %g times: older data must not make a score surer", older.OverDays, older.Times, newer.OverDays, newer.Times)
		}
	}
}

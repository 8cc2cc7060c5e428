package reputation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

var (
	factorArguments = []string{"detail", "detail_one", "points", "each", "cap", "lift_to", "cap_to", "only", "count", "reference"}
	matchArguments  = []string{"values", "unidentified", "known_exploited", "verified", "epss_over", "cvss_over"}
)

// factor reads the block of a factor.
func (r *reader) factor(block *hclsyntax.Block) *Rule {
	rule := &Rule{Name: r.label(block, "open_ports")}
	if len(block.Labels) == 1 && !nameForm.MatchString(rule.Name) {
		r.wrong(block.DefRange(), "factor %q: use %s", rule.Name, nameAllowed)
	}
	a := r.arguments("a factor", block.Body, factorArguments, []string{"match", "over"})
	rule.Points, rule.Each = r.count(a["points"], -maxPoints, maxPoints), r.count(a["each"], 0, maxPoints)
	rule.Cap = r.count(a["cap"], 1, 10*maxPoints)
	rule.Reference = r.text(a["reference"])
	rule.LiftTo, rule.CapTo = r.toLevel(a["lift_to"], string(Critical), string(High), string(Medium)), r.toLevel(a["cap_to"], string(Low), string(Medium), string(High))
	rule.Only = Only(r.text(a["only"]))
	if a["only"] != nil && rule.Only != WithDetails && rule.Only != WithoutDetails {
		r.wrong(a["only"].Expr.Range(), "only = %q: use %q or %q", rule.Only, WithDetails, WithoutDetails)
	}
	steps := map[int]bool{}
	for _, inner := range block.Body.Blocks {
		switch inner.Type {
		case "match":
			r.match(rule, inner)
		case "over":
			r.step(rule, inner, steps)
		}
	}
	if a["count"] != nil {
		r.counting(rule, block, a)
	} else {
		r.matching(rule, block, a)
	}
	r.details(rule, block, a)
	return rule
}

// toLevel takes a level that a score is lifted or capped to.
func (r *reader) toLevel(a *hclsyntax.Attribute, allowed ...string) Level {
	level := r.text(a)
	if a != nil && !slices.Contains(allowed, level) {
		r.wrong(a.Expr.Range(), `%s = %q: use "%s"`, a.Name, level, strings.Join(allowed, `", "`))
	}
	return Level(level)
}

// match reads a condition of a factor.
func (r *reader) match(rule *Rule, block *hclsyntax.Block) {
	names := slices.DeleteFunc(sortedKeys(allFacts), func(name string) bool { return allFacts[name].numeric })
	m := &Match{Fact: r.label(block, "ports", names...)}
	a := r.arguments("a match", block.Body, matchArguments, nil)
	m.Unidentified = r.boolean(a["unidentified"])
	m.Exploited, m.Verified = r.boolean(a["known_exploited"]), r.boolean(a["verified"])
	if over := a["epss_over"]; over != nil {
		m.EPSSOver = new(r.decimal(over.Expr, over.Name, 1))
	}
	if over := a["cvss_over"]; over != nil {
		m.CVSSOver = new(r.decimal(over.Expr, over.Name, 10))
	}
	of := allFacts[m.Fact]
	if of == nil || of.numeric {
		return // which was said
	}
	if m.narrows() && m.Fact != factVulnerabilities {
		r.wrong(block.DefRange(), `known_exploited, verified, epss_over and cvss_over are for match "vulnerabilities"`)
	}
	if m.Unidentified && m.Fact != factPorts {
		r.wrong(block.DefRange(), `unidentified is for match "ports"`)
	}
	switch {
	case a["values"] != nil:
		m.Values = r.values(a["values"], of)
	case !m.narrows():
		r.wrong(block.DefRange(), "a match needs values, such as values = [%s]", exampleOf(of))
	}
	if slices.ContainsFunc(rule.Matches, func(o *Match) bool { return o.Fact == m.Fact }) {
		r.wrong(block.DefRange(), "the factor looks at %s already: put the values together, or make another factor", m.Fact)
	}
	if len(r.problems) == 0 {
		m.index()
	}
	rule.Matches = append(rule.Matches, m)
}

// exampleOf returns a value that a fact can have.
func exampleOf(of *fact) string {
	for _, example := range []string{"tor", "22", "NL", "AS64496", "CVE-2021-44228", "expired", string(Deny), "openbsd:openssh"} {
		if of.check(example) {
			return strconv.Quote(example)
		}
	}
	return `"…"`
}

// step reads the points of numbers that are over one.
func (r *reader) step(rule *Rule, block *hclsyntax.Block, seen map[int]bool) {
	over := r.number(block, "number", `over "10" { points = 5 }`)
	if seen[over] {
		r.wrong(block.DefRange(), "there is an over \"%d\" already", over)
	}
	seen[over] = true
	a := r.arguments("over", block.Body, []string{"points"}, nil)["points"]
	if a == nil {
		r.wrong(block.DefRange(), "over needs points, such as over \"10\" { points = 5 }")
		return
	}
	rule.Steps = append(rule.Steps, Step{over, r.count(a, 0, maxPoints)})
}

// counting checks a factor that counts a fact.
func (r *reader) counting(rule *Rule, block *hclsyntax.Block, a map[string]*hclsyntax.Attribute) {
	rule.Count = r.text(a["count"])
	if rule.count = allFacts[rule.Count]; rule.count == nil {
		r.wrong(a["count"].Expr.Range(), `count = %q: use "%s"`, rule.Count, strings.Join(sortedKeys(allFacts), `", "`))
	}
	for _, name := range []string{"points", "each", "cap"} {
		if a[name] != nil {
			r.wrong(a[name].NameRange, "a factor that counts has its points in its over blocks, and no %s", name)
		}
	}
	if len(rule.Matches) > 0 {
		r.wrong(block.DefRange(), "a factor has either count or match blocks: make two of it")
	}
	if len(rule.Steps) == 0 {
		r.wrong(block.DefRange(), `a factor that counts needs over blocks, such as over "10" { points = 5 }`)
	}
	slices.SortFunc(rule.Steps, func(a, b Step) int { return b.Over - a.Over })
	for i := range max(0, len(rule.Steps)-1) {
		if more, fewer := rule.Steps[i], rule.Steps[i+1]; more.Points < fewer.Points {
			r.wrong(block.DefRange(), "over %d gives %d points and over %d gives %d: more of it must not give fewer points", more.Over, more.Points, fewer.Over, fewer.Points)
		}
	}
}

// matching checks a factor that looks for values.
func (r *reader) matching(rule *Rule, block *hclsyntax.Block, a map[string]*hclsyntax.Attribute) {
	if len(rule.Steps) > 0 {
		r.wrong(block.DefRange(), `over blocks need count, such as count = "ports"`)
	} else if len(rule.Matches) == 0 {
		r.wrong(block.DefRange(), `a factor needs a match, such as match "tags" { values = ["tor"] }, or count with over blocks`)
	}
	own := slices.ContainsFunc(rule.Matches, func(m *Match) bool {
		return slices.ContainsFunc(m.Values, func(v *Value) bool { return v.Points != nil })
	})
	if a["points"] == nil && !own && rule.LiftTo == "" && rule.CapTo == "" {
		r.wrong(block.DefRange(), "a factor needs points, in itself or of its values, or lift_to or cap_to")
	}
	if rule.LiftTo != "" && rule.CapTo != "" || (rule.LiftTo != "" || rule.CapTo != "") && (own || a["points"] != nil) {
		r.wrong(block.DefRange(), "a factor has either points, or lift_to, or cap_to")
	}
}

// details reads the sentences of a factor.
func (r *reader) details(rule *Rule, block *hclsyntax.Block, a map[string]*hclsyntax.Attribute) {
	if rule.Detail = r.text(a["detail"]); a["detail"] == nil {
		r.wrong(block.DefRange(), "a factor needs a detail, the sentence that explains it")
	}
	rule.DetailOne = r.text(a["detail_one"])
	places := []string{"count", "values", "reasons"}
	if a["count"] != nil {
		places = []string{"count", "over"}
	}
	sentence := func(name, text string) template {
		t, err := parseTemplate(text, places...)
		if err != nil {
			r.wrong(rangeOf(a[name]), "%s: %v", name, err)
		}
		return t
	}
	rule.detail, rule.forOne = sentence("detail", rule.Detail), sentence("detail_one", rule.DetailOne)
}

func rangeOf(a *hclsyntax.Attribute) hcl.Range {
	if a == nil {
		return hcl.Range{}
	}
	return a.Expr.Range()
}

// needsBanners reports whether only a host's banners say whether the rule holds.
func (r *Rule) needsBanners(p *Policy) bool {
	if r.Only != "" || r.count != nil && r.count.banners {
		return true
	}
	return slices.ContainsFunc(r.Matches, func(m *Match) bool {
		byCloud := m.Fact == factHosting && slices.ContainsFunc(p.Hosting, func(h *HostingRule) bool { return h.Cloud })
		return m.narrows() || m.Unidentified || m.fact.banners || byCloud
	})
}

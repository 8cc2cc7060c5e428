package policyfile

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/zclconf/go-cty/cty"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A matchBlock is a condition of a factor.
type matchBlock struct {
	Fact         string         `hcl:"fact,label"`
	Values       *hcl.Attribute `hcl:"values,optional"`
	Unidentified bool           `hcl:"unidentified,optional"`
	Exploited    bool           `hcl:"known_exploited,optional"`
	Verified     bool           `hcl:"verified,optional"`
	EPSSOver     *float64       `hcl:"epss_over,optional"`
	CVSSOver     *float64       `hcl:"cvss_over,optional"`
	Body         hcl.Body       `hcl:",body"`
}

// addTo adds the match to a rule, and reports all that is wrong with it.
func (b *matchBlock) addTo(r *report, rule *reputation.Rule) {
	m := &reputation.Match{
		Fact: b.Fact, Unidentified: b.Unidentified, Exploited: b.Exploited, Verified: b.Verified,
		EPSSOver: b.EPSSOver, CVSSOver: b.CVSSOver,
	}
	start := b.Body.MissingItemRange()
	r.fraction(b.Body, "epss_over", b.EPSSOver, 1)
	r.fraction(b.Body, "cvss_over", b.CVSSOver, 10)
	fact := reputation.FactByName(b.Fact)
	if fact == nil || fact.Numeric {
		names := slices.DeleteFunc(reputation.FactNames(), func(name string) bool { return reputation.FactByName(name).Numeric })
		r.wrong(start, `match %q: use "%s"`, b.Fact, strings.Join(names, `", "`))
		return
	}
	if m.NeedsDetails() && m.Fact != "vulnerabilities" {
		r.wrong(start, `known_exploited, verified, epss_over and cvss_over are for match "vulnerabilities"`)
	}
	if m.Unidentified && m.Fact != "ports" {
		r.wrong(start, `unidentified is for match "ports"`)
	}
	switch {
	case b.Values != nil:
		m.Values = readValues(r, b.Values.Expr, fact)
	case !m.NeedsDetails():
		r.wrong(start, "a match needs values, such as values = [%s]", example(fact))
	}
	if slices.ContainsFunc(rule.Matches, func(o *reputation.Match) bool { return o.Fact == m.Fact }) {
		r.wrong(start, "the factor matches %s already: put the values together, or write another factor", m.Fact)
	}
	rule.Matches = append(rule.Matches, m)
}

// example returns a value that a fact can have, in quotes.
func example(fact *reputation.Fact) string {
	for _, value := range []string{"tor", "22", "NL", "AS64496", "CVE-2021-44228", "expired", "deny", "openbsd:openssh"} {
		if fact.Validate(value) == nil {
			return strconv.Quote(value)
		}
	}
	return `"…"`
}

// readValues reads the values of a match: a list of values, or an object that gives each value a reason, points, or both.
func readValues(r *report, e hcl.Expression, fact *reputation.Fact) []*reputation.Value {
	var values []*reputation.Value
	seen := map[string]bool{}
	add := func(e hcl.Expression) *reputation.Value {
		v := &reputation.Value{}
		if diagnostics := gohcl.DecodeExpression(e, nil, &v.Text); diagnostics.HasErrors() {
			r.wrong(e.StartRange(), "a value must be a text in quotes")
		} else if err := fact.Validate(v.Text); err != nil {
			r.wrong(e.StartRange(), "%v", err)
		}
		if seen[v.Text] {
			r.wrong(e.StartRange(), "%q is there twice", v.Text)
		}
		seen[v.Text] = true
		values = append(values, v)
		return v
	}
	if items, diagnostics := hcl.ExprMap(e); !diagnostics.HasErrors() {
		for _, item := range items {
			readMeaning(r, add(item.Key), item.Value)
		}
	} else if elements, diagnostics := hcl.ExprList(e); !diagnostics.HasErrors() {
		for _, element := range elements {
			add(element)
		}
	} else {
		r.wrong(e.StartRange(), `values must be a list, such as ["tor"], or an object, such as { tor = 20 } or { "23" = "Telnet" }`)
	}
	return values
}

// readMeaning reads what an object gives a value: a reason, points, or an object of both.
func readMeaning(r *report, v *reputation.Value, e hcl.Expression) {
	items, diagnostics := hcl.ExprMap(e)
	if diagnostics.HasErrors() {
		if value, _ := e.Value(nil); value.Type() == cty.String && value.IsKnown() && !value.IsNull() {
			v.Reason = value.AsString()
		} else if v.Points = points(e); v.Points == nil {
			r.wrong(e.StartRange(), "a value has points, a whole number from %d to %d, or a reason in quotes", -maxPoints, maxPoints)
		}
		return
	}
	for _, item := range items {
		var key string
		_ = gohcl.DecodeExpression(item.Key, nil, &key) // a key that is no text is no known key
		switch key {
		case "points":
			if v.Points = points(item.Value); v.Points == nil {
				r.wrong(item.Value.StartRange(), "points must be a whole number from %d to %d", -maxPoints, maxPoints)
			}
		case "reason":
			if diagnostics := gohcl.DecodeExpression(item.Value, nil, &v.Reason); diagnostics.HasErrors() {
				r.wrong(item.Value.StartRange(), "reason must be a text in quotes")
			}
		default:
			r.wrong(item.Key.StartRange(), "a value has points and a reason, and no %s", key)
		}
	}
}

// points returns the points of a value, or nil if the expression is not a whole number within the limits.
func points(e hcl.Expression) *int {
	var n int
	if gohcl.DecodeExpression(e, nil, &n).HasErrors() || n < -maxPoints || n > maxPoints {
		return nil
	}
	return &n
}

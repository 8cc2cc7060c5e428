package policyfile

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A factorBlock is the block of a factor.
type factorBlock struct {
	Name      string        `hcl:"name,label"`
	Detail    string        `hcl:"detail"`
	DetailOne string        `hcl:"detail_one,optional"`
	Points    int           `hcl:"points,optional"`
	Each      int           `hcl:"each,optional"`
	Cap       int           `hcl:"cap,optional"`
	LiftTo    string        `hcl:"lift_to,optional"`
	CapTo     string        `hcl:"cap_to,optional"`
	Only      string        `hcl:"only,optional"`
	Count     string        `hcl:"count,optional"`
	Reference string        `hcl:"reference,optional"`
	Matches   []*matchBlock `hcl:"match,block"`
	Steps     []*stepBlock  `hcl:"over,block"`
	Body      hcl.Body      `hcl:",body"`
}

// A stepBlock gives points to numbers that are over a limit.
type stepBlock struct {
	Over   string   `hcl:"number,label"`
	Points int      `hcl:"points"`
	Body   hcl.Body `hcl:",body"`
}

// rule makes the rule of the factor, and reports all that is wrong with it.
func (b *factorBlock) rule(r *report) *reputation.Rule {
	rule := &reputation.Rule{
		Name: b.Name, Points: b.Points, Each: b.Each, Cap: b.Cap,
		LiftTo: reputation.Level(b.LiftTo), CapTo: reputation.Level(b.CapTo), Only: reputation.Only(b.Only), Count: b.Count,
		Detail: r.text(b.Body, "detail", b.Detail), DetailOne: r.text(b.Body, "detail_one", b.DetailOne),
		Reference: r.text(b.Body, "reference", b.Reference),
	}
	if !validName.MatchString(b.Name) {
		r.wrong(b.Body.MissingItemRange(), "factor %q: use %s", b.Name, allowedName)
	}
	r.within(b.Body, "points", b.Points, -maxPoints, maxPoints)
	r.within(b.Body, "each", b.Each, 0, maxPoints)
	r.within(b.Body, "cap", b.Cap, 1, 10*maxPoints)
	r.oneOf(b.Body, "lift_to", b.LiftTo, string(reputation.Critical), string(reputation.High), string(reputation.Medium))
	r.oneOf(b.Body, "cap_to", b.CapTo, string(reputation.Low), string(reputation.Medium), string(reputation.High))
	r.oneOf(b.Body, "only", b.Only, string(reputation.WithDetails), string(reputation.WithoutDetails))
	for _, match := range b.Matches {
		match.addTo(r, rule)
	}
	for _, step := range b.Steps {
		step.addTo(r, rule)
	}
	if b.has("count") {
		b.checkCount(r, rule)
	} else {
		b.checkMatches(r, rule)
	}
	for name, sentence := range map[string]string{"detail": rule.Detail, "detail_one": rule.DetailOne} {
		if err := rule.CheckDetail(sentence); err != nil {
			r.wrongArgument(b.Body, name, ": %v", err)
		}
	}
	return rule
}

// has reports whether the block has an argument.
func (b *factorBlock) has(name string) bool { return argument(b.Body, name) != nil }

// checkCount checks a factor that counts a fact.
func (b *factorBlock) checkCount(r *report, rule *reputation.Rule) {
	start := b.Body.MissingItemRange()
	r.oneOf(b.Body, "count", b.Count, reputation.FactNames()...)
	for _, name := range []string{"points", "each", "cap"} {
		if b.has(name) {
			r.wrong(argument(b.Body, name).NameRange, "a factor with count has its points in its over blocks, and no %s", name)
		}
	}
	if len(rule.Matches) > 0 {
		r.wrong(start, "a factor has either count or match blocks: write two factors")
	}
	if len(rule.Steps) == 0 {
		r.wrong(start, `a factor with count needs over blocks, such as over "10" { points = 5 }`)
	}
	slices.SortFunc(rule.Steps, func(a, b reputation.Step) int { return b.Over - a.Over })
	for i := range max(0, len(rule.Steps)-1) {
		if more, fewer := rule.Steps[i], rule.Steps[i+1]; more.Points < fewer.Points {
			r.wrong(start, "over %d gives %d points and over %d gives %d: a higher number must not give fewer points",
				more.Over, more.Points, fewer.Over, fewer.Points)
		}
	}
}

// checkMatches checks a factor that matches values.
func (b *factorBlock) checkMatches(r *report, rule *reputation.Rule) {
	start := b.Body.MissingItemRange()
	if len(rule.Steps) > 0 {
		r.wrong(start, `over blocks need count, such as count = "ports"`)
	} else if len(rule.Matches) == 0 {
		r.wrong(start, `a factor needs a match, such as match "tags" { values = ["tor"] }, or count with over blocks`)
	}
	points := b.has("points") || slices.ContainsFunc(rule.Matches, func(m *reputation.Match) bool {
		return slices.ContainsFunc(m.Values, func(v *reputation.Value) bool { return v.Points != nil })
	})
	lifts, caps := b.has("lift_to"), b.has("cap_to")
	if !points && !lifts && !caps {
		r.wrong(start, "a factor needs points, its own or those of its values, or lift_to or cap_to")
	}
	if lifts && caps || (lifts || caps) && points {
		r.wrong(start, "a factor has either points, or lift_to, or cap_to")
	}
}

// addTo adds the step to a rule.
func (b *stepBlock) addTo(r *report, rule *reputation.Rule) {
	over, ok := number(b.Over)
	if !ok {
		r.wrong(b.Body.MissingItemRange(), `over %q: use a whole number, such as over "10" { points = 5 }`, b.Over)
	} else if slices.ContainsFunc(rule.Steps, func(s reputation.Step) bool { return s.Over == over }) {
		r.wrong(b.Body.MissingItemRange(), `there is an over "%d" already`, over)
	}
	r.within(b.Body, "points", b.Points, 0, maxPoints)
	rule.Steps = append(rule.Steps, reputation.Step{Over: over, Points: b.Points})
}

package policyfile

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// maxPoints limits points, so that their sum cannot overflow.
const maxPoints = 1000

// validName is the form of the names of policies and factors.
var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

const allowedName = "lower-case letters, digits, - and _, beginning with a letter"

// A policyBlock is the block of a policy.
type policyBlock struct {
	Name        string             `hcl:"name,label"`
	Description string             `hcl:"description,optional"`
	Base        *string            `hcl:"base,optional"`
	Without     []string           `hcl:"without,optional"`
	History     *bool              `hcl:"history,optional"`
	Levels      []*levelBlock      `hcl:"level,block"`
	Factors     []*factorBlock     `hcl:"factor,block"`
	Hosting     []*hostingBlock    `hcl:"hosting,block"`
	Confidence  []*confidenceBlock `hcl:"confidence,block"`
	Body        hcl.Body           `hcl:",body"`
}

// A levelBlock says from which score on a level begins.
type levelBlock struct {
	Level   string   `hcl:"level,label"`
	AtLeast int      `hcl:"at_least"`
	Body    hcl.Body `hcl:",body"`
}

// levelNames are the levels that a score can reach, highest first.
var levelNames = []string{string(reputation.Critical), string(reputation.High), string(reputation.Medium)}

// policy makes the policy, and reports all that is wrong with it.
func (b *policyBlock) policy(r *report, builtIn bool) *reputation.Policy {
	p := &reputation.Policy{Name: b.Name, Description: r.text(b.Body, "description", b.Description)}
	start := b.Body.MissingItemRange()
	switch {
	case !validName.MatchString(p.Name):
		r.wrong(start, "policy %q: use %s", p.Name, allowedName)
	case slices.Contains(Names(), p.Name) && !builtIn:
		r.wrong(start, `policy %q is built in: choose another name, and begin with base = %q to change some of it`, p.Name, p.Name)
	}
	for _, level := range b.Levels {
		level.addTo(r, p)
	}
	for _, factor := range b.Factors {
		rule := factor.rule(r)
		if slices.Contains(p.FactorNames(), rule.Name) {
			r.wrong(factor.Body.MissingItemRange(), "there is a factor %q already", rule.Name)
		}
		p.Factors = append(p.Factors, rule)
	}
	for _, hosting := range b.Hosting {
		p.Hosting = append(p.Hosting, hosting.rule(r))
	}
	for i, confidence := range b.Confidence {
		if i > 0 {
			r.wrong(confidence.Body.MissingItemRange(), "there is a confidence already")
		}
		p.Confidence = confidence.confidence(r)
	}
	if b.History != nil {
		p.History = *b.History
	}
	b.inherit(r, p)
	checkThresholds(r, p, start)
	return p
}

// addTo adds the threshold of the level to a policy.
func (b *levelBlock) addTo(r *report, p *reputation.Policy) {
	level := reputation.Level(b.Level)
	switch {
	case !slices.Contains(levelNames, b.Level):
		r.wrong(b.Body.MissingItemRange(), `level %q: use "%s"`, level, strings.Join(levelNames, `", "`))
	case slices.ContainsFunc(p.Thresholds, func(t reputation.Threshold) bool { return t.Level == level }):
		r.wrong(b.Body.MissingItemRange(), "there is a level %q already", level)
	default:
		r.within(b.Body, "at_least", b.AtLeast, 1, 100*maxPoints)
		p.Thresholds = append(p.Thresholds, reputation.Threshold{Level: level, AtLeast: b.AtLeast})
	}
}

// inherit completes a policy with what its base has: factors in the base's order, then the policy's own.
func (b *policyBlock) inherit(r *report, p *reputation.Policy) {
	if b.Base == nil {
		if argument(b.Body, "without") != nil {
			r.wrongArgument(b.Body, "without", " needs a base, whose factors it leaves out")
		}
		p.Hosting = append(p.Hosting, standardHosting()...)
		return
	}
	base := BuiltIn(strings.TrimSpace(*b.Base))
	if base == nil {
		r.wrongArgument(b.Body, "base", ` = %q: use "%s"`, *b.Base, strings.Join(Names(), `", "`))
		return
	}
	for i, name := range b.Without {
		if !slices.Contains(base.FactorNames(), name) {
			r.wrongElement(b.Body, "without", i, "the base has no factor %q: it has %s", name, strings.Join(base.FactorNames(), ", "))
		}
	}
	own := p.Factors
	p.Factors = nil
	for _, rule := range base.Factors {
		i := slices.IndexFunc(own, func(o *reputation.Rule) bool { return o.Name == rule.Name })
		switch {
		case i >= 0:
			p.Factors = append(p.Factors, own[i])
			own = slices.Delete(own, i, i+1)
		case !slices.Contains(b.Without, rule.Name):
			p.Factors = append(p.Factors, rule)
		}
	}
	p.Factors = append(p.Factors, own...)
	p.Hosting = append(p.Hosting, base.Hosting...)
	for _, t := range base.Thresholds {
		if !slices.ContainsFunc(p.Thresholds, func(o reputation.Threshold) bool { return o.Level == t.Level }) {
			p.Thresholds = append(p.Thresholds, t)
		}
	}
	if p.Confidence == nil {
		p.Confidence = base.Confidence
	}
	if b.History == nil {
		p.History = base.History
	}
}

// checkThresholds sorts the thresholds, highest level first, and checks that a higher level begins at a higher score.
func checkThresholds(r *report, p *reputation.Policy, start hcl.Range) {
	slices.SortStableFunc(p.Thresholds, func(a, b reputation.Threshold) int {
		return slices.Index(levelNames, string(a.Level)) - slices.Index(levelNames, string(b.Level))
	})
	if len(r.problems) > 0 {
		return
	}
	if len(p.Thresholds) < len(levelNames) {
		r.wrong(start, `a policy needs the levels "%s", each as level "…" { at_least = … }`, strings.Join(levelNames, `", "`))
		return
	}
	for i := range len(p.Thresholds) - 1 {
		if higher, lower := p.Thresholds[i], p.Thresholds[i+1]; higher.AtLeast <= lower.AtLeast {
			r.wrong(start, "the level %s begins at %d and the lower level %s at %d: a higher level must begin at a higher score",
				higher.Level, higher.AtLeast, lower.Level, lower.AtLeast)
		}
	}
}

// Package reputation scores a host by a policy. It is pure: from the data on a host and a policy it computes a score, a
// level and the factors that explain them. Package policyfile reads policies from HCL files and has the built-in ones.
package reputation

import (
	"fmt"
	"slices"
)

// Level is the level of a score.
type Level string

// The levels, highest first. Unknown is the level of a host that was not scored, which is not the same as low.
const (
	Critical Level = "critical"
	High     Level = "high"
	Medium   Level = "medium"
	Low      Level = "low"
	Unknown  Level = "unknown"
)

// A Policy has the rules of a score and the thresholds of the levels. A compiled policy must not be changed. It is safe
// for concurrent use.
type Policy struct {
	Name        string
	Description string
	// History is true if the policy uses the history of hosts.
	History bool
	// Factors are the rules, in the order of the factors of a score.
	Factors []*Rule
	// Thresholds are the lowest scores of the levels, highest first. Below the last, the level is Low.
	Thresholds []Threshold
	// Hosting are the rules for the type of hosting. The first that applies decides.
	Hosting []*HostingRule
	// Confidence says how sure a score is. It may be nil.
	Confidence *Confidence

	banners bool // the score needs a host's banners
	hosting hostingIndex
	rules   ruleIndex
}

// A Threshold is the lowest score of a level.
type Threshold struct {
	Level   Level
	AtLeast int
}

// Compile checks the policy and prepares it for use. It must be called before other methods, once.
func (p *Policy) Compile() error {
	if len(p.Thresholds) == 0 {
		return fmt.Errorf("policy %q has no thresholds", p.Name)
	}
	for _, rule := range p.Factors {
		if err := rule.compile(); err != nil {
			return fmt.Errorf("policy %q: factor %q: %w", p.Name, rule.Name, err)
		}
		if rule.CapTo == p.Thresholds[0].Level {
			return fmt.Errorf("policy %q: factor %q caps the score to %s, which is the highest level", p.Name, rule.Name, rule.CapTo)
		}
	}
	for _, rule := range p.Hosting {
		for _, kind := range rule.ASNLists {
			if asnLists()[kind] == nil {
				return fmt.Errorf("policy %q: there is no list of autonomous systems %q", p.Name, kind)
			}
		}
	}
	p.hosting, p.rules = indexHosting(p.Hosting), indexRules(p.Factors)
	p.banners = slices.ContainsFunc(p.Factors, func(rule *Rule) bool { return rule.needsBanners(p) })
	return nil
}

// NeedsBanners reports whether the score needs a host's banners, and not only its summary.
func (p *Policy) NeedsBanners() bool { return p.banners }

// FactorNames returns the names of the policy's factors, in order.
func (p *Policy) FactorNames() []string {
	names := make([]string, len(p.Factors))
	for i, rule := range p.Factors {
		names[i] = rule.Name
	}
	return names
}

// Reference returns the URL of a page that supports a factor, or "" if the policy has none.
func (p *Policy) Reference(factor string) string {
	i := slices.IndexFunc(p.Factors, func(rule *Rule) bool { return rule.Name == factor })
	if i < 0 {
		return ""
	}
	return p.Factors[i].Reference
}

// level returns the level of a score.
func (p *Policy) level(score int) Level {
	for _, t := range p.Thresholds {
		if score >= t.AtLeast {
			return t.Level
		}
	}
	return Low
}

// lowest returns the lowest score of a level.
func (p *Policy) lowest(level Level) int {
	i := slices.IndexFunc(p.Thresholds, func(t Threshold) bool { return t.Level == level })
	if i < 0 {
		return 0
	}
	return p.Thresholds[i].AtLeast
}

// highest returns the highest score of a level.
func (p *Policy) highest(level Level) int {
	above := len(p.Thresholds) - 1
	if i := slices.IndexFunc(p.Thresholds, func(t Threshold) bool { return t.Level == level }); i >= 0 {
		above = i - 1
	}
	return p.Thresholds[above].AtLeast - 1
}

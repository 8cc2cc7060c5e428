// Package reputation scores what is known of a host. It is pure: facts and a policy go in, a score, a level and the
// factors that explain them come out. A policy is an HCL file; the two that are built in are in the folder policies.
package reputation

import (
	"fmt"
	"slices"
)

// Level is how bad a score is.
type Level string

// The levels, worst first. Unknown is the level of whatever was not scored, and is not the same as low.
const (
	Critical Level = "critical"
	High     Level = "high"
	Medium   Level = "medium"
	Low      Level = "low"
	Unknown  Level = "unknown"
)

// A Policy says what counts against a host, and from which score on a level begins. It is data: nothing of it is in
// the code that applies it. A policy that was read must not be changed, and can be used side by side.
type Policy struct {
	Name        string
	Description string
	// History says that the policy wants to know what was seen of the host in the past as well.
	History bool
	// Factors are the reasons that the policy knows, in the order in which they are told.
	Factors []*Rule
	// Thresholds are the scores from which on the levels begin, highest first. Below the last the level is Low.
	Thresholds []Threshold
	// Hosting decides the type of hosting: the first rule that fits does.
	Hosting []*HostingRule
	// Confidence says how sure a score is; nil where the policy does not say.
	Confidence *Confidence

	banners bool // the score needs what only a host's banners say
	hosting hostingIndex
}

// A Threshold is the least score of a level.
type Threshold struct {
	Level   Level
	AtLeast int
}

// Compile prepares the policy for use. Call it once before any other method. Do not change the policy afterwards.
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
	p.hosting = indexHosting(p.Hosting)
	p.banners = slices.ContainsFunc(p.Factors, func(rule *Rule) bool { return rule.needsBanners(p) })
	return nil
}

// NeedsBanners reports whether a score by the policy needs a host's banners, and not only its summary.
func (p *Policy) NeedsBanners() bool { return p.banners }

// FactorNames returns the names of the policy's factors, in order.
func (p *Policy) FactorNames() []string {
	names := make([]string, len(p.Factors))
	for i, rule := range p.Factors {
		names[i] = rule.Name
	}
	return names
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

// least and most return the scores at which a level begins and ends.
func (p *Policy) least(level Level) int {
	i := slices.IndexFunc(p.Thresholds, func(t Threshold) bool { return t.Level == level })
	if i < 0 {
		return 0
	}
	return p.Thresholds[i].AtLeast
}

func (p *Policy) most(level Level) int {
	above := len(p.Thresholds) - 1
	if i := slices.IndexFunc(p.Thresholds, func(t Threshold) bool { return t.Level == level }); i >= 0 {
		above = i - 1
	}
	return p.Thresholds[above].AtLeast - 1
}

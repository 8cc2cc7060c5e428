package reputation

import (
	"slices"
)

// A Factor is one reason for a score. The score is the sum of the points of all factors.
type Factor struct {
	Factor   string `json:"factor"`   // the name of the policy's rule
	Points   int    `json:"points"`   // what it adds to the score
	Detail   string `json:"detail"`   // the reason, as a sentence
	Evidence any    `json:"evidence"` // a list, or Evidence if the rule matches several facts
}

// A Result is the score of a host, with the reasons.
type Result struct {
	Score   int
	Level   Level
	Factors []Factor // never nil
	// SuspiciousPorts are the open ports that any factor counts, ascending. Never nil.
	SuspiciousPorts []int
	// Hosting is the type of hosting of the host's network.
	Hosting Hosting
	// Honeypot is true if the host looks like a honeypot.
	Honeypot bool
	// Confidence is how sure the score is, from 0 to 1. It is nil if the policy has no confidence.
	Confidence *float64
}

// Score scores a host by a policy. It adds up the positive points, then subtracts the negative ones down to zero, then
// lifts or caps the score to a level. A factor that is cut at zero, lifts or caps has the actual difference as its
// points, so that the points always add up to the score.
func (p *Policy) Score(h Host) Result {
	f := p.factsOf(&h)
	defer f.release()
	result := Result{SuspiciousPorts: []int{}, Hosting: f.hosting, Honeypot: slices.Contains(f.tags, honeypotTag)}
	const usual = 8 // as many factors as most hosts have at most
	factors, applied := make([]Factor, 0, usual), make([]*Rule, 0, usual)
	candidates := p.rules.candidates(f)
	for i, rule := range p.Factors {
		if !candidates.has(i) {
			continue
		}
		if factor, ok := rule.apply(f); ok {
			factors, applied = append(factors, factor), append(applied, rule)
		}
	}
	result.Factors = make([]Factor, len(factors)) // of exactly this size: many results are in memory at a time
	copy(result.Factors, factors)
	for i := range applied {
		if points := result.Factors[i].Points; points > 0 {
			result.Score += points
		}
	}
	for i := range applied {
		if points := &result.Factors[i].Points; *points < 0 {
			*points = max(*points, -result.Score)
			result.Score += *points
		}
	}
	for i, rule := range applied {
		if rule.LiftTo != "" {
			result.Factors[i].Points = max(0, p.lowest(rule.LiftTo)-result.Score)
			result.Score += result.Factors[i].Points
		}
	}
	for i, rule := range applied {
		if rule.CapTo != "" {
			result.Factors[i].Points = min(0, p.highest(rule.CapTo)-result.Score)
			result.Score += result.Factors[i].Points
		}
	}
	result.Level = p.level(result.Score)
	slices.Sort(f.suspicious)
	result.SuspiciousPorts = append(result.SuspiciousPorts, slices.Compact(f.suspicious)...)
	if p.Confidence != nil {
		result.Confidence = new(p.Confidence.compute(f))
	}
	return result
}

package reputation

import (
	"slices"
	"strconv"
)

// A Factor is one reason for a score. The points of all factors add up to it.
type Factor struct {
	Factor   string `json:"factor"`   // the name of the policy's rule
	Points   int    `json:"points"`   // what it adds to the score
	Detail   string `json:"detail"`   // the reason, as a sentence for people
	Evidence any    `json:"evidence"` // what it rests on: a list, or a list for each fact where it looks at several
}

// A Result is how a policy judges a host.
type Result struct {
	Score   int
	Level   Level
	Factors []Factor // never nil
	// SuspiciousPorts are the open ports that count by the policy, whatever for, ascending. Never nil.
	SuspiciousPorts []int
	// Hosting is who the host's network is run for.
	Hosting Hosting
	// Honeypot says that the host may only pretend.
	Honeypot bool
	// Confidence is how sure the score is, from 0 to 1; nil where the policy does not say.
	Confidence *float64
}

// Score judges a host by a policy. The score is the sum of what counts against the host, lessened by what counts for it
// as far as zero, then lifted or capped to a level where a rule says so; the factor that does that has the difference
// as its points, so that the points always add up to the score.
func (p *Policy) Score(h Host) Result {
	f := p.factsOf(&h)
	result := Result{Factors: []Factor{}, SuspiciousPorts: []int{}, Hosting: f.hosting, Honeypot: slices.Contains(f.tags, honeypotTag)}
	var held []*Rule // the rule of each factor
	for _, rule := range p.Factors {
		factor, ok := rule.apply(f, &result.SuspiciousPorts)
		if ok {
			result.Factors, held = append(result.Factors, factor), append(held, rule)
		}
	}
	for i := range held {
		if points := result.Factors[i].Points; points > 0 {
			result.Score += points
		}
	}
	for i := range held {
		if points := &result.Factors[i].Points; *points < 0 {
			*points = max(*points, -result.Score)
			result.Score += *points
		}
	}
	for i, rule := range held {
		if rule.LiftTo != "" {
			result.Factors[i].Points = max(0, p.least(rule.LiftTo)-result.Score)
			result.Score += result.Factors[i].Points
		}
	}
	for i, rule := range held {
		if rule.CapTo != "" {
			result.Factors[i].Points = min(0, p.most(rule.CapTo)-result.Score)
			result.Score += result.Factors[i].Points
		}
	}
	result.Level = p.level(result.Score)
	slices.Sort(result.SuspiciousPorts)
	result.SuspiciousPorts = slices.Compact(result.SuspiciousPorts)
	if p.Confidence != nil {
		result.Confidence = new(p.Confidence.of(f))
	}
	return result
}

// apply makes a factor of a rule, and reports whether there is anything to say. It adds to ports the open
// ports that count: those that the rule lists, and those at which something answers that it lists.
func (r *Rule) apply(f *facts, ports *[]int) (Factor, bool) {
	if r.Only != "" {
		if f = f.only(r.Only); len(f.vulnerabilities) == 0 {
			return Factor{}, false
		}
	}
	if r.count != nil {
		return r.applyCount(f)
	}
	all, counted, points := f.hits[:0], 0, 0
	var evidence map[string]any
	var last any
	for _, m := range r.Matches {
		begin := len(all)
		all = m.hits(f, all)
		hits := all[begin:]
		if len(hits) == 0 {
			continue
		}
		if p := r.points(hits); counted == 0 || p > points {
			points = p
		}
		counted = max(counted, len(hits))
		switch m.Fact {
		case factPorts:
			for _, h := range hits {
				*ports = append(*ports, h.port)
			}
		case factProtocols, factSoftware:
			for _, h := range hits {
				*ports = append(*ports, f.host.PortsOf[h.text]...)
			}
		}
		last = evidenceOf(m.fact, f, hits)
		if len(r.Matches) > 1 {
			if evidence == nil {
				evidence = map[string]any{}
			}
			evidence[m.Fact] = last
		}
	}
	if counted == 0 {
		return Factor{}, false
	}
	if evidence != nil {
		last = evidence
	}
	f.hits = all
	found := &finding{count: counted}
	for _, h := range all {
		found.add(h.shown(f))
	}
	return r.factor(points, found, last), true
}

// applyCount makes a factor of a rule that counts.
func (r *Rule) applyCount(f *facts) (Factor, bool) {
	n := r.count.count(f)
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return n > s.Over })
	if i < 0 {
		return Factor{}, false
	}
	found := &finding{count: n, over: r.Steps[i].Over}
	var evidence any
	switch {
	case r.count.Numeric:
		evidence = []int{n}
	case r.count.ports != nil:
		evidence = r.count.ports(f)
	default:
		evidence = r.count.list(f)
	}
	return r.factor(r.Steps[i].Points, found, evidence), true
}

func (r *Rule) factor(points int, found *finding, evidence any) Factor {
	sentence := r.detail
	if found.count == 1 && r.detailOne != nil {
		sentence = r.detailOne
	}
	return Factor{Factor: r.Name, Points: points, Detail: sentence.fill(found), Evidence: evidence}
}

// evidenceOf returns what hits of a fact rest on.
func evidenceOf(of *Fact, f *facts, hits []hit) any {
	if of.evidence != nil {
		return []string{of.evidence(f)}
	}
	if of.ports != nil {
		ports := make([]int, len(hits))
		for i, h := range hits {
			ports[i] = h.port
		}
		return ports
	}
	texts := make([]string, len(hits))
	for i, h := range hits {
		texts[i] = h.text
	}
	return texts
}

// shown returns how a sentence names a hit.
func (h hit) shown(f *facts) shown {
	s := shown{value: h.text}
	if h.port != 0 {
		s.value = strconv.Itoa(h.port)
	}
	if h.value != nil {
		s.reason = h.value.Reason
	}
	if s.reason == "" && h.fact.why != nil {
		s.reason = h.fact.why(f)
	}
	return s
}

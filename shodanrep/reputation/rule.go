package reputation

import (
	"fmt"
	"slices"
)

// A Rule is a factor of a policy: the conditions, and the points that it adds to the score.
type Rule struct {
	Name string
	// Reference is the URL of a page that supports the rule.
	Reference string

	// Matches are alternative conditions. If several are true, the one with the most points counts, because they detect
	// the same thing in different ways.
	Matches []*Match
	// Count is a fact to count, instead of Matches. The points are those of the first of Steps that the number is over.
	// The highest step comes first.
	Count string
	Steps []Step

	// Points are the points of the first matching value without its own points, and Each those of every further one.
	Points, Each int
	// Cap is the maximum number of points, or 0 for no limit.
	Cap int
	// LiftTo raises the score to at least a level, and CapTo lowers it to at most a level, after all other factors.
	LiftTo, CapTo Level
	// Only limits the rule to vulnerabilities with details, or to those without. A rule for other facts then applies
	// only to hosts that have such a vulnerability.
	Only Only

	// Detail is the sentence that explains the factor, and DetailOne the sentence for one value.
	Detail, DetailOne string

	compiled          bool
	count             *Fact
	detail, detailOne template
}

// Only limits a rule to some vulnerabilities. The details of a vulnerability are whether, or how likely, it is
// exploited.
type Only string

// The limits.
const (
	WithDetails    Only = "with_details"
	WithoutDetails Only = "without_details"
)

// A Step gives points to numbers greater than Over.
type Step struct{ Over, Points int }

// compile checks the rule and prepares it for use. It does not change a compiled rule, because policies share the rules
// of their base.
func (r *Rule) compile() error {
	if r.compiled {
		return nil
	}
	if r.Count != "" {
		if r.count = FactByName(r.Count); r.count == nil {
			return fmt.Errorf("there is no fact %q", r.Count)
		}
	}
	for _, m := range r.Matches {
		if err := m.compile(); err != nil {
			return err
		}
	}
	var err error
	if r.detail, err = parseTemplate(r.Detail, r.placeholders()...); err != nil {
		return fmt.Errorf("detail: %w", err)
	}
	if r.detailOne, err = parseTemplate(r.DetailOne, r.placeholders()...); err != nil {
		return fmt.Errorf("detail_one: %w", err)
	}
	r.compiled = true
	return nil
}

// placeholders returns the placeholders that the rule's sentences may have.
func (r *Rule) placeholders() []string {
	if r.Count != "" {
		return []string{"count", "over"}
	}
	return []string{"count", "values", "reasons"}
}

// CheckDetail returns an error if a sentence has a placeholder that the rule does not fill in.
func (r *Rule) CheckDetail(sentence string) error {
	_, err := parseTemplate(sentence, r.placeholders()...)
	return err
}

// needsBanners reports whether the rule needs a host's banners.
func (r *Rule) needsBanners(p *Policy) bool {
	if r.Only != "" || r.count != nil && r.count.banners {
		return true
	}
	byCloud := slices.ContainsFunc(p.Hosting, func(h *HostingRule) bool { return h.Cloud })
	return slices.ContainsFunc(r.Matches, func(m *Match) bool {
		return m.NeedsDetails() || m.Unidentified || m.fact.banners || m.Fact == factHosting && byCloud
	})
}

// points returns the points of the hits of one match.
func (r *Rule) points(hits []hit) int {
	own, others := 0, 0
	for _, h := range hits {
		if h.value != nil && h.value.Points != nil {
			own += *h.value.Points
		} else {
			others++
		}
	}
	if others > 0 {
		own += r.Points + (others-1)*r.Each
	}
	if r.Cap != 0 {
		own = min(own, r.Cap)
	}
	return own
}

// apply returns the factor of the rule, and whether the rule applies.
func (r *Rule) apply(f *facts) (Factor, bool) {
	if r.Only == "" {
		return r.applyTo(f)
	}
	only := f.only(r.Only)
	if len(only) == 0 {
		return Factor{}, false
	}
	all := f.vulnerabilities
	f.vulnerabilities = only
	factor, ok := r.applyTo(f)
	f.vulnerabilities = all
	return factor, ok
}

// applyTo is apply for facts that are limited by Only.
func (r *Rule) applyTo(f *facts) (Factor, bool) {
	if r.count != nil {
		return r.applyCount(f)
	}
	f.hits, f.ends = f.hits[:0], f.ends[:0]
	for _, m := range r.Matches {
		begin := len(f.hits)
		f.hits = m.hits(f, f.hits)
		f.ends = append(f.ends, len(f.hits))
		f.addSuspicious(m, f.hits[begin:])
	}
	if len(f.hits) == 0 {
		return Factor{}, false
	}
	key, isKey := f.factorKey(r)
	if !isKey {
		return r.matched(f), true
	}
	factor, known := f.factors[key]
	if !known {
		factor = r.matched(f)
		f.cacheFactor(key, factor)
	}
	return factor, true
}

// matched returns the factor of the hits of the rule's matches.
func (r *Rule) matched(f *facts) Factor {
	begin, counted, points := 0, 0, 0
	var evidence Evidence // of several facts
	var last FactEvidence
	for i, m := range r.Matches {
		hits := f.hits[begin:f.ends[i]]
		begin = f.ends[i]
		if len(hits) == 0 {
			continue
		}
		if p := r.points(hits); counted == 0 || p > points {
			points = p
		}
		counted = max(counted, len(hits))
		last = evidenceOf(m.fact, f, hits)
		if len(r.Matches) > 1 {
			evidence = evidence.with(last)
		}
	}
	found := finding{count: counted, hits: f.hits, facts: f}
	if evidence != nil {
		return r.factor(points, &found, evidence)
	}
	return r.factor(points, &found, last.Values())
}

// applyCount is apply for a rule with Count.
func (r *Rule) applyCount(f *facts) (Factor, bool) {
	n := r.count.count(f)
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return n > s.Over })
	if i < 0 {
		return Factor{}, false
	}
	found := finding{count: n, over: r.Steps[i].Over}
	var evidence any
	switch {
	case r.count.Numeric:
		evidence = []int{n}
	case r.count.ports != nil:
		evidence = r.count.ports(f)
	default:
		evidence = r.count.texts(f)
	}
	return r.factor(r.Steps[i].Points, &found, evidence), true
}

func (r *Rule) factor(points int, found *finding, evidence any) Factor {
	sentence := r.detail
	if found.count == 1 && r.detailOne != nil {
		sentence = r.detailOne
	}
	return Factor{Factor: r.Name, Points: points, Detail: sentence.fill(found), Evidence: evidence}
}

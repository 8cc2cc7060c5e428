package reputation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Rule is a factor of a policy: what has to be true of a host, and what it then adds to the score.
type Rule struct {
	Name string
	// Reference is what supports the rule: an address, for people.
	Reference string

	// Matches are conditions of which any will do. Where several fit, the one that gives most counts: they are several
	// ways to see the same thing.
	Matches []*Match
	// Count is a fact of which the number counts, in place of Matches, and Steps the points it gives: those of the first
	// step that the number is over. The highest comes first.
	Count string
	Steps []Step

	// Points are what the first value adds that fits and has no points of its own, and Each what every further one does.
	Points, Each int
	// Cap is the most that the factor adds, 0 for no limit.
	Cap int
	// LiftTo makes the score at least that of a level, and CapTo at most. They come after all other factors.
	LiftTo, CapTo Level
	// Only limits the rule to vulnerabilities that the source has details of, or to the others. A rule that looks at no
	// vulnerabilities holds only for hosts that have such a vulnerability.
	Only Only

	// Detail is the reason as a sentence for people, and DetailOne the same for one value.
	Detail, DetailOne string

	compiled          bool
	count             *Fact
	detail, detailOne template
}

// Only is a limit to the vulnerabilities that a rule is about. A source has details of a vulnerability where it says how
// likely that is to be exploited, or whether it is.
type Only string

// The limits.
const (
	WithDetails    Only = "with_details"
	WithoutDetails Only = "without_details"
)

// A Step gives points to a number greater than Over.
type Step struct{ Over, Points int }

// A Match is a condition: a fact has any of some values.
type Match struct {
	Fact   string
	Values []*Value
	// Unidentified chooses among ports those of which nothing says what answers there: the number alone counts only
	// where no banner knows better.
	Unidentified bool
	// Exploited, Verified, EPSSOver and CVSSOver choose among vulnerabilities.
	Exploited, Verified bool
	EPSSOver, CVSSOver  *float64

	fact     *Fact
	ports    map[int]*Value
	exact    map[string]*Value
	patterns []*Value // values with a * at an end
}

// A Value is a value that a Match looks for.
type Value struct {
	Text   string
	Reason string // why it counts; may be empty
	Points *int   // nil where the rule's points hold
}

// A hit is a value of a host that a match looked for.
type hit struct {
	fact  *Fact
	text  string
	port  int
	value *Value // nil where any value fits
}

// compile prepares a rule for use. It leaves a rule alone that is compiled, because policies share the rules of a base.
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
	if r.detail, err = parseTemplate(r.Detail, r.places()...); err != nil {
		return fmt.Errorf("detail: %w", err)
	}
	if r.detailOne, err = parseTemplate(r.DetailOne, r.places()...); err != nil {
		return fmt.Errorf("detail_one: %w", err)
	}
	r.compiled = true
	return nil
}

// places are what may stand in braces in the rule's sentences.
func (r *Rule) places() []string {
	if r.Count != "" {
		return []string{"count", "over"}
	}
	return []string{"count", "values", "reasons"}
}

// CheckDetail returns an error if a sentence of the rule has something in braces that the rule cannot fill in.
func (r *Rule) CheckDetail(sentence string) error {
	_, err := parseTemplate(sentence, r.places()...)
	return err
}

// needsBanners reports whether only a host's banners decide whether the rule holds.
func (r *Rule) needsBanners(p *Policy) bool {
	if r.Only != "" || r.count != nil && r.count.banners {
		return true
	}
	byCloud := slices.ContainsFunc(p.Hosting, func(h *HostingRule) bool { return h.Cloud })
	return slices.ContainsFunc(r.Matches, func(m *Match) bool {
		return m.Narrows() || m.Unidentified || m.fact.banners || m.Fact == factHosting && byCloud
	})
}

// compile prepares a match for use.
func (m *Match) compile() error {
	if m.fact = FactByName(m.Fact); m.fact == nil || m.fact.Numeric {
		return fmt.Errorf("there is no fact %q to match", m.Fact)
	}
	m.ports, m.exact, m.patterns = map[int]*Value{}, map[string]*Value{}, nil
	for _, v := range m.Values {
		if err := m.fact.Validate(v.Text); err != nil {
			return err
		}
		switch {
		case m.fact.ports != nil:
			port, _ := strconv.Atoi(v.Text) // Validate accepts only ports
			m.ports[port] = v
		case strings.HasPrefix(v.Text, "*"), strings.HasSuffix(v.Text, "*"):
			m.patterns = append(m.patterns, v)
		default:
			m.exact[v.Text] = v
		}
	}
	return nil
}

// Narrows reports whether the match looks at what is known of vulnerabilities, and not only at their ids.
func (m *Match) Narrows() bool {
	return m.Exploited || m.Verified || m.EPSSOver != nil || m.CVSSOver != nil
}

// hits appends what a host has of the values.
func (m *Match) hits(f *facts, hits []hit) []hit {
	if m.fact.ports != nil {
		ports := m.fact.ports(f)
		if m.Unidentified {
			ports = f.unidentified
		}
		for _, port := range ports {
			if v := m.ports[port]; v != nil {
				hits = append(hits, hit{fact: m.fact, port: port, value: v})
			}
		}
		return hits
	}
	for _, text := range m.fact.list(f) {
		if m.Narrows() && !m.fits(f.host.Details[text]) {
			continue
		}
		if len(m.Values) == 0 && m.Narrows() {
			hits = append(hits, hit{fact: m.fact, text: text})
		} else if v := m.value(text); v != nil {
			hits = append(hits, hit{fact: m.fact, text: text, value: v})
		}
	}
	return hits
}

// value returns the value that a text fits, or nil.
func (m *Match) value(text string) *Value {
	if v := m.exact[text]; v != nil {
		return v
	}
	i := slices.IndexFunc(m.patterns, func(v *Value) bool { return fitsPattern(v.Text, text) })
	if i < 0 {
		return nil
	}
	return m.patterns[i]
}

// fitsPattern reports whether a text is a pattern's, which has a * at its beginning, its end, or both.
func fitsPattern(pattern, text string) bool {
	middle := strings.Trim(pattern, "*")
	switch begins, ends := strings.HasSuffix(pattern, "*"), strings.HasPrefix(pattern, "*"); {
	case begins && ends:
		return strings.Contains(text, middle)
	case begins:
		return strings.HasPrefix(text, middle)
	}
	return strings.HasSuffix(text, middle)
}

// fits reports whether a vulnerability is one of those that the match is about.
func (m *Match) fits(v Vulnerability) bool {
	return (!m.Exploited || v.Exploited) && (!m.Verified || v.Verified) &&
		(m.EPSSOver == nil || v.EPSS > *m.EPSSOver) && (m.CVSSOver == nil || v.CVSS > *m.CVSSOver)
}

// points returns what hits of one match add.
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

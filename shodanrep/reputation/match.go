package reputation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Match is a condition: a fact has any of some values.
type Match struct {
	Fact   string
	Values []*Value
	// Unidentified limits the match to ports whose service is unknown, because a banner says more than the number.
	Unidentified bool
	// Exploited, Verified, EPSSOver and CVSSOver limit the match to such vulnerabilities.
	Exploited, Verified bool
	EPSSOver, CVSSOver  *float64

	fact     *Fact
	ports    map[int]*Value
	exact    map[string]*Value
	patterns []*Value // values with a * at the beginning or the end
}

// A Value is a value of a Match.
type Value struct {
	Text   string
	Reason string // why it counts; may be empty
	Points *int   // nil for the rule's points
}

// isPattern reports whether several texts match the value.
func (v *Value) isPattern() bool {
	return strings.HasPrefix(v.Text, "*") || strings.HasSuffix(v.Text, "*")
}

// A hit is a value of a host that a match found.
type hit struct {
	fact  *Fact
	text  string
	port  int
	value *Value // nil if the match has no values
}

// compile checks the match and prepares it for use.
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
		case v.isPattern():
			m.patterns = append(m.patterns, v)
		default:
			m.exact[v.Text] = v
		}
	}
	return nil
}

// NeedsDetails reports whether the match needs the details of vulnerabilities, and not only their ids.
func (m *Match) NeedsDetails() bool {
	return m.Exploited || m.Verified || m.EPSSOver != nil || m.CVSSOver != nil
}

// hits appends the hits of the match.
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
	for _, text := range m.fact.texts(f) {
		if m.NeedsDetails() && !m.fits(f.host.Details[text]) {
			continue
		}
		if len(m.Values) == 0 && m.NeedsDetails() {
			hits = append(hits, hit{fact: m.fact, text: text})
		} else if v := m.value(text); v != nil {
			hits = append(hits, hit{fact: m.fact, text: text, value: v})
		}
	}
	return hits
}

// value returns the value that matches a text, or nil.
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

// fitsPattern reports whether a text matches a pattern, which has a * at the beginning, the end, or both.
func fitsPattern(pattern, text string) bool {
	middle := strings.Trim(pattern, "*")
	switch anyStart, anyEnd := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*"); {
	case anyStart && anyEnd:
		return strings.Contains(text, middle)
	case anyEnd:
		return strings.HasPrefix(text, middle)
	}
	return strings.HasSuffix(text, middle)
}

// fits reports whether a vulnerability is within the limits of the match.
func (m *Match) fits(v Vulnerability) bool {
	return (!m.Exploited || v.Exploited) && (!m.Verified || v.Verified) &&
		(m.EPSSOver == nil || v.EPSS > *m.EPSSOver) && (m.CVSSOver == nil || v.CVSS > *m.CVSSOver)
}

// evidenceOf returns the evidence of the hits of a fact.
func evidenceOf(of *Fact, f *facts, hits []hit) FactEvidence {
	e := FactEvidence{Fact: of.Name}
	switch {
	case of.evidence != nil:
		e.Texts = []string{of.evidence(f)}
	case of.ports != nil:
		e.Ports = make([]int, len(hits))
		for i, h := range hits {
			e.Ports[i] = h.port
		}
	default:
		e.Texts = make([]string, len(hits))
		for i, h := range hits {
			e.Texts[i] = h.text
		}
	}
	return e
}

// reason returns why the value counts; it may be empty.
func (h *hit) reason(f *facts) string {
	if h.value != nil && h.value.Reason != "" {
		return h.value.Reason
	}
	if h.fact.why != nil {
		return h.fact.why(f)
	}
	return ""
}

// appendValue appends the value to a sentence.
func (h *hit) appendValue(b []byte) []byte {
	if h.port != 0 {
		return strconv.AppendInt(b, int64(h.port), 10)
	}
	return append(b, h.text...)
}

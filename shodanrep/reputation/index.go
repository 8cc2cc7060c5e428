package reputation

// A ruleSet is a set of the rules of a policy. The rules 0, 64, 128 and so on share a bit: a set may have more rules
// than were added to it, and never fewer.
type ruleSet uint64

func (s *ruleSet) add(rule int) { *s |= 1 << (rule % 64) }

func (s ruleSet) has(rule int) bool { return s&(1<<(rule%64)) != 0 }

// A ruleIndex finds the rules that may apply to a host without trying all of them. It must find every rule that
// applies, and may find others: they are tried and do not apply.
type ruleIndex struct {
	always ruleSet // the rules that count
	facts  []*factIndex
}

// A factIndex has the rules that match a fact, by the values that they match.
type factIndex struct {
	fact  *Fact
	ports map[int]ruleSet
	texts map[string]ruleSet
	// any are the rules that may match any value, and detailed those that do so if it has details.
	any, detailed ruleSet
}

// indexRules makes an index of compiled rules.
func indexRules(rules []*Rule) ruleIndex {
	var x ruleIndex
	byFact := map[*Fact]*factIndex{}
	for i, rule := range rules {
		if rule.count != nil {
			x.always.add(i)
		}
		for _, m := range rule.Matches {
			of := m.fact
			if of.ports != nil && m.Unidentified {
				of = FactByName(factPorts) // of which those without a known service are a part
			}
			fact := byFact[of]
			if fact == nil {
				fact = &factIndex{fact: of, ports: map[int]ruleSet{}, texts: map[string]ruleSet{}}
				byFact[of] = fact
				x.facts = append(x.facts, fact)
			}
			fact.add(i, m)
		}
	}
	return x
}

// add adds a rule that has a match.
func (x *factIndex) add(rule int, m *Match) {
	switch {
	case m.fact.ports != nil:
		for port := range m.ports {
			addTo(x.ports, port, rule)
		}
	case len(m.Values) > 0 && len(m.patterns) == 0:
		for text := range m.exact {
			addTo(x.texts, text, rule)
		}
	case m.NeedsDetails() && !m.fits(Vulnerability{}):
		x.detailed.add(rule)
	case len(m.Values) > 0 || m.NeedsDetails():
		x.any.add(rule)
	}
}

func addTo[K comparable](sets map[K]ruleSet, key K, rule int) {
	set := sets[key]
	set.add(rule)
	sets[key] = set
}

// candidates returns the rules that may apply to a host.
func (x *ruleIndex) candidates(f *facts) ruleSet {
	set := x.always
	for _, fact := range x.facts {
		set |= fact.candidates(f)
	}
	return set
}

// candidates returns the rules that may match the fact of a host.
func (x *factIndex) candidates(f *facts) (set ruleSet) {
	switch {
	case x.fact.ports != nil:
		for _, port := range x.fact.ports(f) {
			set |= x.ports[port]
		}
		return set
	case x.fact.single != nil:
		text := x.fact.single(f)
		if text == "" {
			return 0
		}
		set = x.texts[text]
	default:
		list := x.fact.list(f)
		if len(list) == 0 {
			return 0
		}
		if len(x.texts) > 0 {
			for _, text := range list {
				set |= x.texts[text]
			}
		}
	}
	if set |= x.any; len(f.host.Details) > 0 {
		set |= x.detailed
	}
	return set
}

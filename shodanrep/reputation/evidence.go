package reputation

import (
	"encoding/json"
	"slices"
)

// Evidence is the evidence of a rule that matches several facts, in the order of their names. In JSON it is an object.
type Evidence []FactEvidence

// FactEvidence is the evidence that one fact gives: a list of ports or of texts.
type FactEvidence struct {
	Fact  string
	Ports []int // nil if the evidence is texts
	Texts []string
}

// Values returns the list.
func (e *FactEvidence) Values() any {
	if e.Ports != nil {
		return e.Ports
	}
	return e.Texts
}

// MarshalJSON makes an object of the lists by fact.
func (e Evidence) MarshalJSON() ([]byte, error) {
	lists := make(map[string]any, len(e))
	for _, fact := range e {
		lists[fact.Fact] = fact.Values()
	}
	return json.Marshal(lists)
}

// with returns the evidence with that of a fact. Of several matches of one fact, the last counts.
func (e Evidence) with(fact FactEvidence) Evidence {
	i := 0
	for i < len(e) && e[i].Fact < fact.Fact {
		i++
	}
	if i < len(e) && e[i].Fact == fact.Fact {
		e[i] = fact
		return e
	}
	return slices.Insert(e, i, fact)
}

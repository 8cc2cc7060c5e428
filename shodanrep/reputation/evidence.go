package reputation

import (
	"encoding/json"
	"slices"
)

// Evidence is the evidence of a rule that matches several facts, in the order of their names. In JSON it is an object.
type Evidence []FactEvidence

// FactEvidence is the evidence that one fact gives: a list.
type FactEvidence struct {
	Fact   string
	Values any
}

// MarshalJSON makes an object of the lists by fact.
func (e Evidence) MarshalJSON() ([]byte, error) {
	lists := make(map[string]any, len(e))
	for _, fact := range e {
		lists[fact.Fact] = fact.Values
	}
	return json.Marshal(lists)
}

// with returns the evidence with that of a fact. Of several matches of one fact, the last counts.
func (e Evidence) with(fact string, values any) Evidence {
	if e == nil {
		return Evidence{{fact, values}}
	}
	i := 0
	for i < len(e) && e[i].Fact < fact {
		i++
	}
	if i < len(e) && e[i].Fact == fact {
		e[i].Values = values
		return e
	}
	return slices.Insert(e, i, FactEvidence{fact, values})
}

package scan

import (
	"slices"
	"sync"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// A partMemory is where the results of a part of a window are. The memory of a part that nothing refers to any more is
// used for another one: it is still in the caches of the processor, and it is no garbage to collect.
type partMemory struct {
	file      lookup.FileMemory
	targets   []Target
	questions []lookup.Question
	results   []Result
	scored    []scoredVerdict
	verdicts  []*Verdict
}

// partMemories are those that are free.
var partMemories = sync.Pool{New: func() any { return new(partMemory) }}

// newPartMemory returns memory for n results.
func newPartMemory(n int) *partMemory {
	m := partMemories.Get().(*partMemory)
	m.targets, m.results = slices.Grow(m.targets, n)[:n], slices.Grow(m.results, n)[:n]
	return m
}

// free frees the memory. What is in it must not be used any more.
func (m *partMemory) free() {
	m.file.Reset()
	clear(m.targets)
	clear(m.results)
	clear(m.scored)
	clear(m.verdicts)
	m.targets, m.questions, m.results = m.targets[:0], m.questions[:0], m.results[:0]
	m.scored, m.verdicts = m.scored[:0], m.verdicts[:0]
	partMemories.Put(m)
}

// verdictsOf scores results, which are in the memory or not.
func (m *partMemory) verdictsOf(results []Result) []*Verdict {
	m.scored = slices.Grow(m.scored, len(results))[:len(results)]
	for i := range results {
		m.scored[i].set(&results[i], results[i].Policy)
		m.verdicts = append(m.verdicts, &m.scored[i].Verdict)
	}
	return m.verdicts
}

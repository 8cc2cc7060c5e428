package lookup

import (
	"slices"
	"sync"
)

// shownSearches is how many searches without a match are listed.
const shownSearches = 3

// Searches counts the searches for related hosts.
type Searches struct {
	// Made is how many different searches there were, and Matched how many of them found a host.
	Made, Matched int
	// Credits is how many query credits they cost. Cached responses cost nothing.
	Credits int64
	// Unmatched are the first search queries that found no other host.
	Unmatched []string
	// Sources lists what was searched: the dataset, Shodan or both.
	Sources []Source
	// Unsearched are the first reasons why there was nothing to search for.
	Unsearched []string
}

// searchTally counts searches. It may be used by several goroutines.
type searchTally struct {
	mu      sync.Mutex
	made    Searches
	queries map[string]bool
}

// countSearch counts a search for related hosts: how many it found, in which sources, and what it cost.
func (p *Progress) countSearch(query string, found int, credits int64, sources ...Source) {
	t := &p.searches
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made.Credits += credits
	for _, source := range sources {
		t.made.Sources = appendOnce(t.made.Sources, source)
	}
	if t.queries[query] {
		// The same search for another address: what is left out of its result is that address.
		if found > 0 {
			t.made.Matched = max(t.made.Matched, 1)
		}
		return
	}
	if t.queries == nil {
		t.queries = map[string]bool{}
	}
	t.queries[query] = true
	t.made.Made++
	if found > 0 {
		t.made.Matched++
	} else if len(t.made.Unmatched) < shownSearches {
		t.made.Unmatched = append(t.made.Unmatched, query)
	}
}

// CountUnsearched notes why nothing was searched for.
func (p *Progress) CountUnsearched(reason string) {
	t := &p.searches
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.made.Unsearched) < shownSearches {
		t.made.Unsearched = appendOnce(t.made.Unsearched, reason)
	}
}

// Searches returns the searches so far.
func (p *Progress) Searches() Searches {
	t := &p.searches
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.made
	s.Sources, s.Unmatched, s.Unsearched = slices.Clone(s.Sources), slices.Clone(s.Unmatched), slices.Clone(s.Unsearched)
	return s
}

func appendOnce[T comparable](list []T, value T) []T {
	if slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}

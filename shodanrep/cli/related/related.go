// Package related finds hosts that share infrastructure with an address, such as a certificate or an organization.
package related

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// Options are what to look for and where.
type Options struct {
	// Source is the only source to search; by default the dataset and then the REST API are searched.
	Source lookup.Source
	// Policy is the policy of the verdicts.
	Policy string
	// Hops is how far to go: 2 also finds hosts that share something with a host of hop 1.
	Hops int
	// Limit is how many hosts to find at most.
	Limit int
	// Pivots are what hosts may share. Named says that the user named them.
	Pivots []shodan.Pivot
	Named  bool
	// Credits is how many query credits may be spent. Allow asks the user for them, once and before the first search.
	Credits int64
	Allow   func(credits int64) bool
	// HasKey says that there is an API key to search with, and HasDataset that there is a dataset.
	HasKey, HasDataset bool
}

// A Value is a value of an address that other hosts may share.
type Value struct {
	From  string // the address that has it
	Hop   int
	Pivot shodan.Pivot
	Value string
	Query string
	// Total is how many services have the value: on the internet, or without an API key in the dataset.
	Total int64
	// Cost is how many query credits the search costs at most.
	Cost int64
	// Note says what the search found, or why there was none.
	Note string
	// Unsearched is why it was not searched for. It is empty if it was.
	Unsearched string

	inDataset []embedded.Row
}

// A Host is a host that shares a value with an address. Pivot and Value are the rarest of what they share.
type Host struct {
	IP           string       `json:"ip"`
	Hop          int          `json:"hop"`
	From         string       `json:"related_to"`
	Pivot        shodan.Pivot `json:"pivot"`
	Value        string       `json:"value"`
	Port         int64        `json:"port"`
	Also         []string     `json:"also"` // further pivots by which it is related
	Source       string       `json:"source"`
	Organization string       `json:"organization"`
	Status       string       `json:"status"`
	Level        string       `json:"level"`
	Score        *int64       `json:"score"`
	Policy       string       `json:"policy"`
	Error        string       `json:"error"`
}

// UnsearchedText says how many values were not searched for, and why, the most frequent reason first. It is empty if all
// were searched for: hosts that share the others are not known, which does not mean that there are none.
func (r *Result) UnsearchedText() string {
	counts := map[string]int{}
	total := 0
	for _, v := range r.Values {
		if v.Unsearched != "" {
			counts[v.Unsearched]++
			total++
		}
	}
	if total == 0 {
		return ""
	}
	reasons := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	if len(reasons) > 1 {
		for i, reason := range reasons {
			reasons[i] = fmt.Sprintf("%d: %s", counts[reason], reason)
		}
	}
	verb := "were"
	if total == 1 {
		verb = "was"
	}
	return fmt.Sprintf("%d of %s %s not searched for (%s)", total, display.Plural(int64(len(r.Values)), "value"), verb, strings.Join(reasons, "; "))
}

// A Result is what was found.
type Result struct {
	IP     string
	Policy string // of the verdicts
	Named  bool   // the user named the pivots
	Hops   int    // how far the search went at most
	Hosts  []*Host
	Values []Value
	// Failures are the lookups and searches that failed.
	Failures []error
}

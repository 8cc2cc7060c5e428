// Package suggest finds which name was meant where one is misspelt.
package suggest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// shortest is how long a name must be to be taken for the beginning of a longer one.
const shortest = 3

// DidYouMean returns `: did you mean "host"?` for an error about a name that does not exist. It returns "" where no
// candidate is like the name.
func DidYouMean(name string, candidates []string) string {
	if nearest := Nearest(name, candidates); nearest != "" {
		return fmt.Sprintf(": did you mean %q?", nearest)
	}
	return ""
}

// Nearest returns the candidate that is most like a name, in any case, and "" where none is like it. A candidate is like
// a name that has a few letters wrong, or that is the beginning of the candidate. A prefix that all candidates share,
// as tables do, says nothing.
func Nearest(name string, candidates []string) string {
	prefix := sharedPrefix(candidates)
	name = strings.TrimPrefix(strings.ToLower(name), strings.ToLower(prefix))
	nearest, least := "", 0
	var longer []string
	for _, candidate := range candidates {
		rest := strings.ToLower(candidate[len(prefix):])
		if len(name) >= shortest && strings.HasPrefix(rest, name) {
			longer = append(longer, candidate)
		}
		distance := levenshtein.Distance(name, rest, nil)
		if alike(name, rest, distance) && (nearest == "" || distance < least) {
			nearest, least = candidate, distance
		}
	}
	if nearest == "" && len(longer) > 0 {
		return slices.MinFunc(longer, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	}
	return nearest
}

// alike reports whether so many wrong letters may be a slip: two, or a third of a long name, and never more than half.
func alike(name, candidate string, distance int) bool {
	return distance <= max(2, len(name)/3) && 2*distance <= max(len(name), len(candidate))
}

// sharedPrefix returns the words, with the underscores behind them, that all of several names begin with.
func sharedPrefix(names []string) string {
	if len(names) < 2 {
		return ""
	}
	prefix := names[0]
	for _, name := range names[1:] {
		for !strings.HasPrefix(name, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix[:strings.LastIndexByte(prefix, '_')+1]
}

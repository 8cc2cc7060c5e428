// Package suggest suggests names for misspelled ones.
package suggest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// minPrefix is the minimum length of a name that is suggested to be the beginning of a longer one.
const minPrefix = 3

// DidYouMean returns `: did you mean "host"?` for an error about a name that does not exist. It returns "" if no
// candidate is similar.
func DidYouMean(name string, candidates []string) string {
	if nearest := Nearest(name, candidates); nearest != "" {
		return fmt.Sprintf(": did you mean %q?", nearest)
	}
	return ""
}

// Nearest returns the candidate that is most similar to a name, ignoring case, or "" if none is. A candidate is similar
// if it differs in a few letters or begins with the name. A prefix that all candidates share, as tables do, is ignored.
func Nearest(name string, candidates []string) string {
	prefix := sharedPrefix(candidates)
	name = strings.TrimPrefix(strings.ToLower(name), strings.ToLower(prefix))
	nearest, least := "", 0
	var longer []string
	for _, candidate := range candidates {
		rest := strings.ToLower(candidate[len(prefix):])
		if len(name) >= minPrefix && strings.HasPrefix(rest, name) {
			longer = append(longer, candidate)
		}
		distance := levenshtein.Distance(name, rest, nil)
		if isTypo(name, rest, distance) && (nearest == "" || distance < least) {
			nearest, least = candidate, distance
		}
	}
	if nearest == "" && len(longer) > 0 {
		return slices.MinFunc(longer, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	}
	return nearest
}

// isTypo reports whether a distance may be a typing error: two letters, or a third of a long name, and at most half.
func isTypo(name, candidate string, distance int) bool {
	return distance <= max(2, len(name)/3) && 2*distance <= max(len(name), len(candidate))
}

// sharedPrefix returns the longest prefix of whole words, each with its underscore, that all names share.
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

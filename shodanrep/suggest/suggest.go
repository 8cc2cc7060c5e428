// Package suggest suggests names for misspelled ones.
package suggest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

const (
	// minPrefix is the minimum length of a name of which words or the beginning are compared.
	minPrefix = 3
	// fewLetters is in how many letters a short name differs at most from a candidate by a typing error.
	fewLetters = 2
)

// DidYouMean returns `: did you mean "host"?` for an error about a name that does not exist. It returns "" if no
// candidate is similar.
func DidYouMean(name string, candidates []string) string {
	if nearest := Nearest(name, candidates); nearest != "" {
		return fmt.Sprintf(": did you mean %q?", nearest)
	}
	return ""
}

// Nearest returns the candidate that is most similar to a name, ignoring case, or "" if none is. A prefix that all
// candidates share, as tables do, is ignored. In this order it looks for a candidate that
//
//   - differs in one or two letters,
//   - has all the words of the name, as cache_max_size has those of cache_size,
//   - is the first words of the name, as cache is of cache_path,
//   - differs in a few letters of a long name, or
//   - begins with the name, as organization does with org.
func Nearest(name string, candidates []string) string {
	prefix := sharedPrefix(candidates)
	name = strings.TrimPrefix(strings.ToLower(name), strings.ToLower(prefix))
	var typo, worded, first, beginning match
	for _, candidate := range candidates {
		rest := strings.ToLower(candidate[len(prefix):])
		distance := levenshtein.Distance(name, rest, nil)
		if isTypo(name, rest, distance) {
			typo.add(candidate, distance)
		}
		if len(name) < minPrefix {
			continue
		}
		if hasWords(rest, wordsOf(name)) {
			worded.add(candidate, distance)
		}
		if startsWithWords(name, rest) {
			first.add(candidate, distance)
		}
		if strings.HasPrefix(rest, name) {
			beginning.add(candidate, len(candidate))
		}
	}
	if typo.distance <= fewLetters && typo.name != "" {
		return typo.name
	}
	return cmp.Or(worded.name, first.name, typo.name, beginning.name)
}

// A match is the candidate with the least distance, the first of several.
type match struct {
	name     string
	distance int
}

func (m *match) add(name string, distance int) {
	if m.name == "" || distance < m.distance {
		*m = match{name, distance}
	}
}

// wordsOf returns the words of a name, such as cache and ttl of cache_ttl.
func wordsOf(name string) []string { return strings.FieldsFunc(name, isSeparator) }

func isSeparator(r rune) bool { return r == '_' || r == '-' }

// hasWords reports whether a candidate has all of some words, and there are some.
func hasWords(candidate string, words []string) bool {
	has := wordsOf(candidate)
	for _, word := range words {
		if !slices.Contains(has, word) {
			return false
		}
	}
	return len(words) > 0
}

// startsWithWords reports whether the first words of a name are a candidate.
func startsWithWords(name, candidate string) bool {
	rest, found := strings.CutPrefix(name, candidate)
	return found && len(wordsOf(candidate)) > 0 && rest != "" && isSeparator(rune(rest[0]))
}

// isTypo reports whether a distance may be a typing error: two letters, or a third of a long name, and at most half.
func isTypo(name, candidate string, distance int) bool {
	return distance <= max(fewLetters, len(name)/3) && 2*distance <= max(len(name), len(candidate))
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

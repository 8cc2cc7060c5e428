package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// The words that select rows.
var (
	// scoredLevels are the levels of a score, worst first.
	scoredLevels = []string{string(reputation.Critical), string(reputation.High), string(reputation.Medium), string(reputation.Low)}
	// levels are all values of a column level.
	levels = append(slices.Clone(scoredLevels), string(reputation.Unknown))
	// checkWords are the statuses of a Powerpipe check.
	checkWords = []string{"alarm", "ok", "info", "skip", "error"}
	// rowWords select rows of a query, which have any status.
	rowWords = vocabulary{shodanrep.Statuses(), checkWords}
	// verdictWords select verdicts. Other statuses would never match, so that --fail-on would never fail.
	verdictWords = vocabulary{statuses: []string{
		string(lookup.Indexed), string(lookup.NotIndexed), string(lookup.Reserved), string(scan.NotAHost), string(lookup.Failed),
	}}
)

// A vocabulary is the words of a flag, besides the levels.
type vocabulary struct{ statuses, checks []string }

// A selector selects rows by their level and status.
type selector struct {
	// words are the words of the flag, in lower case.
	words []string
	// values are the selected levels and statuses, in lower case, each once.
	values []string
}

// newSelector returns the selector of the words of a flag, in any case. A level selects only itself, as in "--only
// high".
func newSelector(flag string, words []string, known vocabulary) (selector, error) {
	return parseSelector(flag, words, known, false)
}

// newThreshold returns the selector of the words of a flag, in any case. A level selects itself and every worse one, as
// in "--fail-on high". The level unknown, which no score has, and statuses select only themselves.
func newThreshold(flag string, words []string, known vocabulary) (selector, error) {
	return parseSelector(flag, words, known, true)
}

func parseSelector(flag string, words []string, known vocabulary, orWorse bool) (selector, error) {
	var s selector
	if len(words) == 0 {
		return s, known.error(flag, "")
	}
	for _, given := range words {
		word := strings.ToLower(strings.TrimSpace(given))
		if !known.has(word) {
			return s, known.error(flag, given)
		}
		s.words = append(s.words, word)
		values := []string{word}
		if i := slices.Index(scoredLevels, word); i >= 0 && orWorse {
			values = scoredLevels[:i+1]
		}
		for _, value := range values {
			if !slices.Contains(s.values, value) {
				s.values = append(s.values, value)
			}
		}
	}
	return s, nil
}

// all returns all words of the flag.
func (v vocabulary) all() []string { return slices.Concat(levels, v.statuses, v.checks) }

func (v vocabulary) has(word string) bool { return slices.Contains(v.all(), word) }

// error returns what is wrong with a word that the vocabulary does not have.
func (v vocabulary) error(flag, word string) error {
	problem := "needs a word"
	switch {
	case rowWords.has(strings.ToLower(strings.TrimSpace(word))):
		problem = fmt.Sprintf("no address has the status %q here, and one whose lookup failed has error", word)
	case word != "":
		problem = fmt.Sprintf("%q is not a level or a status", word)
	}
	advice := fmt.Sprintf("use levels (%s), statuses (%s)", strings.Join(levels, ", "), strings.Join(v.statuses, ", "))
	if len(v.checks) > 0 {
		advice += fmt.Sprintf(" or the words of a check (%s)", strings.Join(v.checks, ", "))
	}
	return fmt.Errorf("--%s: %s; %s, with commas between them", flag, problem, advice)
}

// match returns the value by which a row is selected, and whether it is. A missing column is empty.
func (s selector) match(level, status string) (value string, ok bool) {
	for _, value := range s.values {
		if strings.EqualFold(value, level) || strings.EqualFold(value, status) {
			return value, true
		}
	}
	return "", false
}

// needsLevel reports whether the selector needs a column level.
func (s selector) needsLevel() bool { return s.first(isLevel) != "" }

// needsStatus reports whether the selector needs a column status.
func (s selector) needsStatus() bool { return s.first(isStatus) != "" }

// first returns the first word of a kind, or "".
func (s selector) first(kind func(string) bool) string {
	i := slices.IndexFunc(s.words, kind)
	if i < 0 {
		return ""
	}
	return s.words[i]
}

func isLevel(value string) bool  { return slices.Contains(levels, value) }
func isStatus(value string) bool { return !isLevel(value) }

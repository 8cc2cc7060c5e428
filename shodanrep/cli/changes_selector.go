package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/changes"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// The words that select changes, besides levels and the kinds of change.
const (
	worseWord      = "worse"
	betterWord     = "better"
	notCheckedWord = string(scan.NotChecked)
)

// A changeSelector selects changes by how the level changed, by the level after it, and by their kind.
type changeSelector struct {
	// words are the words of the flag, in lower case, each once.
	words []string
	// orWorse says that a level selects worse ones as well.
	orWorse bool
	// unchecked says that addresses that were not checked are selected.
	unchecked bool
}

// changeWords returns the words that select changes.
func changeWords() []string {
	return slices.Concat([]string{worseWord, betterWord, notCheckedWord}, levels, scan.ChangeKinds())
}

func newChangeSelector(flag string, words []string, orWorse bool) (changeSelector, error) {
	s := changeSelector{orWorse: orWorse}
	allowed := changeWords()
	if len(words) == 0 {
		return s, fmt.Errorf("--%s needs a word: use %s, with commas between them", flag, strings.Join(allowed, ", "))
	}
	for _, given := range words {
		word := strings.ToLower(strings.TrimSpace(given))
		if !slices.Contains(allowed, word) {
			return s, fmt.Errorf("--%s: there is no word %q; use %s, with commas between them", flag, given, strings.Join(allowed, ", "))
		}
		s.unchecked = s.unchecked || word == notCheckedWord
		if !slices.Contains(s.words, word) {
			s.words = append(s.words, word)
		}
	}
	return s, nil
}

// match returns the word by which a change is selected, or "".
func (s *changeSelector) match(change *scan.Change) string {
	for _, word := range s.words {
		level := string(change.Level())
		at := slices.Index(scoredLevels, word)
		switch {
		case word == worseWord && change.IsWorse(), word == betterWord && change.IsBetter(), word == string(change.Kind), word == level,
			s.orWorse && at >= 0 && slices.Contains(scoredLevels[:at], level):
			return word
		}
	}
	return ""
}

// indicatorLevels returns the levels among the words of --only, or else critical and high.
func indicatorLevels(words []string) []reputation.Level {
	var levels []reputation.Level
	for _, word := range words {
		if slices.Contains(scoredLevels, word) {
			levels = append(levels, reputation.Level(word))
		}
	}
	if len(levels) == 0 {
		return []reputation.Level{reputation.Critical, reputation.High}
	}
	return levels
}

// A changeFailOn counts the addresses that --fail-on selects.
type changeFailOn struct {
	selector changeSelector // empty without --fail-on
	found    map[string]int // by word
}

// count counts an address if it has a change that is selected, or was not checked and that is selected.
func (f *changeFailOn) count(r changes.Result) {
	if r.Unchecked != "" && !r.Reserved {
		f.countUnchecked()
	}
	words := map[string]bool{}
	for _, change := range r.Changes {
		words[f.selector.match(change)] = true
	}
	for word := range words {
		f.add(word)
	}
}

// countUnchecked counts an address that was not checked, or that there was none.
func (f *changeFailOn) countUnchecked() {
	if f.selector.unchecked {
		f.add(notCheckedWord)
	}
}

func (f *changeFailOn) add(word string) {
	if word == "" {
		return
	}
	if f.found == nil {
		f.found = map[string]int{}
	}
	f.found[word]++
}

// outcome returns the error of a command that ended with err.
func (f *changeFailOn) outcome(err error) error {
	if len(f.selector.words) == 0 || err != nil && !stdio.IsBrokenPipe(err) {
		return failed(err)
	}
	var counts []string
	for _, word := range f.selector.words {
		if n := f.found[word]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(word, "_", " ")))
		}
	}
	switch {
	case len(counts) > 0:
		return foundError{"addresses to fail on: " + strings.Join(counts, ", ")}
	case err != nil:
		return failure{errors.New("standard output was closed before all changes were read, which --fail-on needs")}
	}
	return nil
}

package shodanrep_test

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// plainer has expressions that are hard to read for many, with what to write in their place.
var plainer = map[string]string{
	`what became of`:         "the result of",
	`whatever`:               "any, or even if",
	`who asks`:               "the client, or the user",
	`for whom?`:              "for users that",
	`\bof (which|whom)`:      "whose, or a new sentence",
	`in vain`:                "without success",
	`heeds?\b`:               "use, or apply",
	`reckon`:                 "compute",
	`\bis none\b`:            "does not exist, or is not one",
	`one's own`:              "your own",
	`look-ups?\b`:            "lookup",
	`side by side`:           "in parallel",
	`asked for`:              "requested, or in the query",
	`answers? (is|are) kept`: "responses are cached",
	`as long as one another`: "of the same length",
	`\ba row an? `:           "one row per",
	`how bad an? `:           "the reputation of",
	`nobody (is|was) asked`:  "it is not looked up",
	`(that|which|it|this|value) is no (a|[^lm ]|l[^o]|m[^o])`: "is not a", // but "is no longer", "is no more"
}

// notPlain returns what to change in a text.
func notPlain(text string) (changes []string) {
	for words, better := range hardWords() {
		if found := words.FindString(text); found != "" {
			changes = append(changes, fmt.Sprintf("write %q in place of %q", better, found))
		}
	}
	return changes
}

// hardWords are the expressions of plainer, compiled.
var hardWords = sync.OnceValue(func() map[*regexp.Regexp]string {
	compiled := make(map[*regexp.Regexp]string, len(plainer))
	for words, better := range plainer {
		compiled[regexp.MustCompile("(?i)"+words)] = better
	}
	return compiled
})

// TestTheDocumentsAreInPlainEnglish checks the pages, the shipped configuration and the mods. It leaves out code and the
// output of commands.
func TestTheDocumentsAreInPlainEnglish(t *testing.T) {
	atRoot(t)
	files := []string{"README.md", "CHANGELOG.md", "action.yml"}
	for _, folder := range []string{"docs", "config"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && path == "docs/development" {
				return fs.SkipDir // pages for developers quote words that the code had
			}
			if slices.Contains([]string{".md", ".spc", ".pp", ".fp"}, filepath.Ext(path)) {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 50 {
		t.Errorf("only %d files were found", len(files))
	}
	code := regexp.MustCompile("(?ms)^ *```.*?^ *```$|`[^`\n]*`")
	for _, file := range files {
		text := code.ReplaceAllStringFunc(read(t, file), func(s string) string {
			return strings.Repeat("\n", strings.Count(s, "\n")) // the lines keep their numbers
		})
		for i, line := range strings.Split(text, "\n") {
			for _, change := range notPlain(line) {
				t.Errorf("%s:%d: %s: %s", file, i+1, change, line)
			}
		}
	}
}

// TestTheDescriptionsAreInPlainEnglish checks the descriptions of tables and columns, which also have the Hub's form.
func TestTheDescriptionsAreInPlainEnglish(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^(The|True if|Time when) [^ ].*\.$`)
	all := schema(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		descriptions := map[string]string{name: all[name].Description}
		for _, column := range all[name].Columns {
			descriptions[name+"."+column.Name] = column.Description
		}
		for what, text := range descriptions {
			if !form.MatchString(text) {
				t.Errorf(`%s: begin with "The", "True if" or "Time when", and end with a full stop: %s`, what, text)
			}
			for _, change := range notPlain(text) {
				t.Errorf("%s: %s: %s", what, change, text)
			}
		}
	}
}

func TestHardWordsAreFound(t *testing.T) {
	t.Parallel()
	for text, plain := range map[string]bool{
		"A value that is no address has no row.":        false,
		"A port that is no longer open has a row.":      true,
		"There is no address.":                          true,
		"Addresses are looked up side by side.":         false,
		"Look-ups cost nothing.":                        false,
		"It is a host of which nothing is known.":       false,
		"One row per address; lookups run in parallel.": true,
	} {
		if changes := notPlain(text); (len(changes) == 0) != plain {
			t.Errorf("%q: %q", text, changes)
		}
	}
}

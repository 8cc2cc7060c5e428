package shodanrep_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The commands of the page run in order, because each reads the database that the one before it wrote.
func TestThePageOfSQLShowsWhatItsCommandsPrint(t *testing.T) {
	atRoot(t)
	database := filepath.Join(t.TempDir(), "saved.db")
	all := blocksIn(read(t, "docs/sql-functions.md"), "sh", "text")
	ran := 0
	for i, b := range all {
		args := argumentsOf(t, b.text)
		if args == nil || b.language == "text" {
			continue
		}
		for j := range args {
			args[j] = strings.ReplaceAll(args[j], "'saved.db'", "'"+database+"'")
		}
		got := runCLI(t, args...)
		ran++
		if i+1 < len(all) && all[i+1].language == "text" {
			if diff := cmp.Diff(all[i+1].text, got); diff != "" {
				t.Errorf("%s: the page (-) and the output (+) differ: %s", b.heading, diff)
			}
		}
	}
	if ran < 4 {
		t.Errorf("only %d commands were found", ran)
	}
}

package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/load"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// loadNotices says what the table has about the addresses of a load, and what was done.
func loadNotices(s load.Summary, policy string, took time.Duration) []string {
	levels, unknown := map[string]int64{}, map[string]int64{}
	var kept int64
	for _, g := range s.Groups {
		if g.IsScored() {
			levels[g.Level] += g.Addresses
		} else {
			unknown[g.Status] += g.Addresses
		}
		if g.LastFailed && g.Status != string(lookup.Failed) {
			kept += g.Addresses
		}
	}
	counts := counted(levels, scoredLevels)
	if statuses := counted(unknown, shodanrep.Statuses()); len(statuses) > 0 {
		counts = append(counts, "unknown ("+strings.Join(statuses, ", ")+")")
	}
	lines := []string{
		fmt.Sprintf("%s in the table %s by the policy %s: %s", display.Plural(s.Found.Addresses, "address"), s.Table, policy, strings.Join(counts, ", ")),
		fmt.Sprintf("%s up to date, %s to look up; this process looked up %s in %v", humanize.Comma(s.Found.Addresses-s.Old), humanize.Comma(s.Old),
			humanize.Comma(s.Written), took.Round(time.Millisecond)),
	}
	if kept > 0 {
		lines = append(lines, "the last lookup of "+display.Plural(kept, "address")+" failed: the table keeps the earlier verdict, and the columns failed_at and failure say why")
	}
	return lines
}

// counted lists counts in the order of their words.
func counted(counts map[string]int64, words []string) []string {
	var list []string
	for _, word := range words {
		if n := counts[word]; n > 0 {
			list = append(list, humanize.Comma(n)+" "+word)
		}
	}
	return list
}

// invalidValues returns an error if a query returned values that are not addresses.
func invalidValues(f load.Found) error {
	if f.Invalid == 0 {
		return nil
	}
	more := ""
	if f.Invalid > 1 {
		more = fmt.Sprintf(" and %s more", humanize.Comma(f.Invalid-1))
	}
	return fmt.Errorf("not an address in the result of --from-query: %q%s", f.Example, more)
}

package report

import (
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// An htmlCount is how many results have a level or a status.
type htmlCount struct {
	Class, Name string
	N           int
}

// Count returns the number for people.
func (c htmlCount) Count() string { return comma(c.N) }

// comma returns a number for people.
func comma(n int) string { return humanize.Comma(int64(n)) }

// scoredLevels are the levels of results with a score, the worst first.
var scoredLevels = []reputation.Level{reputation.Critical, reputation.High, reputation.Medium, reputation.Low}

// summaryCounts counts all results, also those that are not shown. The counts of levels and of what was not checked are
// always there.
func summaryCounts(s Summary) []htmlCount {
	var counts []htmlCount
	for _, level := range scoredLevels {
		counts = append(counts, htmlCount{string(level), string(level), s.Levels[level]})
	}
	counts = append(counts, htmlCount{"unchecked", "not checked", s.Statuses[lookup.Failed] + s.Networks})
	for _, c := range []htmlCount{{"unknown", "not indexed", s.Statuses[lookup.NotIndexed]}, {"unknown", "reserved", s.Statuses[lookup.Reserved]}} {
		if c.N > 0 {
			counts = append(counts, c)
		}
	}
	return counts
}

// levelCounts counts results by level.
func levelCounts(results []*htmlResult) []htmlCount {
	byLevel := map[reputation.Level]int{}
	for _, r := range results {
		byLevel[r.level]++
	}
	var counts []htmlCount
	for _, level := range append(slices.Clone(scoredLevels), reputation.Unknown) {
		if n := byLevel[level]; n > 0 {
			counts = append(counts, htmlCount{string(level), string(level), n})
		}
	}
	return counts
}

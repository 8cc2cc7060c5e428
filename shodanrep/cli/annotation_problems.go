package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/annotate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// lineProblems are the lines that could not be annotated, by the reason.
type lineProblems struct {
	texts  []string
	counts map[string]int
	first  map[string]int64
}

func (p *lineProblems) add(record annotate.Record) {
	if p.counts == nil {
		p.counts, p.first = map[string]int{}, map[string]int64{}
	}
	if p.counts[record.Problem]++; p.counts[record.Problem] == 1 {
		p.texts = append(p.texts, record.Problem)
		p.first[record.Problem] = record.Line
	}
}

// merge adds other problems.
func (p *lineProblems) merge(others lineProblems) {
	for _, text := range others.texts {
		p.add(annotate.Record{Line: others.first[text], Problem: text})
		p.counts[text] += others.counts[text] - 1
	}
}

// err returns an error that lists the lines that were not changed, or nil.
func (p *lineProblems) err() error {
	if len(p.texts) == 0 {
		return nil
	}
	var parts []string
	for _, text := range p.texts {
		part := fmt.Sprintf("line %d: %s", p.first[text], text)
		if more := p.counts[text] - 1; more > 0 {
			part += fmt.Sprintf(", and %d more", more)
		}
		parts = append(parts, part)
	}
	return errors.New("lines were left as they are, and their addresses not looked up (" + strings.Join(parts, "; ") + ")")
}

// merged adds summaries.
func merged(summaries ...lookup.Summary) (sum lookup.Summary) {
	add := func(reasons, more []lookup.Reason) []lookup.Reason {
		for _, reason := range more {
			i := slices.IndexFunc(reasons, func(r lookup.Reason) bool { return r.Text == reason.Text })
			if i < 0 {
				reasons = append(reasons, reason)
				continue
			}
			reasons[i].Addresses += reason.Addresses
		}
		slices.SortStableFunc(reasons, func(a, b lookup.Reason) int { return b.Addresses - a.Addresses })
		return reasons
	}
	for _, s := range summaries {
		sum.Addresses += s.Addresses
		sum.Failed += s.Failed
		sum.Cached += s.Cached
		sum.Failures = add(sum.Failures, s.Failures)
		sum.Fallbacks = add(sum.Fallbacks, s.Fallbacks)
	}
	return sum
}

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// shownReasons is how many different reasons a notice tells; the others are counted together.
const shownReasons = 3

// notices are the lines that a user must see of lookups that have ended: how many addresses could not be checked and
// why, and which were looked up in another source than a user would expect. The advice says how to see which they are;
// it may be empty.
func notices(s lookup.Summary, advice string) []string {
	var lines []string
	for _, fallback := range s.Fallbacks {
		lines = append(lines, fmt.Sprintf("%s looked up in InternetDB, because %s", were(fallback.Addresses), fallback.Text))
	}
	if s.Failed > 0 {
		line := fmt.Sprintf("%s of %s could not be checked (%s)", humanize.Comma(int64(s.Failed)), plural(int64(s.Addresses), "address"), reasonsText(s.Failures))
		if advice != "" {
			line += "; " + advice
		}
		lines = append(lines, line)
	}
	return lines
}

// reasonsText tells the most frequent reasons, with their counts where there are several.
func reasonsText(reasons []lookup.Reason) string {
	if len(reasons) == 1 {
		return reasons[0].Text
	}
	others := 0
	var texts []string
	for i, reason := range reasons {
		if i >= shownReasons {
			others += reason.Addresses
			continue
		}
		texts = append(texts, fmt.Sprintf("%s: %s", humanize.Comma(int64(reason.Addresses)), reason.Text))
	}
	if others > 0 {
		texts = append(texts, humanize.Comma(int64(others))+": other reasons")
	}
	return strings.Join(texts, "; ")
}

func were(addresses int) string {
	if addresses == 1 {
		return "1 address was"
	}
	return plural(int64(addresses), "address") + " were"
}

// report tells what a user must know of lookups that have ended.
func (a *app) report(meter *lookup.Progress, advice string) {
	for _, line := range notices(meter.Summary(), advice) {
		a.say(line)
	}
	if line := searchNotice(meter.Searches()); line != "" {
		a.say(line)
	}
}

// searchNotice says what was searched for and what it cost, where no search for related hosts found one. It is empty
// where one did, or none was made.
func searchNotice(s lookup.Searches) string {
	if s.Matched > 0 || s.Made == 0 && len(s.Unsearched) == 0 {
		return ""
	}
	if s.Made == 0 {
		return "no related hosts: nothing was searched for, because " + strings.Join(s.Unsearched, ", ")
	}
	var sources []string
	for _, source := range s.Sources {
		sources = append(sources, sourceName(source))
	}
	queries := strings.Join(s.Unmatched, ", ")
	if others := s.Made - len(s.Unmatched); others > 0 {
		queries += fmt.Sprintf(" and %s more", humanize.Comma(int64(others)))
	}
	return fmt.Sprintf("no related hosts: searched %s for %s, which cost %s", strings.Join(sources, " and "), queries, plural(s.Credits, "query credit"))
}

// seenColumns notes which columns the results of a command have.
type seenColumns []string

// advice says how to see which addresses were not checked, unless the results say so already.
func (c seenColumns) advice() string {
	if slices.Contains(c, statusColumn) && slices.Contains(c, "error") {
		return ""
	}
	return "select status, error"
}

// interruption is the error of a command that was interrupted: of so many answers, so many are kept in a cache.
type interruption struct{ cached, total int64 }

// newInterruption says what of the lookups so far is not lost.
func newInterruption(meter *lookup.Progress) interruption {
	summary := meter.Summary()
	return interruption{int64(summary.Cached), max(meter.State().Total, int64(summary.Addresses))}
}

func (i interruption) Error() string {
	if i.cached == 0 || i.total < 2 {
		return "interrupted"
	}
	return fmt.Sprintf("interrupted: %s of %s answers are kept: the same command goes on from there", humanize.Comma(i.cached), humanize.Comma(i.total))
}

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// progressNotices returns the notices about lookups and searches that have ended, see lookupNotices.
func progressNotices(p *lookup.Progress, advice string, err error) []string {
	lines := lookupNotices(p.Summary(), advice, err)
	if line := searchNotice(p.Searches()); line != "" {
		lines = append(lines, line)
	}
	return lines
}

// lookupNotices returns what a user must know about lookups that have ended: how many addresses, names and CVEs could not
// be looked up and why, and how many addresses were looked up in another source than expected. The advice says how to list
// the failed ones; it may be empty. A reason that is the error of the command is left out, see failureNotice.
func lookupNotices(s lookup.Summary, advice string, err error) []string {
	var lines []string
	for _, fallback := range s.Fallbacks {
		lines = append(lines, fmt.Sprintf("%s looked up in InternetDB, because %s", were(fallback.Addresses), fallback.Text))
	}
	if s.Failed > 0 {
		line := fmt.Sprintf("%s of %s could not be checked", humanize.Comma(int64(s.Failed)), display.Plural(int64(s.Addresses), "address"))
		lines = append(lines, failureNotice(line, s.Failures, advice, err))
	}
	if names := s.Names; names.Failed > 0 {
		line := fmt.Sprintf("%s of %s could not be looked up completely", humanize.Comma(int64(names.Failed)), display.Plural(int64(names.Count), "name"))
		lines = append(lines, failureNotice(line, names.Failures, advice, err))
	}
	if details := s.Details; details.Failed > 0 {
		line := fmt.Sprintf("%s of %s could not be looked up, so cvss, epss and kev may be null", humanize.Comma(int64(details.Failed)), display.Plural(int64(details.Count), "CVE"))
		lines = append(lines, failureNotice(line, details.Failures, "", err))
	}
	return lines
}

// failureNotice adds the reasons and the advice to a notice of failed lookups, unless the only reason is the error of the
// command: then the error gives it, and there are no rows that the advice could be about.
func failureNotice(line string, reasons []lookup.Reason, advice string, err error) string {
	if len(reasons) == 1 && err != nil && strings.Contains(err.Error(), reasons[0].Text) {
		return line
	}
	return withAdvice(line+" ("+report.ReasonsText(reasons)+")", advice)
}

func withAdvice(line, advice string) string {
	if advice == "" {
		return line
	}
	return line + "; " + advice
}

func were(addresses int) string {
	if addresses == 1 {
		return "1 address was"
	}
	return display.Plural(int64(addresses), "address") + " were"
}

// searchNotice says what was searched for and what it cost if no search for related hosts found one. It is empty if one
// did, or no search was needed.
func searchNotice(s lookup.Searches) string {
	if s.Matched > 0 || s.Made == 0 && len(s.Unsearched) == 0 {
		return ""
	}
	if s.Made == 0 {
		return "no related hosts: nothing was searched for, because " + strings.Join(s.Unsearched, ", ")
	}
	var sources []string
	for _, source := range s.Sources {
		sources = append(sources, report.SourceName(source))
	}
	queries := strings.Join(s.Unmatched, ", ")
	if others := s.Made - len(s.Unmatched); others > 0 {
		queries += fmt.Sprintf(" and %s more", humanize.Comma(int64(others)))
	}
	return fmt.Sprintf("no related hosts: searched %s for %s, which cost %s", strings.Join(sources, " and "), queries, display.Plural(s.Credits, "query credit"))
}

// failureAdvice says how to list the addresses that were not checked, unless the columns of the results show them.
func failureAdvice(columns []string) string {
	if slices.Contains(columns, "error") { // not every table has a status
		return ""
	}
	return "select status, error"
}

// networksNotice says how many networks were not looked up, and what to do. Some of them may have more addresses than
// network_limit: the advice does not help with those.
func networksNotice(n, large int, advice string) string {
	const tooLarge = "more addresses than network_limit of the connection; name smaller networks, or raise it"
	text := "1 network was not looked up"
	if n > 1 {
		text = display.Plural(int64(n), "network") + " were not looked up"
	}
	switch large {
	case 0:
		return text + "; " + advice
	case n:
		return text + ": " + tooLarge
	case 1:
		return text + "; " + advice + ", but 1 has " + tooLarge
	}
	return text + "; " + advice + ", but " + humanize.Comma(int64(large)) + " have " + tooLarge
}

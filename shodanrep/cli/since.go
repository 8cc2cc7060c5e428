package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

// sinceLayouts are the forms of dates and times that --since takes.
var sinceLayouts = []string{
	time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04",
	time.DateOnly,
}

// parseSince returns the time that --since names: a duration before now, in which d is a day and w a week, or a date or
// time. A date is in UTC.
func parseSince(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	d, err := parseDuration(text)
	if err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if errors.Is(err, shodanrep.ErrDurationTooLong) {
		return time.Time{}, fmt.Errorf("--since %q is %w ago: give a shorter duration or a date", text, err)
	}
	for _, layout := range sinceLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			if at.After(now) {
				return time.Time{}, fmt.Errorf("--since %q is in the future", text)
			}
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since must be a duration such as 24h or 7d, or a date such as 2026-01-31, not %q", text)
}

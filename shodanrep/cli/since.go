package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseSince returns the time that --since names: a duration before now, in which d is a day and w a week, or a date or
// time. A date is in UTC.
func parseSince(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if count, ok := strings.CutSuffix(text, unit); ok {
			if n, err := strconv.ParseUint(count, 10, 16); err == nil {
				return now.Add(-time.Duration(n) * length), nil
			}
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			if at.After(now) {
				return time.Time{}, fmt.Errorf("--since %q is in the future", text)
			}
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since must be a duration such as 24h or 7d, or a date such as 2026-01-31, not %q", text)
}

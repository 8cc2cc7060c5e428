package shodanrep

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxDuration is the longest duration that users may write: a time.Duration ends at 292 years.
const maxDuration = 100 * 365 * 24 * time.Hour

// longUnits are the units that Go's durations lack.
var longUnits = map[rune]time.Duration{'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour}

// ErrDurationTooLong is the error of [ParseDuration] for more than 100 years.
var ErrDurationTooLong = errors.New("longer than 100 years")

var errNoDuration = errors.New("not a duration")

// oneUnit are the durations that only fail to parse because they are too long.
var oneUnit = regexp.MustCompile(`^[0-9]+(ns|us|µs|ms|s|m|h)$`)

// ParseDuration parses a duration that may begin with weeks (w) and days (d), as in 1w2d12h. The letters of the units say
// which of these are allowed, the longest first. The duration is at most 100 years.
func ParseDuration(text, units string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(text, "-")
	if rest == "" {
		return 0, errNoDuration
	}
	var length time.Duration
	for _, letter := range units {
		digits, after, found := strings.Cut(rest, string(letter))
		if !found {
			continue
		}
		if digits == "" || strings.Trim(digits, "0123456789") != "" {
			return 0, errNoDuration
		}
		unit := longUnits[letter]
		count, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || count > int64(maxDuration/unit) {
			return 0, ErrDurationTooLong
		}
		length, rest = length+time.Duration(count)*unit, after
	}
	if rest != "" {
		more, err := time.ParseDuration(rest)
		switch {
		case err != nil && oneUnit.MatchString(rest), more > maxDuration:
			return 0, ErrDurationTooLong
		case err != nil || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+"):
			return 0, errNoDuration
		}
		length += more
	}
	if length > maxDuration {
		return 0, ErrDurationTooLong
	}
	if negative {
		length = -length
	}
	return length, nil
}

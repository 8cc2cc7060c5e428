package cli

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// A wholeNumber is the value of a flag in decimal digits. pflag's own takes 010 for 8 and 0x10 for 16.
type wholeNumber int

// addInt adds a flag that takes a whole number.
func addInt(flags *pflag.FlagSet, p *int, name string, standard int, usage string) {
	*p = standard
	flags.Var((*wholeNumber)(p), name, usage)
}

// Set parses the number.
func (n *wholeNumber) Set(text string) error {
	number, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return errors.New("the number is too large")
	case err != nil:
		return errors.New("must be a whole number, such as 50")
	}
	*n = wholeNumber(number)
	return nil
}

// Type returns the word for the value in the help.
func (n *wholeNumber) Type() string { return "int" }

func (n *wholeNumber) String() string { return strconv.Itoa(int(*n)) }

// A duration is the value of a flag that may have days and weeks.
type duration time.Duration

// addDuration adds a flag that takes a duration.
func addDuration(flags *pflag.FlagSet, p *time.Duration, name string, standard time.Duration, usage string) {
	*p = standard
	flags.Var((*duration)(p), name, usage)
	if standard == 0 {
		flags.Lookup(name).DefValue = "" // the help shows no default
	}
}

// Set parses the duration.
func (d *duration) Set(text string) error {
	length, err := parseDuration(text)
	if errors.Is(err, errTooLong) {
		return err
	}
	if err != nil {
		return errors.New("must be a duration such as 30m, 24h or 7d")
	}
	*d = duration(length)
	return nil
}

// Type returns the word for the value in the help.
func (d *duration) Type() string { return "duration" }

func (d *duration) String() string { return time.Duration(*d).String() }

// oneUnit are the durations that only fail to parse because they are too long.
var oneUnit = regexp.MustCompile(`^[0-9]+(ns|us|µs|ms|s|m|h)$`)

var (
	errNoDuration = errors.New("not a duration")
	errTooLong    = errors.New("longer than 100 years")
)

// parseDuration parses a duration that may begin with weeks (w) and days (d), as in 1w2d12h. It is at most 100 years: a
// time.Duration ends at 292.
func parseDuration(text string) (time.Duration, error) {
	const longest = 100 * 365 * 24 * time.Hour
	rest, negative := strings.CutPrefix(text, "-")
	if rest == "" {
		return 0, errNoDuration
	}
	var length time.Duration
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		digits, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		if digits == "" || strings.Trim(digits, "0123456789") != "" {
			return 0, errNoDuration
		}
		count, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || count > int64(longest/unit.length) {
			return 0, errTooLong
		}
		length, rest = length+time.Duration(count)*unit.length, after
	}
	if rest != "" {
		more, err := time.ParseDuration(rest)
		switch {
		case err != nil && oneUnit.MatchString(rest), more > longest:
			return 0, errTooLong
		case err != nil || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+"):
			return 0, errNoDuration
		}
		length += more
	}
	if length > longest {
		return 0, errTooLong
	}
	if negative {
		length = -length
	}
	return length, nil
}

package cli

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

// A wholeNumber is the value of a flag in decimal digits. pflag's own takes 010 for 8 and 0x10 for 16.
type wholeNumber int

// addInt adds a flag that takes a whole number.
func addInt(flags *pflag.FlagSet, p *int, name string, def int, usage string) {
	*p = def
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
func addDuration(flags *pflag.FlagSet, p *time.Duration, name string, def time.Duration, usage string) {
	*p = def
	flags.Var((*duration)(p), name, usage)
	if def == 0 {
		flags.Lookup(name).DefValue = "" // the help shows no default
	}
}

// Set parses the duration.
func (d *duration) Set(text string) error {
	length, err := parseDuration(text)
	if errors.Is(err, shodanrep.ErrDurationTooLong) {
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

// String writes the duration as a user would, such as 20h and not 20h0m0s.
func (d *duration) String() string {
	text := time.Duration(*d).String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, nothing) {
			text = text[:len(text)-len("0s")]
		}
	}
	return text
}

// parseDuration parses a duration that may begin with weeks (w) and days (d).
func parseDuration(text string) (time.Duration, error) { return shodanrep.ParseDuration(text, "wd") }

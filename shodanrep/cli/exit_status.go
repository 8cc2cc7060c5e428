package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// The exit statuses.
const (
	exitDone        = 0   // everything succeeded
	exitFailed      = 1   // the query, the configuration or an output failed, or with --fail-on every lookup
	exitUsage       = 2   // the command line is wrong
	exitFound       = 3   // --fail-on found something
	exitInterrupted = 130 // the command was interrupted; shells report SIGINT as this status
)

// exitStatusHelp says in the help of a command without --fail-on what its exit statuses mean. The failure is when the
// status is 1.
func exitStatusHelp(failure string) string {
	return strings.Join(display.Wrap("The exit status is 0 if everything succeeded, 1 if "+failure+
		", 2 for wrong usage, and 130 if the command was interrupted.", helpTextWidth), "\n")
}

// helpTextWidth is the width of the text of the help.
const helpTextWidth = 80

// exitStatus returns the exit status for the error of a command, and the messages about it. An error that is neither a
// failure nor a finding is about the usage.
func exitStatus(ctx context.Context, err error) (status int, messages []string) {
	var stopped interruption
	switch {
	case err == nil, stdio.IsBrokenPipe(err):
		return exitDone, nil
	case errors.As(err, &foundError{}):
		return exitFound, []string{err.Error()}
	case errors.As(err, &failure{}) && ctx.Err() != nil:
		errors.As(err, &stopped)
		return exitInterrupted, []string{stopped.Error()}
	case errors.As(err, &failure{}):
		return exitFailed, failureMessages(err)
	}
	return exitUsage, []string{err.Error()}
}

// failureMessages returns the messages about a failure. Each of the errors that errors.Join has joined is a message.
func failureMessages(err error) (messages []string) {
	joined, ok := errors.Unwrap(err).(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	for _, one := range joined.Unwrap() {
		messages = append(messages, one.Error())
	}
	if strings.Join(messages, "\n") != err.Error() {
		return []string{err.Error()} // fmt.Errorf has joined them in a sentence
	}
	return messages
}

// A failure is an error of a command whose usage is right.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// failed marks an error as a failure. A usageError and nil stay as they are.
func failed(err error) error {
	if err == nil || errors.As(err, &usageError{}) {
		return err
	}
	return failure{err}
}

// A usageError is an error in the usage that is only noticed while a command runs.
type usageError struct{ error }

// A foundError is the error of a command that succeeded and has rows that --fail-on selects.
type foundError struct{ message string }

func (e foundError) Error() string { return e.message }

// An interruption is the error of an interrupted command. It says what is done already, if anything is.
type interruption struct{ done string }

// newInterruption says how many responses are in a cache file or in Redis.
func newInterruption(p *lookup.Progress) interruption {
	summary := p.Summary()
	cached, total := int64(summary.Cached), max(p.State().Total, int64(summary.Addresses))
	if cached == 0 || total < 2 {
		return interruption{}
	}
	return interruption{fmt.Sprintf("%s of %s responses are cached", humanize.Comma(cached), humanize.Comma(total))}
}

func (i interruption) Error() string {
	if i.done == "" {
		return "interrupted"
	}
	return "interrupted: " + i.done + ": run the same command again to continue"
}

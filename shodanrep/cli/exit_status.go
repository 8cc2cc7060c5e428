package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// The exit statuses.
const (
	exitDone        = 0   // everything succeeded
	exitFailed      = 1   // the query, the configuration or an output failed
	exitUsage       = 2   // the command line is wrong
	exitFound       = 3   // --fail-on found something
	exitInterrupted = 130 // the command was interrupted; shells report SIGINT as this status
)

// exitStatus returns the exit status for the error of a command, and what to say about it. An error that is neither a
// failure nor a finding is about the usage.
func exitStatus(ctx context.Context, err error) (status int, message string) {
	var stopped interruption
	switch {
	case err == nil, stdio.IsBrokenPipe(err):
		return exitDone, ""
	case errors.As(err, &foundError{}):
		return exitFound, err.Error()
	case errors.As(err, &failure{}) && ctx.Err() != nil:
		errors.As(err, &stopped)
		return exitInterrupted, stopped.Error()
	case errors.As(err, &failure{}):
		return exitFailed, err.Error()
	}
	return exitUsage, err.Error()
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

// An interruption is the error of an interrupted command: how many of its responses are in a cache file or in Redis.
type interruption struct{ cached, total int64 }

func newInterruption(p *lookup.Progress) interruption {
	summary := p.Summary()
	return interruption{int64(summary.Cached), max(p.State().Total, int64(summary.Addresses))}
}

func (i interruption) Error() string {
	if i.cached == 0 || i.total < 2 {
		return "interrupted"
	}
	return fmt.Sprintf("interrupted: %s of %s responses are cached: run the same command again to continue", humanize.Comma(i.cached), humanize.Comma(i.total))
}

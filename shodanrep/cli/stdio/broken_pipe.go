package stdio

import (
	"errors"
	"slices"
)

// A brokenPipe is the error of a [Writer] whose reader has gone. Connections to databases and services end with the same
// errors of the system, which are failures.
type brokenPipe struct{ error }

func (b brokenPipe) Unwrap() error { return b.error }

// IsBrokenPipe reports whether a write to a [Writer] failed because the reader of the pipe has gone.
func IsBrokenPipe(err error) bool { return errors.As(err, &brokenPipe{}) }

// isBrokenPipe reports whether an error of the system says that.
func isBrokenPipe(err error) bool {
	return slices.ContainsFunc(brokenPipeErrors, func(broken error) bool { return errors.Is(err, broken) })
}

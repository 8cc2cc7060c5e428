//go:build !windows

package stdio

import (
	"io"
	"syscall"
)

// brokenPipeErrors are the errors of a write to a pipe whose reader has gone.
var brokenPipeErrors = []error{syscall.EPIPE, io.ErrClosedPipe}

// TakesEscapes reports whether a stream is a terminal that interprets the escape sequences of colours and of the progress
// bar.
func TakesEscapes(stream any) bool { return IsTerminal(stream) && !isDumb() }

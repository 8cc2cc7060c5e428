//go:build !windows

package cli

import (
	"io"
	"syscall"
)

// brokenPipeErrors are the errors of a write to a pipe that nobody reads.
var brokenPipeErrors = []error{syscall.EPIPE, io.ErrClosedPipe}

// takesEscapes reports whether a stream is a terminal, which obeys the escape sequences of colours and the progress bar.
func takesEscapes(stream any) bool { return isTerminal(stream) }

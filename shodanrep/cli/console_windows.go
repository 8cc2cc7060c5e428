package cli

import (
	"io"
	"syscall"

	"golang.org/x/sys/windows"
)

// brokenPipeErrors are the errors of a write to a pipe that nobody reads.
var brokenPipeErrors = []error{windows.ERROR_BROKEN_PIPE, windows.ERROR_NO_DATA, syscall.EPIPE, io.ErrClosedPipe}

// takesEscapes makes the console behind a stream obey escape sequences, which colours and the progress bar are made of.
// It reports false where the stream is no console, or the console of a Windows that is too old.
func takesEscapes(stream any) bool {
	file, ok := stream.(descriptor)
	if !ok {
		return false
	}
	console, mode := windows.Handle(file.Fd()), uint32(0)
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	const wanted = windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	return mode&wanted == wanted || windows.SetConsoleMode(console, mode|wanted) == nil
}

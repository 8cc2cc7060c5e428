package stdio

import (
	"io"
	"syscall"

	"golang.org/x/sys/windows"
)

// brokenPipeErrors are the errors of a write to a pipe whose reader has gone.
var brokenPipeErrors = []error{windows.ERROR_BROKEN_PIPE, windows.ERROR_NO_DATA, syscall.EPIPE, io.ErrClosedPipe}

// TakesEscapes makes the console behind a stream interpret the escape sequences of colours and of the progress bar.
// It reports false if the stream is not a console, or Windows is too old.
func TakesEscapes(stream any) bool {
	file, ok := stream.(descriptor)
	if !ok || isDumb() {
		return false
	}
	console, mode := windows.Handle(file.Fd()), uint32(0)
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	const wanted = windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	return mode&wanted == wanted || windows.SetConsoleMode(console, mode|wanted) == nil
}

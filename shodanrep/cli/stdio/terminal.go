// Package stdio is the command line's standard streams: whether they are terminals, reads and writes that an interrupt
// ends, and writers for messages, results and files.
package stdio

import (
	"os"

	"golang.org/x/term"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// A descriptor is a file, or a stream that wraps one.
type descriptor interface{ Fd() uintptr }

// Fd returns the file descriptor of a stream, or one that no file has.
func Fd(stream any) uintptr {
	if file, ok := stream.(descriptor); ok {
		return file.Fd()
	}
	return ^uintptr(0)
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(descriptor)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Width returns the number of columns of a terminal, and 0 if the stream is not a terminal.
func Width(stream any) int {
	if !IsTerminal(stream) {
		return 0
	}
	width, _, err := term.GetSize(int(Fd(stream)))
	if err != nil {
		return 0
	}
	return width
}

// isDumb reports whether terminals show escape sequences as text, and pagers ask for a key before they show anything: so
// does the shell of an editor, which sets TERM.
func isDumb() bool { return os.Getenv("TERM") == "dumb" }

// Painter returns the painter for a stream. It colours if the stream is a terminal and neither the flag --no-color nor
// the environment turns colours off.
func Painter(stream any, noColor bool) display.Painter {
	return display.Painter(IsTerminal(stream) && TakesEscapes(stream) && !noColor && os.Getenv("NO_COLOR") == "")
}

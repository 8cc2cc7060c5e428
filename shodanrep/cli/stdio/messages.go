package stdio

import (
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// A MessageWriter writes messages for people. It escapes control characters other than line feeds: messages quote what
// services and arguments contain.
type MessageWriter struct{ io.Writer }

// Write writes whole characters.
func (w MessageWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.Writer, display.PrintableLines(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Fd returns the descriptor of the wrapped stream, so that [IsTerminal] recognizes a terminal.
func (w MessageWriter) Fd() uintptr { return Fd(w.Writer) }

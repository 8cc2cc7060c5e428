package cli

import (
	"fmt"
	"io"
	"strings"
)

// A messageWriter writes for people: what would move a terminal's cursor or change its colours is spelt out, but for
// the ends of lines. Messages quote what services and arguments say.
type messageWriter struct{ io.Writer }

func (w messageWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.Writer, printableLines(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Fd returns the descriptor behind the stream, so that a terminal is still known for one.
func (w messageWriter) Fd() uintptr { return descriptorOf(w.Writer) }

// printableLines is printable for a text of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// say writes a line to standard error.
func (a *app) say(text string) { fmt.Fprintln(a.stderr, "shodanrep: "+text) }

package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
)

// longTable writes more lines than a terminal of the tests has.
func longTable(w io.Writer) error {
	_, err := io.WriteString(w, strings.Repeat("a line\n", 40))
	return err
}

// The pager shares the terminal with this process, which would leave it to the shell and the pager at the same time if an
// interrupt ended it.
func TestAnInterruptOfThePagerDoesNotEndTheCommand(t *testing.T) {
	got := filepath.Join(t.TempDir(), "got")
	t.Setenv("TERM", "xterm")
	t.Setenv("SHODANREP_PAGER", writeScript(t, fmt.Sprintf("kill -INT $PPID; kill -INT $PPID; cat > %q", got)))
	tty, written := terminal(t, 80, "")
	if err := stdio.PageOutput(tty, longTable); err != nil {
		t.Fatal(err)
	}
	if shown, err := os.ReadFile(got); err != nil || strings.Count(string(shown), "a line\n") != 40 || written() != "" {
		t.Errorf("the pager got %q, %v", shown, err)
	}
}

// less would ask for a key there before it shows anything.
func TestADumbTerminalHasNoPagerAndNoEscapes(t *testing.T) {
	t.Setenv("TERM", "dumb")
	t.Setenv("NO_COLOR", "")
	t.Setenv("SHODANREP_PAGER", writeScript(t, "exit 0"))
	tty, written := terminal(t, 80, "")
	if stdio.TakesEscapes(tty) || bool(stdio.Painter(tty, false)) {
		t.Error("it takes escapes")
	}
	if err := stdio.PageOutput(tty, longTable); err != nil {
		t.Fatal(err)
	}
	if got := written(); strings.Count(got, "a line\n") != 40 {
		t.Errorf("got %q", got)
	}
}

// writeScript writes a program of the shell, and returns its path.
func writeScript(t *testing.T, text string) string {
	t.Helper()
	path := writeFile(t, "script", "#!/bin/sh\n"+text+"\n")
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

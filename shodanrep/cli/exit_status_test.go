package cli

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
)

// Only standard output may be closed: a database that goes away in the middle of a write is a failure.
func TestABrokenConnectionIsAFailure(t *testing.T) {
	t.Parallel()
	broken := fmt.Errorf("the server went away: %w", &writeError{})
	if status, messages := exitStatus(t.Context(), failed(broken)); status != exitFailed || !slices.Equal(messages, []string{broken.Error()}) {
		t.Errorf("a broken connection: status %d, %q", status, messages)
	}
	if err := (&failOn{}).outcome(broken); err == nil || stdio.IsBrokenPipe(err) {
		t.Errorf("with --fail-on: %v", err)
	}
	_, err := stdio.NewWriter(t.Context(), brokenPipe{}, "standard output").Write([]byte("a line\n"))
	if status, messages := exitStatus(t.Context(), failed(fmt.Errorf("writing: %w", err))); status != exitDone || messages != nil {
		t.Errorf("standard output: status %d, %q, for %v", status, messages, err)
	}
	if status, _ := exitStatus(t.Context(), failed(syscall.EPIPE)); status != exitFailed {
		t.Errorf("the error of the system: status %d", status)
	}
}

// The name of a file and the message of a service may have line feeds. What follows one must not look like a message of
// shodanrep, or like a command to GitHub Actions.
func TestAMessageIsOneLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log\nshodanrep: everything is clean\n::set-output name=x::y\u2028::z")
	var stderr bytes.Buffer
	for _, args := range [][]string{{"check", name}, {"query", "select 1 as \"\n::x\" from \"no\n::y\""}, {"check", "--only", "x\n::y", "192.0.2.1"}} {
		stderr.Reset()
		a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr}
		if status := a.run(t.Context(), args); status == 0 {
			t.Errorf("%q: status %d", args, status)
		}
		for line := range strings.Lines(stderr.String()) {
			if !strings.HasPrefix(line, messagePrefix) && !strings.HasPrefix(line, "Run 'shodanrep ") {
				t.Errorf("%q: %q", args, line)
			}
		}
		if !strings.HasPrefix(stderr.String(), messagePrefix) || strings.Contains(stderr.String(), "\n"+messagePrefix+"everything") {
			t.Errorf("%q: %q", args, stderr.String())
		}
	}
}

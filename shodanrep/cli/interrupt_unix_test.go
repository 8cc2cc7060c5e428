//go:build unix

package cli

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// Nobody ever writes to these pipes, so that even opening them waits.
func TestAnInterruptEndsAWaitForAPipe(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	for name, args := range map[string]func(pipe string) []string{
		"for a configuration": func(pipe string) []string { return []string{"query", "--config", pipe, "select 1"} },
		"for a CSV file": func(pipe string) []string {
			return []string{"query", "--config", config, "--attach", "f=" + pipe, "select 1"}
		},
		"for a file of SQL": func(pipe string) []string { return []string{"query", "--config", config, pipe} },
	} {
		pipe := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Skip(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var stderr bytes.Buffer
		a := app{plugin: new(embeddedtest.Plugin).Func, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr}
		if status := a.run(ctx, args(pipe)); status != exitInterrupted || stderr.String() != "shodanrep: interrupted\n" {
			t.Errorf("%s: status %d, %q", name, status, stderr.String())
		}
	}
}

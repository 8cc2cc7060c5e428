//go:build unix

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// The command has begun when it reads.
func TestTheEndOfTheTerminalIsAnInterrupt(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("SIGHUP is ignored, as nohup does")
	}
	config := writeFile(t, "check.spc", `connection "shodanrep" { plugin = "shodanrep" }`)
	file := filepath.Join(t.TempDir(), "result.csv")
	var stderr bytes.Buffer
	stdin := readerFunc(func([]byte) (int, error) {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGHUP); err != nil {
			t.Error(err)
		}
		select {}
	})
	if status := Main([]string{"check", "--config", config, "-o", file}, stdin, io.Discard, &stderr); status != exitInterrupted || stderr.String() != "shodanrep: interrupted\n" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Nobody ever writes to these pipes, so that even opening them waits.
func TestAnInterruptEndsAWaitForAPipe(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	for name, args := range map[string]func(pipe string) []string{
		"for a configuration": func(pipe string) []string { return []string{"query", "--config", pipe, "select 1"} },
		"for a CSV file": func(pipe string) []string {
			return []string{"query", "--config", config, "--attach", "f=" + pipe, "select 1"}
		},
		"for a file of SQL":    func(pipe string) []string { return []string{"query", "--config", config, pipe} },
		"of doctor":            func(pipe string) []string { return []string{"doctor", "--config", pipe} },
		"of cache":             func(pipe string) []string { return []string{"cache", "--config", pipe} },
		"of cache clear":       func(pipe string) []string { return []string{"cache", "clear", "--config", pipe} },
		"of related":           func(pipe string) []string { return []string{"related", "--config", pipe, "11.0.0.1"} },
		"for a policy":         func(pipe string) []string { return []string{"policy", "check", pipe} },
		"for one of several":   func(pipe string) []string { return []string{"policy", "check", pipe, pipe} },
		"for a new policy":     func(pipe string) []string { return []string{"policy", "diff", "baseline", pipe, "11.0.0.1"} },
		"for that of a check":  func(pipe string) []string { return []string{"check", "--config", config, "--policy", pipe, "10.0.0.1"} },
		"for that of changes":  func(pipe string) []string { return []string{"changes", "--config", config, "--policy", pipe} },
		"for the reader of -o": func(pipe string) []string { return []string{"check", "--config", config, "-o", pipe, "10.0.0.1"} },
		"for that of a query":  func(pipe string) []string { return []string{"query", "--config", config, "-o", pipe, "select 1"} },
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

// A pipe is read once, by a command that names it. The connections of a configuration are read by every process.
func TestAPolicyOfAConnectionIsNoPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	const arguments = "cache = \"off\"\nhistory_store = \"off\"\n"
	config := writeFile(t, "pipe.spc", fmt.Sprintf("connection \"shodanrep\" {\n plugin = \"shodanrep\"\n%spolicy = %q\n}\n", arguments, pipe))
	run := func(args ...string) (status int, stdout, stderr string) {
		var out, messages bytes.Buffer
		a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: &out, stderr: &messages}
		return a.run(t.Context(), args), out.String(), messages.String()
	}
	for _, args := range [][]string{{"check", "10.0.0.1"}, {"annotate"}, {"cache"}, {"changes"}, {"query", "select level from shodan_ip_reputation where ip = '10.0.0.1'"}} {
		status, _, stderr := run(append(args, "--config", config)...)
		if want := fmt.Sprintf("policy = %q: read %s: is not a file", pipe, pipe); status != exitFailed || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, %s", args, status, stderr)
		}
	}
	named := filepath.Join(t.TempDir(), "named") // another one: what was read of a file is kept
	if err := syscall.Mkfifo(named, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(named, []byte("policy \"ours\" {\n  base = \"extended\"\n}\n"), 0) }()
	status, stdout, stderr := run("check", "--config", writeFile(t, "test.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+arguments+"}\n"), "--policy", named, "10.0.0.1")
	if err := <-written; err != nil || status != exitDone || !strings.Contains(stdout, "by the policy ours") {
		t.Errorf("%v: status %d, %s%s", err, status, stdout, stderr)
	}
}

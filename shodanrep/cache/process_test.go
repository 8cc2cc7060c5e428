package cache

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/redis/go-redis/v9"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
)

// roles are what the processes do that tests start: several processes on one store are tested with several processes.
var roles = map[string]processtest.Role{
	"share a file":       withResult(shareFile),
	"use a damaged file": withResult(useDamaged),
}

func TestMain(m *testing.M) {
	redis.SetLogger(driverLog{hclog.NewNullLogger()})
	processtest.Main(roles)
	os.Exit(m.Run())
}

// withResult makes a role that prints the result of a function, for run.
func withResult(f func(ctx context.Context, args []string) (any, error)) processtest.Role {
	return func(ctx context.Context, args []string) error {
		result, err := f(ctx, args)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(result)
	}
}

// run runs a process that has a role for each list of arguments, all at once, and returns their results.
func run[R any](t testing.TB, role string, argLists ...[]string) []R {
	t.Helper()
	results := make([]R, len(argLists))
	for i, out := range processtest.RunAll(t, role, argLists...) {
		if err := json.Unmarshal(out, &results[i]); err != nil {
			t.Errorf("process %d that is to %s: %v: %s", i, role, err, out)
		}
	}
	return results
}

// warnings is a log that a test reads.
type warnings struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *warnings) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

// lines are the warnings so far, without their times.
func (w *warnings) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Split(strings.TrimSuffix(w.buf.String(), "\n"), "\n")
}

func (w *warnings) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: w, Level: hclog.Warn, DisableTime: true})
}

// wantOne checks that there was one warning, with all of some words.
func (w *warnings) wantOne(t testing.TB, words ...string) {
	t.Helper()
	lines := w.lines()
	if len(lines) != 1 {
		t.Errorf("got %d lines, want one warning:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for _, word := range append(words, inMemory) {
		if !strings.Contains(lines[0], word) {
			t.Errorf("the warning lacks %q: %s", word, lines[0])
		}
	}
}

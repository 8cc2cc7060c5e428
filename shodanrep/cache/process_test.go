package cache

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/redis/go-redis/v9"
)

// What several processes do with one store is tested with several processes: the test program runs itself in a role.
const roleVariable = "SHODANREP_CACHE_TEST_ROLE"

var roles = map[string]func(ctx context.Context, args []string) (any, error){
	"share a file":       shareFile,
	"use a damaged file": useDamaged,
}

func TestMain(m *testing.M) {
	redis.SetLogger(driverLog{hclog.NewNullLogger()})
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var args []string
	err := json.Unmarshal([]byte(os.Getenv(roleVariable+"_ARGS")), &args)
	var result any
	if err == nil {
		result, err = roles[role](ctx, args)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// command makes a process of a role.
func command(t testing.TB, role string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, roleVariable+"_ARGS="+string(encoded))
	cmd.Stderr = os.Stderr
	return cmd
}

// run runs a process of a role for each list of arguments, all at once, and returns their results.
func run[R any](t testing.TB, role string, argLists ...[]string) []R {
	t.Helper()
	results := make([]R, len(argLists))
	var wg sync.WaitGroup
	for i, args := range argLists {
		cmd := command(t, role, args...)
		wg.Go(func() {
			out, err := cmd.Output()
			if err == nil {
				err = json.Unmarshal(out, &results[i])
			}
			if err != nil {
				t.Errorf("process %d that is to %s: %v: %s", i, role, err, out)
			}
		})
	}
	wg.Wait()
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

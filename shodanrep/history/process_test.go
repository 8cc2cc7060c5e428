package history

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// roles are what the processes do that tests start: several processes on one store are tested with several processes.
var roles = map[string]processtest.Role{"record": recordMany, "record for ever": recordForEver}

func TestMain(m *testing.M) {
	processtest.Main(roles)
	os.Exit(postgrestest.Run(m))
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

func (w *warnings) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.FieldsFunc(w.buf.String(), func(r rune) bool { return r == '\n' })
}

func (w *warnings) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: w, Level: hclog.Warn, DisableTime: true})
}

// wantOne checks that there was one warning, with all of some words.
func (w *warnings) wantOne(t testing.TB, words ...string) {
	t.Helper()
	lines := w.lines()
	if len(lines) != 1 {
		t.Fatalf("got %d lines, want one warning:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for _, word := range words {
		if !strings.Contains(lines[0], word) {
			t.Errorf("the warning lacks %q: %s", word, lines[0])
		}
	}
}

const (
	recorders = 3
	recorded  = 300
)

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, byte(100 + n/256), byte(n)}) }

// recordMany records every address a few times, as the other processes do.
func recordMany(ctx context.Context, args []string) error {
	s := Open(Options{Location: args[0], Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Warn})})
	for round := range 3 {
		for n := range recorded {
			s.Record(Observation{Addr: address(n), Source: "internetdb", Host: &shodan.Host{Ports: shodan.Ints{80 + round/2}}, CheckedAt: time.Now()})
		}
		if err := s.Flush(ctx); err != nil {
			return err
		}
	}
	return s.Close()
}

// TestProcessesShareAStore has processes record the same addresses at the same time. Each of their observations counts.
func TestProcessesShareAStore(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "a folder", "history.sqlite") },
		"postgres": func(t *testing.T) string { return postgrestest.New(t).URL() },
		"serializable postgres": func(t *testing.T) string {
			db := postgrestest.New(t)
			db.Exec("alter database " + db.Name() + " set default_transaction_isolation = 'serializable'")
			return db.URL()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := location(t)
			var running sync.WaitGroup
			for range recorders {
				cmd := processtest.Command(t, "record", place)
				running.Go(func() {
					if out, err := cmd.Output(); err != nil {
						t.Errorf("%v: %s", err, out)
					}
				})
			}
			running.Wait()
			s := openTest(t, Options{Location: place, Now: time.Now})
			checks, last := map[netip.Addr]int64{}, map[netip.Addr]State{}
			for state, err := range s.States(t.Context(), Filter{}) {
				if err != nil {
					t.Fatal(err)
				}
				checks[state.Addr] += state.Checks
				if before, found := last[state.Addr]; found && state.FirstChecked.Before(before.LastChecked) {
					t.Errorf("the states of %v overlap", state.Addr)
				}
				last[state.Addr] = state
			}
			if len(checks) != recorded {
				t.Errorf("%d addresses, want %d", len(checks), recorded)
			}
			for addr, n := range checks {
				if n != 3*recorders {
					t.Errorf("%v: %d checks, want %d", addr, n, 3*recorders)
				}
			}
		})
	}
}

// recordForEver records until it is killed, and prints a line after each batch that is written.
func recordForEver(ctx context.Context, args []string) error {
	s := Open(Options{Location: args[0], Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Warn})})
	for round := 0; ctx.Err() == nil; round++ {
		// A round is a batch: the store must not begin one in the middle of it because a second has passed, or because enough
		// is pending.
		s.mu.Lock()
		s.timer = time.AfterFunc(time.Hour, func() {})
		s.mu.Unlock()
		for n := range flushAt - 1 {
			s.Record(Observation{Addr: address(n), Source: "internetdb", Host: &shodan.Host{Ports: shodan.Ints{1 + round}}, CheckedAt: time.Now()})
		}
		if err := s.Flush(ctx); err != nil {
			return err
		}
		fmt.Println(round)
	}
	return errors.New("it was not killed")
}

// TestAKilledProcessLeavesWhatItHadWritten kills processes while they write. What was written is there, and each batch is
// complete or not there.
func TestAKilledProcessLeavesWhatItHadWritten(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "history.sqlite") },
		"postgres": func(t *testing.T) string { return postgrestest.New(t).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := location(t)
			written := 0
			for kill := range 3 {
				cmd := processtest.Command(t, "record for ever", place)
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(out)
				for range 2 + kill {
					if !lines.Scan() {
						t.Fatal("it ended by itself")
					}
					written++
				}
				_ = cmd.Process.Kill() // in the next batch
				for lines.Scan() {
					written++
				}
				_ = cmd.Wait() // it was killed
			}
			var w warnings
			s := openTest(t, Options{Location: place, Now: time.Now, Logger: w.logger()})
			counts := map[netip.Addr]int{}
			for state, err := range s.States(t.Context(), Filter{}) {
				if err != nil {
					t.Fatal(err)
				}
				counts[state.Addr]++
			}
			first := counts[address(0)]
			if first < written || len(w.lines()) > 0 {
				t.Errorf("%d states of %d that were written: %q", first, written, w.lines())
			}
			if name == "postgres" {
				return // an aborted connection may end between the last batch and this
			}
			for addr, n := range counts {
				if n != first {
					t.Errorf("%v has %d states, and %v %d: a part of a batch was written", addr, n, address(0), first)
				}
			}
		})
	}
}

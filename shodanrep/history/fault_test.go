package history

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
)

// record100 records addresses, so that the file has some pages.
func record100(t testing.TB, s *Store, at time.Time) {
	t.Helper()
	for n := range 100 {
		s.Record(Observation{Addr: address(n), Source: "internetdb", Host: withPorts(t, n+1), CheckedAt: at})
	}
}

func TestADamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string) error{
		"garbage":   func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("garbage "), 1000), 0o600) },
		"truncated": func(path string) error { return os.Truncate(path, 3*4096+100) },
		"overwritten": func(path string) error {
			text, err := os.ReadFile(path)
			if err == nil {
				copy(text[4096:], bytes.Repeat([]byte{0xa5}, len(text)-4096))
				err = os.WriteFile(path, text, 0o600)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "history.sqlite")
			s := openTest(t, Options{Location: path})
			record100(t, s, day(0))
			if err := errors.Join(s.Flush(t.Context()), s.Close()); err != nil {
				t.Fatal(err)
			}
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			var w warnings
			s = openTest(t, Options{Location: path, Logger: w.logger()})
			record100(t, s, day(1))
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.wantOne(t, "the history file was damaged", path+".damaged")
			if got := states(t, s, Filter{}); len(got) != 100 || !got[0].FirstChecked.Equal(day(1)) {
				t.Errorf("%d states in the new file", len(got))
			}
			if _, err := os.Stat(path + ".damaged"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAFileThatIsDeletedIsMadeAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	var w warnings
	s := openTest(t, Options{Location: path, Logger: w.logger()})
	record100(t, s, day(0))
	if got := states(t, s, Filter{}); len(got) != 100 {
		t.Fatalf("%d states", len(got))
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	record1(t, s, addrA, "internetdb", withPorts(t, 80), day(1))
	if got := states(t, s, Filter{}); len(got) != 1 || len(w.lines()) > 0 {
		t.Errorf("%d states, %q", len(got), w.lines())
	}
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "shodanrep", "history.sqlite")
	s := openTest(t, Options{Location: path})
	record1(t, s, addrA, "internetdb", nil, day(0))
	for name, want := range map[string]os.FileMode{path: 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
}

// broken are places at which no history can be.
func broken(t *testing.T) map[string]string {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.sqlite")
	db, err := sqlite3.Open(foreign)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec("CREATE TABLE other (x); PRAGMA application_id = 7"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"a folder":                     dir,
		"below a file":                 filepath.Join(file, "history.sqlite"),
		"a database of another":        foreign,
		"a server that does not run":   "postgres://user:hunter2@127.0.0.1:1/db?sslmode=disable",
		"servers that do not run":      "postgres://user:hunter2@127.0.0.1:1,127.0.0.1:2/db",
		"a socket that is not there":   "postgres://user:hunter2@/db?host=" + dir,
		"an address with wrong values": "postgres://user:hunter2@host:port/db",
	}
}

// pgconn tries with TLS and without.
func TestTheErrorOfAServerSaysEachReasonOnce(t *testing.T) {
	t.Parallel()
	s := Open(Options{Location: "postgres://user@127.0.0.1:1/db?connect_timeout=300"})
	defer s.Close()
	if _, err := s.Stats(t.Context()); err == nil || strings.Count(err.Error(), "connection refused") != 1 {
		t.Errorf("got %v", err)
	}
}

// TestABrokenStoreIsOneWarning records in places where that is not possible.
func TestABrokenStoreIsOneWarning(t *testing.T) {
	t.Parallel()
	for name, place := range broken(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w warnings
			s := Open(Options{Location: place, Logger: w.logger()})
			for range 3 {
				record100(t, s, day(0))
				if err := s.Flush(t.Context()); err == nil {
					t.Error("it was written")
				}
			}
			for _, err := range s.States(t.Context(), Filter{}) {
				if err == nil {
					t.Error("it has states")
				}
			}
			if _, err := s.Stats(t.Context()); err == nil {
				t.Error("it has statistics")
			}
			if err := s.Close(); err != nil {
				t.Errorf("closing fails with %v: what it tries again must not make a process wait", err)
			}
			w.wantOne(t, unusable)
			if strings.Contains(w.lines()[0], "hunter2") {
				t.Errorf("the warning has the password: %s", w.lines()[0])
			}
			record100(t, s, day(0)) // of a query that still runs
		})
	}
}

// TestNothingIsKeptForEverWhileItCannotBeWritten records more than memory is for.
func TestNothingIsKeptForEverWhileItCannotBeWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	s := openTest(t, Options{Location: path})
	record1(t, s, addrB, "internetdb", nil, day(0))
	other, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Exec("BEGIN IMMEDIATE"); err != nil { // a process that writes, and writes
		t.Fatal(err)
	}
	for n := range 3 * maxPending {
		s.Record(Observation{Addr: address(n % 1000), Source: "internetdb", CheckedAt: day(1)})
	}
	s.mu.Lock()
	if len(s.pending) > maxPending {
		t.Errorf("%d observations are pending", len(s.pending))
	}
	s.mu.Unlock()
	if err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if got := states(t, s, Filter{}); len(got) < maxPending/10 {
		t.Errorf("%d states: nothing that was pending was written", len(got))
	}
}

// TestWhatIsRecordedDuringAFailedWriteIsBoundedToo has a write that fails, while as much as there is room for is recorded.
func TestWhatIsRecordedDuringAFailedWriteIsBoundedToo(t *testing.T) {
	t.Parallel()
	var w warnings
	s := openTest(t, Options{Location: filepath.Join(t.TempDir(), "history.sqlite"), Logger: w.logger()})
	record := func(from int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for n := range maxPending {
			s.addPending(pending{observation: Observation{Addr: address(n), Source: "internetdb", CheckedAt: day(0)}})
		}
		for n := range maxPendingFailures {
			addr := address(n).As4()
			s.addFailure(Failure{Addr: netip.AddrFrom4([4]byte{byte(from), addr[1], addr[2], addr[3]}), Source: "internetdb"})
		}
	}
	record(0)
	s.mu.Lock() // as Flush does
	taken, failures := s.pending, slices.Collect(maps.Values(s.failures))
	s.pending, s.failures, s.bytes = nil, nil, 0
	s.mu.Unlock()
	record(1)
	s.fail(errors.New("no room"), taken, failures)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) != maxPending || len(s.failures) != maxPendingFailures || s.bytes > maxPendingBytes+flushBytes {
		t.Errorf("%d pending, %d failures, %d bytes", len(s.pending), len(s.failures), s.bytes)
	}
	s.pending, s.failures = nil, nil // Close does not write them
}

// TestAWriteThatWaitsInVainDoesNotEndTheHistory has another call that writes as long as one beside the callers may wait.
func TestAWriteThatWaitsInVainDoesNotEndTheHistory(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{Location: filepath.Join(t.TempDir(), "history.sqlite")})
	<-s.writing
	s.mu.Lock()
	s.flushes = true
	s.mu.Unlock()
	old := s.ctx
	ended, cancel := context.WithCancel(old)
	cancel()
	s.ctx = ended
	s.flushBeside()
	s.ctx = old
	s.writing <- struct{}{}
	s.mu.Lock()
	flushes, timer := s.flushes, s.timer
	s.mu.Unlock()
	if flushes || timer == nil {
		t.Errorf("a write is about to begin: %v; it is tried again: %v", flushes, timer != nil)
	}
}

func TestAStoreThatIsOffRecordsNothing(t *testing.T) {
	t.Parallel()
	for _, s := range []*Store{nil, Open(Options{Location: "off"})} {
		s.Record(Observation{Addr: addrA, Source: "internetdb", CheckedAt: day(0)})
		if err := s.Flush(t.Context()); err != nil || s.Records() || len(states(t, s, Filter{})) > 0 {
			t.Errorf("%v", err)
		}
		if stats, err := s.Stats(t.Context()); err != nil || stats.Location != "off" {
			t.Errorf("%+v, %v", stats, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTheSizeIsBounded records states until they are larger than the bound. The newest remain.
func TestTheSizeIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	const bound = 1 << 20
	s := openTest(t, Options{Location: path, MaxBytes: bound})
	const days = 60
	for n := range days {
		record100(t, s, day(float64(n)))
		for i := range 100 { // each is another state
			s.Record(Observation{Addr: address(i), Source: "internetdb", CheckedAt: day(float64(n) + 0.5)})
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil { // writes the log to the file
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > bound*5/4 || info.Size() < bound/2 {
		t.Errorf("%d bytes, want about %d", info.Size(), bound)
	}
	s = openTest(t, Options{Location: path, MaxBytes: bound})
	got := states(t, s, Filter{})
	if len(got) < 1000 || got[0].FirstChecked.Before(day(days/4)) || !got[len(got)-1].LastChecked.Equal(day(days-0.5)) {
		t.Errorf("%d states from %v to %v", len(got), got[0].FirstChecked, got[len(got)-1].LastChecked)
	}
}

func TestTheSizeOfATableIsBounded(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	var now clock
	now.set(day(0))
	s := openTest(t, Options{Location: db.URL(), MaxBytes: 200_000, Now: now.now})
	for n := range 20 {
		now.set(day(float64(n)))
		record100(t, s, now.now())
		for i := range 100 {
			s.Record(Observation{Addr: address(i), Source: "internetdb", CheckedAt: now.now().Add(time.Hour)})
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	now.set(day(30))
	got := states(t, s, Filter{})
	if len(got) < 400 || len(got) > 2000 || got[0].FirstChecked.Before(day(10)) {
		t.Errorf("%d states from %v", len(got), got[0].FirstChecked)
	}
}

// TestManyLargeResponsesAtOnceAreAllRecorded records what a bulk lookup of busy hosts returns.
func TestManyLargeResponsesAtOnceAreAllRecorded(t *testing.T) {
	t.Parallel()
	var w warnings
	s := openTest(t, Options{Location: filepath.Join(t.TempDir(), "history.sqlite"), Logger: w.logger()})
	const hosts = 100
	h := parsed(t, `{"ip_str": %q, "ports": [80], "tags": [], "data": [{"port": 80, "data": "%s"}]}`, address(0), strings.Repeat("x", 1<<20))
	for n := range hosts {
		s.Record(Observation{Addr: address(n), Source: "shodan", Host: h, CheckedAt: day(0)})
		s.mu.Lock()
		if s.bytes > flushBytes+2<<20 {
			t.Errorf("%d bytes are pending", s.bytes)
		}
		s.mu.Unlock()
	}
	if got := states(t, s, Filter{}); len(got) != hosts || len(w.lines()) > 0 {
		t.Errorf("%d states, %q", len(got), w.lines())
	}
}

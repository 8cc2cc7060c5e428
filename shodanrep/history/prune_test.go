package history

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// tooMuch makes a file with 400 states of the days 0 to 4, and returns its path.
func tooMuch(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	s := openTest(t, Options{Location: path})
	for n := range 4 {
		for i := range 100 {
			s.Record(Observation{Addr: address(i), Source: "internetdb", Host: withPorts(t, n+1), CheckedAt: day(float64(n))})
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// openPruner opens a store that deletes n states at a time, and one time after each write.
func openPruner(t *testing.T, o Options, n int) *Store {
	t.Helper()
	s := openTest(t, o)
	b := s.backend.(*sqliteBackend)
	b.prunedAtOnce, b.pruneFor = n, 0
	return s
}

// retentionOf returns when states were last deleted.
func retentionOf(t *testing.T, s *Store) (last retention) {
	t.Helper()
	err := s.backend.(*sqliteBackend).do(t.Context(), func(db *sqlitefile.File) error {
		return db.Read(t.Context(), func(c *sqlitefile.Conn) error {
			ran, err := c.Number("SELECT ran FROM retention")
			last.ran = timeOf(ran)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// TestTooMuchIsDeletedAFewAtATime is about a store whose history_keep or history_max_size became much smaller: what a short
// process records must not wait until all is deleted.
func TestTooMuchIsDeletedAFewAtATime(t *testing.T) {
	t.Parallel()
	now := day(300) // of openTest
	t.Run("old", func(t *testing.T) {
		t.Parallel()
		later := day(302) // the next time to delete is due
		s := openPruner(t, Options{Location: tooMuch(t), Keep: time.Hour, Now: func() time.Time { return later }}, 100)
		for i, want := range []int{301, 202, 103, 4, 5} {
			record1(t, s, addrA, "internetdb", withPorts(t, i+1), later.Add(time.Duration(i)*time.Second))
			if got := len(states(t, s, Filter{})); got != want {
				t.Errorf("%d states after %d writes, want %d", got, i+1, want)
			}
			if ran := retentionOf(t, s).ran; ran.After(now.Add(time.Hour)) != (want == 5) {
				t.Errorf("after %d writes states were last deleted at %v", i+1, ran)
			}
		}
	})
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		s := openPruner(t, Options{Location: tooMuch(t), MaxBytes: 40_000}, 100)
		last := 401
		for i := range 3 {
			record1(t, s, addrA, "internetdb", withPorts(t, i+1), now.Add(time.Duration(i)*time.Second))
			all := states(t, s, Filter{})
			if got := len(all); got > last-50 || got < last-100 {
				t.Errorf("%d states after %d writes, and %d before", got, i+1, last)
			}
			last = len(all) + 1
		}
	})
}

// TestWhatIsRecordedStaysIfItIsNotPruned ends the context of a write after the states were written.
func TestWhatIsRecordedStaysIfItIsNotPruned(t *testing.T) {
	t.Parallel()
	later := day(302)
	s := openPruner(t, Options{Location: tooMuch(t), Keep: time.Hour, Now: func() time.Time { return later }}, 100)
	b := s.backend.(*sqliteBackend)
	seen, err := newSighting(Observation{Addr: addrA, Source: "internetdb", Host: withPorts(t, 9), CheckedAt: later})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.write(t.Context(), []*sighting{seen}, nil); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	b.prune(ended)
	if got := len(states(t, s, Filter{})); got != 301 || b.notPruned {
		t.Errorf("%d states, a warning: %v", got, b.notPruned)
	}
}

// TestStoresDeleteTogether has two stores delete from one file at once, to the last state that is too old.
func TestStoresDeleteTogether(t *testing.T) {
	t.Parallel()
	path, later := tooMuch(t), day(302)
	var writing sync.WaitGroup
	for n := range 2 {
		s := openPruner(t, Options{Location: path, Keep: time.Hour, Now: func() time.Time { return later }}, 30)
		writing.Go(func() {
			for i := range 8 {
				s.Record(Observation{Addr: address(200 + n), Source: "internetdb", Host: withPorts(t, i+1), CheckedAt: later.Add(time.Duration(i) * time.Second)})
				if err := s.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	if got := len(states(t, openTest(t, Options{Location: path, Now: func() time.Time { return later.Add(time.Hour) }}), Filter{})); got != 16 {
		t.Errorf("%d states, want the 16 that are new", got)
	}
}

// TestAFileThatIsMostlyFreeGetsSmaller checks which pages go back to the file system.
func TestAFileThatIsMostlyFreeGetsSmaller(t *testing.T) {
	t.Parallel()
	b := newSQLite("", Options{MaxBytes: 1 << 30})
	for _, test := range []struct{ count, free, want int64 }{
		{100_000, 0, -1}, {100_000, 20_000, -1}, {100_000, 90_000, 64_000}, {2000, 2000, 500}, {300_000, 50_000, 300_000 - 1<<18}, {300_000, 5000, 5000},
	} {
		got := b.surplus(sqlitefile.Pages{Size: 4096, Count: test.count, Free: test.free})
		if got != test.want && (got > 0 || test.want > 0) {
			t.Errorf("%d pages of %d, %d of them free, want %d", got, test.count, test.free, test.want)
		}
	}
}

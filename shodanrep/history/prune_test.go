package history

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// recordTooMuch records 400 states of the days 0 to 4.
func recordTooMuch(t *testing.T, s *Store) {
	t.Helper()
	for n := range 4 {
		for i := range 100 {
			s.Record(Observation{Addr: address(i), Source: "internetdb", Host: withPorts(t, n+1), CheckedAt: day(float64(n))})
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// tooMuch makes a file with 400 states of the days 0 to 4, and returns its path.
func tooMuch(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	s := openTest(t, Options{Location: path})
	recordTooMuch(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// openPruner opens a store that deletes n states at a time, and one time after each write.
func openPruner(t *testing.T, o Options, n int) *Store {
	t.Helper()
	s := openTest(t, o)
	p := pruning{atOnce: n}
	switch b := s.backend.(type) {
	case *sqliteBackend:
		b.pruning = p
	case *postgresBackend:
		b.pruning = p
	}
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

// tooMuchInPostgres makes a table with 400 states of the days 0 to 4, and returns its address.
func tooMuchInPostgres(t *testing.T) string {
	t.Helper()
	url := postgrestest.New(t).URL()
	s := openTest(t, Options{Location: url})
	recordTooMuch(t, s)
	return url
}

// Other processes wait for each transaction that deletes from a table, as for one that deletes from a file.
func TestTooMuchIsDeletedFromATableAFewAtATime(t *testing.T) {
	t.Parallel()
	t.Run("old", func(t *testing.T) {
		t.Parallel()
		later := day(402) // the next time to delete is due
		s := openPruner(t, Options{Location: tooMuchInPostgres(t), Keep: time.Hour, Now: func() time.Time { return later }}, 100)
		for i, want := range []int{301, 202, 103, 4, 5} {
			record1(t, s, addrA, "internetdb", withPorts(t, i+1), later.Add(time.Duration(i)*time.Second))
			if got := len(states(t, s, Filter{})); got != want {
				t.Errorf("%d states after %d writes, want %d", got, i+1, want)
			}
		}
	})
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		s := openPruner(t, Options{Location: tooMuchInPostgres(t), MaxBytes: 30_000}, 100)
		var left []int
		for i := range 5 {
			record1(t, s, addrA, "internetdb", withPorts(t, i+1), day(200).Add(time.Duration(i)*time.Second))
			left = append(left, len(states(t, s, Filter{})))
		}
		if last := left[3]; !slices.Equal(left[:3], []int{301, 202, 103}) || last < 50 || last > 103 || left[4] != last+1 {
			t.Errorf("%d states after each write", left)
		}
	})
}

// What two processes count as too much at the same time is deleted once.
func TestProcessesDeleteTheSameStatesOfATable(t *testing.T) {
	t.Parallel()
	const bound = 40_000
	url := tooMuchInPostgres(t)
	var backends []*postgresBackend
	for range 2 {
		b := openPruner(t, Options{Location: url, MaxBytes: bound}, 70).backend.(*postgresBackend)
		if err := b.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		var err error
		if b.evicted, err = lastExcess(t.Context(), b.writer, bound); err != nil || b.evicted == nil {
			t.Fatal(b.evicted, err)
		}
		b.sized = b.opts.Now()
		backends = append(backends, b)
	}
	s := openTest(t, Options{Location: url})
	for range 10 {
		for _, b := range backends {
			if _, err := b.pruneSome(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	left := states(t, s, Filter{})
	if backends[0].evicted != nil || backends[1].evicted != nil {
		t.Error("not all is deleted")
	}
	var size int64
	err := backends[0].writer.QueryRow(t.Context(), `select sum(pg_column_size(s.*) + 28) from shodanrep_history s`).Scan(&size)
	if err != nil || size > bound/10*9 || size < bound/10*8 {
		t.Errorf("%d states of %d bytes are left, want %d: %v", len(left), size, bound/10*9, err)
	}
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
	if got := len(states(t, s, Filter{})); got != 301 || b.pruning.warned {
		t.Errorf("%d states, a warning: %v", got, b.pruning.warned)
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

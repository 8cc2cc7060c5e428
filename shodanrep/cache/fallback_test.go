package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// openForFailure opens a file whose failures are noticed in a log, and that is tried again when the test says so.
func openForFailure(t *testing.T, opts Options) (*fallback, *fileStore, *warnings) {
	t.Helper()
	var w warnings
	opts.Logger = w.logger()
	opts = opts.withDefaults()
	f := newFileStore(filepath.Join(t.TempDir(), "c.sqlite"), opts)
	s := newFallback(t.Context(), f, f.path, time.Hour, opts)
	t.Cleanup(func() { s.Close() })
	return s, f, &w
}

// retryNow tries the backend again, as the next call would when it is time.
func (f *fallback) retryNow(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	f.retryAt = time.Time{}
	f.mu.Unlock()
	f.ready()
	f.work.Wait()
}

func TestFailureInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail func(t *testing.T, f *fileStore)
		want string
	}{
		"the file is deleted": {
			fail: func(t *testing.T, f *fileStore) { os.Remove(f.path) },
			want: "it was deleted or replaced while it was in use",
		},
		"the file is deleted with all that belongs to it": {
			fail: func(t *testing.T, f *fileStore) {
				os.Remove(f.path)
				os.Remove(f.path + "-wal")
				os.Remove(f.path + "-shm")
			},
			want: "it was deleted or replaced while it was in use",
		},
		"the file is replaced": {
			fail: func(t *testing.T, f *fileStore) {
				other := openTestFile(t, f.path+"2", Options{})
				other.Close()
				if err := os.Rename(f.path+"2", f.path); err != nil {
					t.Fatal(err)
				}
			},
			want: "it was deleted or replaced while it was in use",
		},
		"the disk is full": {
			fail: func(t *testing.T, f *fileStore) {
				err := f.write(t.Context(), func(c *sqlitefile.Conn) error { return c.Exec("PRAGMA max_page_count = 1") })
				if err != nil {
					t.Fatal(err)
				}
			},
			want: "database or disk is full: make room on its disk if that is full, or set the cache to a path on another",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			s, f, w := openForFailure(t, Options{Now: c.now})
			before := c.batch(1500, 3000)
			mustPut(t, s, before...)
			test.fail(t, f)

			after := c.batch(300, 3000)
			for i := range after {
				after[i].Options = "other"
			}
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if _, err := s.Get(t.Context(), keysOf(before)); err != nil {
						t.Errorf("Get: %v", err)
					}
					if err := s.Put(t.Context(), after); err != nil {
						t.Errorf("Put: %v", err)
					}
				})
			}
			wg.Wait()
			if got := mustGet(t, s, keysOf(after)...); len(got) != len(after) {
				t.Errorf("got %d of %d entries that were put after the failure", len(got), len(after))
			}
			if got, want := mustStats(t, s).Location, "memory, in place of "+f.path; got != want {
				t.Errorf("the location is %q, want %q", got, want)
			}
			w.wantOne(t, "cache file "+f.path+": ", test.want)

			s.retryNow(t)
			if got := mustStats(t, s).Location; got != f.path {
				t.Errorf("the location is %q, want the file again", got)
			}
			if got := mustGet(t, s, keysOf(after)...); len(got) != len(after) {
				t.Errorf("the file was handed %d of %d entries", len(got), len(after))
			}
			w.wantOne(t)
		})
	}
}

func TestABusyFileIsNotLeft(t *testing.T) {
	t.Parallel()
	c := newClock()
	s, f, w := openForFailure(t, Options{Now: c.now})
	e := c.entry("192.0.2.1", "a")
	mustPut(t, s, e)
	err := f.write(t.Context(), func(c *sqlitefile.Conn) error { return c.BusyTimeout(time.Millisecond) })
	if err != nil {
		t.Fatal(err)
	}
	patient := newFallback(t.Context(), newFileStore(f.path, f.opts), f.path, time.Hour, f.opts)
	defer patient.Close()
	other := openTestFile(t, f.path, Options{})
	err = other.write(t.Context(), func(*sqlitefile.Conn) error {
		mustPut(t, s, c.entry("192.0.2.2", "b"))
		if got := mustGet(t, s, e.Key); len(got) != 1 {
			t.Error("a reader has to wait for one who writes")
		}
		if _, err := s.Clear(t.Context(), ""); err == nil {
			t.Error("Clear did nothing and says nothing")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := patient.Put(ctx, []Entry{e}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Put: %v, want %v", err, context.DeadlineExceeded)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := mustStats(t, s).Location; got != f.path {
		t.Errorf("the location is %q, want the file still", got)
	}
	if got := w.lines(); got[0] != "" {
		t.Errorf("got warnings: %q", got)
	}
}

func TestAClosedStoreIsQuiet(t *testing.T) {
	t.Parallel()
	s, _, w := openForFailure(t, Options{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	mustPut(t, s, newClock().entry("192.0.2.1", "a"))
	if got := w.lines(); got[0] != "" {
		t.Errorf("got warnings: %q", got)
	}
}

package cache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

func openFile(ctx context.Context, path string, opts Options) (*fileStore, error) {
	f := newFileStore(path, opts.withDefaults())
	return f, f.open(ctx)
}

func openTestFile(t testing.TB, path string, opts Options) *fileStore {
	t.Helper()
	f, err := openFile(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFile(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, c *clock) Store {
		return openTestFile(t, filepath.Join(t.TempDir(), "a", "b", "c.sqlite"), Options{Now: c.now})
	}
	testStore(t, open)
	t.Run("prunes what has expired", func(t *testing.T) { testPrune(t, open) })
}

func TestFileIsKeptFromOneProcessToTheNext(t *testing.T) {
	t.Parallel()
	c := newClock()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	e := c.entry("192.0.2.1", "a")
	for i := range 3 {
		f := openTestFile(t, path, Options{Now: c.now})
		mustGet(t, f, e.Key)
		mustPut(t, f, e)
		mustGet(t, f, e.Key)
		f.flush(patience) // because Close would give up the counts after a second
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f = openTestFile(t, path, Options{Now: c.now})
		if got := mustStats(t, f); got.Entries != 1 || got.Hits != int64(2*i+1) || got.Misses != 1 || got.Location != path {
			t.Errorf("after process %d: %+v", i, got)
		}
		f.Close()
	}
}

func TestFileIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shodanrep")
	path := filepath.Join(dir, "c.sqlite")
	f := openTestFile(t, path, Options{})
	mustPut(t, f, newClock().entry("192.0.2.1", "a"))
	for name, want := range map[string]os.FileMode{dir: 0o700, path: 0o600, path + "-wal": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestFileTakesAnyName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"c", "a b+c&d=e%20f#g?h.sqlite", "ü", "file:x", "'\"", ":memory:", "~"} {
		path := filepath.Join(t.TempDir(), name, name)
		f := openTestFile(t, path, Options{})
		mustPut(t, f, newClock().entry("192.0.2.1", "a"))
		for _, p := range []string{path, path + "-wal"} {
			if info, err := os.Stat(p); err != nil || info.Size() == 0 && p == path || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v: want a file for its owner only", info, err)
			}
		}
	}
	t.Run("relative to the folder it is opened in", func(t *testing.T) {
		f := newFileStore("c.sqlite", Options{})
		if !filepath.IsAbs(f.path) {
			t.Errorf("%s would be another file in another folder", f.path)
		}
	})
}

func TestFileKeepsWithinItsBound(t *testing.T) {
	t.Parallel()
	c := newClock()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	const bound = 1 << 20
	f := openTestFile(t, path, Options{MaxBytes: bound, Now: c.now})
	entries := c.batch(10_000, 300)
	for batch := range slices.Chunk(entries, 500) {
		for i := range batch {
			batch[i].CheckedAt = c.now()
			c.forward(time.Millisecond)
		}
		mustPut(t, f, batch...)
		if got := len(mustGet(t, f, keysOf(batch)...)); got != len(batch) {
			t.Fatalf("%d of %d of what was just put are there", got, len(batch))
		}
		p := filePages(t, f)
		if p.Used() > bound || p.Count*p.Size > bound*5/4 {
			t.Fatalf("%+v: more than the bound of %d bytes", p, bound)
		}
	}
	got := mustGet(t, f, keysOf(entries)...)
	for i, e := range entries {
		if _, ok := got[e.Key]; ok != (i >= len(entries)-len(got)) {
			t.Fatalf("entry %d is there: %v, but %d are, want the newest", i, ok, len(got))
		}
	}
	if want := bound / 2 / 400; len(got) < want {
		t.Errorf("%d entries are left, want %d or more", len(got), want)
	}

	t.Run("drops what has expired first", func(t *testing.T) {
		newest := keysOf(entries[len(entries)-len(got):])
		dead := c.batch(2000, 300)
		for i := range dead {
			dead[i].Options = "other"
			dead[i].Expires = c.now()
		}
		for filePages(t, f).Used() > bound/2 { // as much room as they take
			f.write(t.Context(), func(c *sqlitefile.Conn) error { _, err := deleteOldest(c, bound/20); return err })
		}
		before := mustGet(t, f, newest...)
		mustPut(t, f, dead...)
		if after := mustGet(t, f, newest...); len(after) != len(before) {
			t.Errorf("%d of %d entries are left that had not expired", len(after), len(before))
		}
	})
	t.Run("shrinks when the bound was lowered", func(t *testing.T) {
		f.Close()
		f := openTestFile(t, path, Options{MaxBytes: bound / 4, Now: c.now})
		mustPut(t, f, c.entry("192.0.2.1", "a"))
		if p := filePages(t, f); p.Count*p.Size > bound/4 {
			t.Errorf("%+v: more than the bound of %d bytes", p, bound/4)
		}
	})
	t.Run("keeps no entry that is larger than itself, nor its older form", func(t *testing.T) {
		e := c.entry("192.0.2.1", "a")
		mustPut(t, f2(t, path, c, bound), e)
		e.Body = make([]byte, bound+1)
		f := f2(t, path, c, bound)
		mustPut(t, f, e)
		if got := mustGet(t, f, e.Key); len(got) != 0 {
			t.Errorf("an entry of %d bytes is there", len(got[e.Key].Body))
		}
	})
	t.Run("takes a batch that is larger than itself", func(t *testing.T) {
		f := f2(t, path, c, bound)
		mustPut(t, f, c.batch(50, 100_000)...)
		if p := filePages(t, f); p.Used() > bound || p.Count*p.Size > bound*5/4 {
			t.Errorf("%+v: more than the bound of %d bytes", p, bound)
		}
	})
	t.Run("gives the room back when it is cleared", func(t *testing.T) {
		f := f2(t, path, c, bound)
		if _, err := f.Clear(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if got := mustStats(t, f).Bytes; got > 64<<10 {
			t.Errorf("%d bytes are left of nothing", got)
		}
	})
}

func f2(t testing.TB, path string, c *clock, bound int64) *fileStore {
	return openTestFile(t, path, Options{MaxBytes: bound, Now: c.now})
}

func filePages(t testing.TB, f *fileStore) (p sqlitefile.Pages) {
	t.Helper()
	err := f.write(t.Context(), func(c *sqlitefile.Conn) (err error) {
		p, err = c.Pages()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sharers is how many processes share a file in a test, and shared how many entries each puts.
const sharers, shared = 5, 400

// shareFile puts entries into a file that others put theirs into, reads them all, and returns how many it found.
func shareFile(ctx context.Context, args []string) (any, error) {
	path, id := args[0], args[1]
	f, err := openFile(ctx, path, Options{})
	if err != nil {
		return nil, err
	}
	if err := f.write(ctx, func(c *sqlitefile.Conn) error { return c.BusyTimeout(patience) }); err != nil {
		return nil, err
	}
	c := newClock()
	first, _ := strconv.Atoi(id)
	entries := c.batch(sharers*shared, 300)
	own := entries[first*shared : (first+1)*shared]
	for batch := range slices.Chunk(own, 20) {
		if err := f.Put(ctx, batch); err != nil {
			return nil, err
		}
		if found, err := f.Get(ctx, keysOf(batch)); err != nil || len(found) != len(batch) {
			return nil, fmt.Errorf("got %d of %d entries just put: %w", len(found), len(batch), err)
		}
		f.Count(int64(len(batch)), 0)
	}
	found, err := f.Get(ctx, keysOf(entries))
	if err != nil {
		return nil, err
	}
	f.Count(int64(len(found)), int64(len(entries)-len(found)))
	f.flush(patience)
	return len(found), f.Close()
}

func TestFileIsSharedBySeveralProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "c.sqlite")
	var args [][]string
	for i := range sharers {
		args = append(args, []string{path, strconv.Itoa(i)})
	}
	var hits int64
	for _, found := range run[int64](t, "share a file", args...) {
		if found < shared {
			t.Errorf("a process found %d entries, fewer than it put", found)
		}
		hits += found + shared
	}
	f := openTestFile(t, path, Options{})
	got := mustStats(t, f)
	if got.Entries != sharers*shared || got.Hits != hits || got.Hits+got.Misses != sharers*(sharers+1)*shared {
		t.Errorf("got %+v, want %d entries and %d hits", got, sharers*shared, hits)
	}
}

func TestFileIsMadeByManyAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	for range 10 {
		path := filepath.Join(t.TempDir(), "c.sqlite")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				f, err := openFile(t.Context(), path, Options{Now: c.now})
				if err != nil {
					t.Error(err)
					return
				}
				if err := f.Put(t.Context(), []Entry{c.entry(address(i), "a")}); err != nil {
					t.Error(err)
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := mustStats(t, openTestFile(t, path, Options{})).Entries; got != 8 {
			t.Errorf("%d entries, want 8", got)
		}
	}
}

func BenchmarkFile(b *testing.B) {
	c := newClock()
	entries := c.batch(10_000, 300)
	keys := keysOf(entries)
	b.Run("put 10000", func(b *testing.B) {
		f := openTestFile(b, filepath.Join(b.TempDir(), "c.sqlite"), Options{})
		for b.Loop() {
			mustPut(b, f, entries...)
		}
	})
	b.Run("get 10000", func(b *testing.B) {
		f := openTestFile(b, filepath.Join(b.TempDir(), "c.sqlite"), Options{})
		mustPut(b, f, entries...)
		for b.Loop() {
			if n := len(mustGet(b, f, keys...)); n != len(keys) {
				b.Fatal(n)
			}
		}
	})
}

// Another program may have written the file: what no entry of ours is as large as is a miss, and not read.
func TestAnEntryLargerThanAnyOfOursIsAMiss(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := openTestFile(t, filepath.Join(t.TempDir(), "c.sqlite"), Options{Now: c.now})
	bad, good := c.entry("192.0.2.1", "a"), c.entry("192.0.2.2", "b")
	mustPut(t, f, bad, good)
	err := f.write(t.Context(), func(c *sqlitefile.Conn) error {
		return c.Run(`UPDATE answer SET body = zeroblob(?) WHERE subject = ?`, int64(MaxBody+1), bad.Target)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := mustGet(t, f, bad.Key, good.Key); len(got) != 1 || string(got[good.Key].Body) != "b" {
		t.Errorf("got %d entries, want the one of ours", len(got))
	}
	mustPut(t, f, bad)
	if got := mustGet(t, f, bad.Key); len(got) != 1 {
		t.Error("it is not replaced")
	}
}

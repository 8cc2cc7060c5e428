package dataset

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
)

// overwriteMiddle overwrites all of an index but its first pages, where the schema is.
func overwriteMiddle(t testing.TB, path string) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const first = 3 * 4096
	if _, err := file.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size())-first), first); err != nil {
		t.Fatal(err)
	}
}

// wantSetAside checks that one warning tells both paths, and that the damaged index is there.
func wantSetAside(t testing.TB, path, log string) {
	t.Helper()
	for _, words := range []string{"was damaged: it was set aside", "file=" + path + " ", "damaged=" + path + ".damaged"} {
		if strings.Count(log, words) != 1 {
			t.Errorf("want %q once in the log:\n%s", words, log)
		}
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error(err)
	}
}

func TestADamagedIndexIsMadeAnew(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(testing.TB, string){
		"garbage": func(t testing.TB, path string) { write(t, path, strings.Repeat("This is no database. ", 500)) },
		"truncated": func(t testing.TB, path string) {
			if err := os.Truncate(path, 3*4096+100); err != nil {
				t.Fatal(err)
			}
		},
		"pages in the middle overwritten": overwriteMiddle,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := write(t, in(dir, "a.json"), manyLines(300)...)
			path := in(dir, indexName)
			d := open(t, dir, data)
			want := d.Stats()
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, path)

			// Two at once: one of them makes the index anew.
			logger, text := logged()
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					d, err := Open(t.Context(), Options{Files: []string{data}, Dir: dir, Logger: logger})
					if err != nil {
						t.Error(err)
						return
					}
					defer d.Close()
					if got := d.Stats(); got.Hosts != want.Hosts || got.Banners != want.Banners {
						t.Errorf("got %+v, want %+v", got, want)
					}
					if got := hosts(t, d, "198.51.0.0"); len(got) != 1 {
						t.Errorf("got %v", got)
					}
					n := 0
					for _, err := range d.All(t.Context()) {
						if err != nil {
							t.Error(err)
						}
						n++
					}
					if n != int(want.Hosts) {
						t.Errorf("got %d of %d hosts", n, want.Hosts)
					}
				})
			}
			wg.Wait()
			wantSetAside(t, path, text.String())
		})
	}
}

func TestAnIndexDamagedWhileInUseIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := write(t, in(dir, "a.json"), manyLines(300)...)
	logger, text := logged()
	d, err := Open(t.Context(), Options{Files: []string{data}, Dir: dir, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	// What a connection has read before it does not read again.
	other := open(t, dir, data)
	d.background.Wait() // until then the rows are in the log
	overwriteMiddle(t, d.index.path)
	if err := d.index.read(t.Context(), func(c conn) error { return c.Exec("pragma shrink_memory") }); err != nil {
		t.Error(err)
	}
	for range 2 {
		if got := hosts(t, d, "198.51.0.0", "198.51.0.1"); len(got) != 2 {
			t.Errorf("got %v", got)
		}
	}
	if got := hosts(t, other, "198.51.0.0"); len(got) != 1 {
		t.Errorf("another one's: got %v", got)
	}
	wantSetAside(t, in(dir, indexName), text.String())
}

func TestAnIndexThatIsRemovedIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, dir, write(t, in(dir, "a.json"), manyLines(30)...))
	err := d.index.read(t.Context(), func(conn) error {
		if err := os.Remove(d.index.path); err != nil {
			return err
		}
		// A query that finds no connection to the removed file makes one.
		if got := hosts(t, d, "198.51.0.0"); len(got) != 1 {
			t.Errorf("got %v", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestAListOfDamagedRowsHasTheIndexMadeAnew has rows that SQLite reads and that are none of ours. There are so few that all
// are read before the first is decoded.
func TestAListOfDamagedRowsHasTheIndexMadeAnew(t *testing.T) {
	t.Parallel()
	for _, texts := range []bool{false, true} {
		dir := t.TempDir()
		d := open(t, dir, write(t, in(dir, "a.json"), manyLines(30)...))
		if err := d.index.write(t.Context(), func(c conn) error { return c.Run("update host set items = x'ff'") }); err != nil {
			t.Fatal(err)
		}
		var failure error
		for _, err := range d.all(t.Context(), texts) {
			failure = err
		}
		if failure == nil || !strings.Contains(failure.Error(), in(dir, indexName)) || !strings.Contains(failure.Error(), "it is made again, so run the query again") {
			t.Errorf("got %v", failure)
		}
		n := 0
		for _, err := range d.all(t.Context(), texts) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if int64(n) != d.Stats().Hosts {
			t.Errorf("%d hosts of %d", n, d.Stats().Hosts)
		}
	}
}

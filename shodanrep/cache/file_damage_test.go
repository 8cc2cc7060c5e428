package cache

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// wasSetAside is the warning about a damaged file. The paths are beside it.
const wasSetAside = "the cache file was damaged: it was set aside, and a new one begun"

// damages are the ways in which a cache file gets damaged. The file of a test has some hundred pages.
var damages = map[string]func(t testing.TB, path string){
	"garbage": func(t testing.TB, path string) {
		if err := os.WriteFile(path, bytes.Repeat([]byte("garbage "), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	},
	"truncated": func(t testing.TB, path string) {
		if err := os.Truncate(path, 3*4096+100); err != nil {
			t.Fatal(err)
		}
	},
	"a short rest": func(t testing.TB, path string) {
		if err := os.Truncate(path, 50); err != nil {
			t.Fatal(err)
		}
	},
	"pages in the middle overwritten": overwriteMiddle,
}

// overwriteMiddle overwrites the middle of a file, and leaves its first pages and its last ones.
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
	const first = 5 * 4096 // the schema and the roots of its tables
	if info.Size() < 4*first {
		t.Fatalf("the file has only %d bytes", info.Size())
	}
	if _, err := file.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size())-2*first), first); err != nil {
		t.Fatal(err)
	}
}

// makeFileOf makes a cache file of entries, with nothing left in its log.
func makeFileOf(t testing.TB, path string, c *clock, entries []Entry) {
	t.Helper()
	f := openTestFile(t, path, Options{Now: c.now})
	mustPut(t, f, entries...)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// wantSetAside checks that the file at path is a good one, that the damaged one is beside it, and that one warning has
// told both paths.
func wantSetAside(t testing.TB, path string, damaged []byte, lines []string) {
	t.Helper()
	if len(lines) != 1 {
		t.Fatalf("want one warning, got %d:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for _, words := range []string{wasSetAside, "file=" + path + " ", "damaged=" + path + ".damaged"} {
		if !strings.Contains(lines[0], words) {
			t.Errorf("the warning lacks %q: %s", words, lines[0])
		}
	}
	if got, err := os.ReadFile(path + ".damaged"); err != nil || damaged != nil && !bytes.Equal(got, damaged) {
		t.Errorf("the damaged file is not what was set aside: %d bytes, want %d: %v", len(got), len(damaged), err)
	}
	f := openTestFile(t, path, Options{})
	if problems, err := problemsOf(f); err != nil || problems != "ok" {
		t.Errorf("the new file: %s, %v", problems, err)
	}
	f.Close()
}

func problemsOf(f *fileStore) (problems string, err error) {
	err = f.write(context.Background(), func(c *sqlitefile.Conn) error {
		return c.Rows("PRAGMA integrity_check", nil, func(row *sqlite3.Stmt) (bool, error) {
			problems = row.ColumnText(0)
			return false, nil
		})
	})
	return problems, err
}

func TestADamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			path := filepath.Join(t.TempDir(), "c.sqlite")
			old := c.batch(500, 3000)
			makeFileOf(t, path, c, old)
			damage(t, path)
			damaged, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+".damaged", []byte("of an earlier time"), 0o600); err != nil {
				t.Fatal(err)
			}

			var w warnings
			s := Open(t.Context(), path, Options{Logger: w.logger(), Now: c.now})
			mustGet(t, s, keysOf(old)...) // which finds what opening the file does not
			s.(*fallback).work.Wait()
			fresh := c.entry("192.0.2.200", "fresh")
			mustPut(t, s, fresh)
			if got := mustStats(t, s); got.Location != path || got.Entries != 1 {
				t.Errorf("got %+v, want one entry in the file", got)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if name == "pages in the middle overwritten" {
				damaged = nil // its header was written while it was in use
			}
			wantSetAside(t, path, damaged, w.lines())

			var later warnings
			s = Open(t.Context(), path, Options{Logger: later.logger(), Now: c.now})
			if got := mustGet(t, s, fresh.Key); len(got) != 1 {
				t.Error("the new file lost its entry")
			}
			s.Close()
			if got := later.lines(); got[0] != "" {
				t.Errorf("the next process warns again: %q", got)
			}
		})
	}
}

func TestAFileDamagedWhileInUseIsSetAside(t *testing.T) {
	t.Parallel()
	c := newClock()
	s, f, w := openForFailure(t, Options{Now: c.now})
	old := c.batch(1500, 3000)
	mustPut(t, s, old...)
	if _, err := f.Prune(t.Context()); err != nil { // so that nothing is left in the log
		t.Fatal(err)
	}
	overwriteMiddle(t, f.path)
	fresh := c.batch(300, 3000)
	for i := range fresh {
		fresh[i].Options = "other"
	}
	if found, err := s.Get(t.Context(), keysOf(old)); err != nil {
		t.Errorf("got %d entries: %v", len(found), err)
	}
	mustPut(t, s, fresh...) // into the file or the memory, from which it gets into the file
	s.work.Wait()
	if got := mustStats(t, s).Location; got != f.path {
		t.Errorf("the location is %q, want the file", got)
	}
	if got := mustGet(t, s, keysOf(fresh)...); len(got) != len(fresh) {
		t.Errorf("got %d of %d entries", len(got), len(fresh))
	}
	wantSetAside(t, f.path, nil, w.lines())
}

func TestADamagedFileThatCannotBeRenamedIsLeft(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	damages["garbage"](t, path)
	if err := os.MkdirAll(filepath.Join(path+".damaged", "a folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	var w warnings
	s := Open(t.Context(), path, Options{Logger: w.logger()})
	e := newClock().entry("192.0.2.1", "a")
	mustPut(t, s, e)
	if got := mustGet(t, s, e.Key); len(got) != 1 {
		t.Error("the memory did not keep the entry")
	}
	s.Close()
	w.wantOne(t, "cache file "+path+": it is damaged and cannot be renamed to "+path+".damaged")
}

// damageProcesses is how many processes find a damaged file at once.
const damageProcesses = 3

// useDamaged opens a store at a location and puts entries into it, in the role of one of several processes. It returns its
// warnings.
func useDamaged(ctx context.Context, args []string) (any, error) {
	path := args[0]
	first, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path+".ready"+args[1], nil, 0o600); err != nil {
		return nil, err
	}
	for ready := 0; ready < damageProcesses; { // they begin together
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found, err := filepath.Glob(path + ".ready*")
		if err != nil {
			return nil, err
		}
		ready = len(found)
	}
	var w warnings
	c := newClock()
	s := Open(ctx, path, Options{Logger: w.logger(), Now: c.now})
	if _, err := s.Get(ctx, keysOf(c.batch(500, 3000))); err != nil {
		return nil, err
	}
	s.(*fallback).work.Wait()
	for i := range 20 {
		e := c.entry(address(1000+20*first+i), "own")
		if err := s.Put(ctx, []Entry{e}); err != nil {
			return nil, err
		}
		if found, err := s.Get(ctx, []Key{e.Key}); err != nil || len(found) != 1 {
			return nil, fmt.Errorf("got %d entries of the one just put: %w", len(found), err)
		}
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return w.lines(), nil
}

func TestProcessesSetADamagedFileAsideOnce(t *testing.T) {
	t.Parallel()
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			path := filepath.Join(t.TempDir(), "c.sqlite")
			makeFileOf(t, path, c, c.batch(500, 3000))
			damage(t, path)
			var args [][]string
			for i := range damageProcesses {
				args = append(args, []string{path, strconv.Itoa(i)})
			}
			var all []string
			for _, lines := range run[[]string](t, "use a damaged file", args...) {
				for _, line := range lines {
					if line != "" {
						all = append(all, line)
					}
				}
			}
			wantSetAside(t, path, nil, all)
			f := openTestFile(t, path, Options{Now: c.now})
			if got := mustStats(t, f).Entries; got != 20*damageProcesses {
				t.Errorf("%d entries in the new file, want %d", got, 20*damageProcesses)
			}
		})
	}
}

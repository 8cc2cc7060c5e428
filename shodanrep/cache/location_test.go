package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

func TestOpenGoesOnInMemoryWhereAFileCannotBeUsed(t *testing.T) {
	t.Parallel()
	write := func(content string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	exec := func(sql string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, err := sqlite3.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Exec(sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		make func(t *testing.T, path string)
		sub  string // what is appended to the path that is opened
		want string
	}{
		"a damaged database of another application": {func(t *testing.T, path string) {
			exec(`CREATE TABLE a (b); PRAGMA application_id = 7`)(t, path)
			if err := os.Truncate(path, 5000); err != nil {
				t.Fatal(err)
			}
		}, "", "it is a database of another application: set the cache to another path"},
		"a database of another application": {exec(`CREATE TABLE a (b); PRAGMA application_id = 7`), "",
			"it is a database of another application: set the cache to another path"},
		"a database of no application": {exec(`CREATE TABLE a (b)`), "",
			"it is a database of another application: set the cache to another path"},
		"a newer schema": {exec(fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d`, applicationID, schemaVersion+1)),
			"", "it was made by a newer version of shodanrep: update shodanrep, or set the cache to another path"},
		"a folder": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "", "it is not a file: set the cache to the path of a file"},
		"a path under a file": {write(""), "/c.sqlite", "not a directory: set the cache to a path under a folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "c.sqlite")
			test.make(t, path)
			path += test.sub
			before, _ := os.ReadFile(path)
			var w warnings
			s := Open(t.Context(), path, Options{Logger: w.logger()})
			for range 2 {
				e := newClock().entry("192.0.2.1", "a")
				mustPut(t, s, e)
				if got := mustGet(t, s, e.Key); len(got) != 1 {
					t.Errorf("got %v, want the entry", got)
				}
			}
			if got, want := mustStats(t, s).Location, "memory, in place of "+path; got != want {
				t.Errorf("the location is %q, want %q", got, want)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			w.wantOne(t, "cache file "+path+": ", test.want)
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenGoesOnInMemoryWhereItMayNotWrite(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root, to take its rights away")
	}
	dir, err := os.MkdirTemp("", "shodanrep") // t.TempDir is for its owner only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "c.sqlite")
	openTestFile(t, path, Options{}).Close()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open.sqlite")
	openTestFile(t, open, Options{}).Close()
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a file that it may read":        path,
		"a file in a read-only folder":   open,
		"a new file in such a folder":    filepath.Join(dir, "new.sqlite"),
		"a new folder in such a folder":  filepath.Join(dir, "new", "c.sqlite"),
		"a folder that it may not enter": filepath.Join(t.TempDir(), "c.sqlite"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := run[[]string](t, "open as nobody", []string{path})[0]
			if len(lines) != 1 || !strings.Contains(lines[0], "cache file "+path+": ") ||
				!strings.Contains(lines[0], "make it and its folder writable, or set the cache to another path") {
				t.Errorf("got %q, want one warning that says to make %s writable", lines, path)
			}
		})
	}
}

func TestAFailureSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"sqlite3: disk I/O error: make room on its disk if that is full, or set the cache to a path on another":            sqlite3.IOERR_WRITE,
		"write c: no space left on device: make room on its disk if that is full, or set the cache to a path on another":   &os.PathError{Op: "write", Path: "c", Err: syscall.ENOSPC},
		"sqlite3: attempt to write a readonly database: make it and its folder writable, or set the cache to another path": sqlite3.READONLY,
		"sqlite3: disk I/O error: check its disk, or set the cache to another path":                                        sqlite3.IOERR_READ,
	} {
		if got := wrapFileError("/var/cache/c.sqlite", err).Error(); got != "cache file /var/cache/c.sqlite: "+want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDefaultPath(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/home/a/.cache")
	t.Setenv("HOME", "/home/a")
	t.Setenv(dirVariable, "")
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DefaultPath(); got != filepath.Join(user, "shodanrep", "cache.sqlite") || err != nil {
		t.Errorf("DefaultPath() = %q, %v", got, err)
	}
	t.Setenv(dirVariable, "/var/cache/x")
	if got, err := DefaultPath(); got != "/var/cache/x/cache.sqlite" || err != nil {
		t.Errorf("DefaultPath() = %q, %v", got, err)
	}
	for location, want := range map[string]string{
		"": "/var/cache/x", "on": "/var/cache/x", "redis://192.0.2.1": "/var/cache/x", "memory": "", "off": "",
		"/a/b.sqlite": "/a", "~/b.sqlite": "/home/a",
	} {
		if got := Dir(location); got != want {
			t.Errorf("Dir(%q) = %q, want %q", location, got, want)
		}
	}
	t.Run("without a home it is memory and a warning", func(t *testing.T) {
		t.Setenv(dirVariable, "")
		t.Setenv("XDG_CACHE_HOME", "")
		t.Setenv("HOME", "")
		var w warnings
		s := Open(t.Context(), "on", Options{Logger: w.logger()})
		mustPut(t, s, newClock().entry("192.0.2.1", "a"))
		w.wantOne(t, "no folder for the cache file", dirVariable)
	})
}

func TestOpenByLocation(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(dirVariable, dir)
	for location, want := range map[string]string{
		"":                             filepath.Join(dir, "cache.sqlite"),
		"on":                           filepath.Join(dir, "cache.sqlite"),
		"memory":                       "memory",
		"off":                          "off",
		filepath.Join(dir, "c.sqlite"): filepath.Join(dir, "c.sqlite"),
	} {
		t.Run("location "+location, func(t *testing.T) {
			s := Open(t.Context(), location, Options{})
			defer s.Close()
			e := newClock().entry("192.0.2.1", "a")
			mustPut(t, s, e)
			if got := len(mustGet(t, s, e.Key)); (got == 1) != (location != "off") {
				t.Errorf("got %d entries back", got)
			}
			if _, err := s.Clear(t.Context(), ""); err != nil {
				t.Error(err)
			}
			if _, err := s.Prune(t.Context()); err != nil {
				t.Error(err)
			}
			if got := mustStats(t, s).Location; got != want {
				t.Errorf("the location is %q, want %q", got, want)
			}
		})
	}
}

func TestCheckLocation(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"", "on", "off", "memory", "/var/cache/c.sqlite", "./c", "c.sqlite", "~/c", `C:\c`,
		"redis://192.0.2.1", "redis://:secret@[2001:db8::1]:6380/3", "rediss://user:s%2Fecret@redis.example/0?read_timeout=1s",
	} {
		if err := CheckLocation(good); err != nil {
			t.Errorf("CheckLocation(%q) = %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"redis:/u:secret@h:6379/0":     `the cache cannot be at an address of that kind: want redis:// or rediss://`,
		"REDISS:u:secret@h/0":          `the cache cannot be at an address of that kind: want redis:// or rediss://`,
		"onn":                          `the cache cannot be at "onn": want "on", "memory", "off", a path such as "./onn", or redis://…`,
		"C:\temp\\c.sqlite":            `the cache cannot be at "C:\temp\\c.sqlite": it has a control character; write / or \\ for each \ of a path`,
		"redis\t://:secret@h/":         "the cache cannot be at an address of that kind: want redis:// or rediss://",
		"http://u:secret@192.0.2.1/":   "the cache cannot be at an address of that kind: want redis:// or rediss://",
		"redis://":                     errAddress.Error(),
		"redis://:secret@host:port":    errAddress.Error(),
		"redis://secret/word@host":     errAddress.Error(),
		"redis://:12#secret@host":      errAddress.Error(),
		"redis://u:12?secret@host":     errAddress.Error(),
		"redis://host/0?secret=secret": errAddress.Error(),
		"redis://host/secret":          errAddress.Error(),
	} {
		if err := CheckLocation(bad); err == nil || err.Error() != want {
			t.Errorf("CheckLocation(%q) = %v, want %s", bad, err, want)
		}
	}
}

func FuzzCheckLocation(f *testing.F) {
	f.Add("redis://:secret@127.0.0.1:6379/0")
	f.Add("~")
	f.Add("redis://h/0?db=x")
	f.Fuzz(func(t *testing.T, location string) {
		if err := CheckLocation(location); err != nil && IsRedis(location) && err != errAddress {
			t.Errorf("CheckLocation(%q) = %v, which may show a password", location, err)
		}
	})
}

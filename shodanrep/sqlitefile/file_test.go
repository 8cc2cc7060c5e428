package sqlitefile_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

func options() sqlitefile.Options {
	return sqlitefile.Options{
		Name: "the file", ApplicationID: 7, Version: 2, Schema: "CREATE TABLE t (n)", Pragmas: "PRAGMA synchronous = NORMAL",
		BusyTimeout: 10 * time.Millisecond, Logger: hclog.NewNullLogger(),
	}
}

func openFile(t *testing.T, path string, options sqlitefile.Options) *sqlitefile.File {
	t.Helper()
	f, err := sqlitefile.Open(t.Context(), path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func insert(c *sqlitefile.Conn) error { return c.Run("INSERT INTO t VALUES (?)", int64(1)) }

func count(t *testing.T, f *sqlitefile.File) (n int64) {
	t.Helper()
	err := f.Read(t.Context(), func(c *sqlitefile.Conn) (err error) {
		n, err = c.Number("SELECT count(*) FROM t")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAWriteIsDoneAsAWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	f := openFile(t, filepath.Join(t.TempDir(), "new", "c.sqlite"), options())
	failure := errors.New("a fault")
	for _, want := range []error{failure, context.Canceled} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := f.Write(ctx, func(c *sqlitefile.Conn) error {
			if want == context.Canceled {
				cancel()
			}
			return errors.Join(insert(c), failure)
		})
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if n := count(t, f); n != 0 {
		t.Errorf("%d rows of calls that failed", n)
	}
	if err := f.Write(t.Context(), insert); err != nil {
		t.Error(err)
	}
	if n := count(t, f); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestReadersWaitForNoWriterAndALongReadForNobody(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	f, other := openFile(t, path, options()), openFile(t, path, options())
	err := f.Write(t.Context(), func(c *sqlitefile.Conn) error {
		// Nested as deep as readers are allowed.
		var nest func(depth int) error
		nest = func(depth int) error {
			if depth == 0 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				if err := f.Read(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("one reader more: %v, want it to wait", err)
				}
				return f.ReadLong(t.Context(), func(*sqlitefile.Conn) error { return nil })
			}
			return f.Read(t.Context(), func(*sqlitefile.Conn) error { return nest(depth - 1) })
		}
		if err := other.Write(t.Context(), insert); err == nil {
			t.Error("two connections write at once")
		}
		return errors.Join(nest(4), insert(c))
	})
	if err != nil {
		t.Error(err)
	}
	if n := count(t, other); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestCloseEndsAllUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	f := openFile(t, path, options())
	// A connection that reads closes when its call ends.
	err := f.Read(t.Context(), func(*sqlitefile.Conn) error { return errors.Join(f.Close(), f.Close()) })
	if err != nil {
		t.Error(err)
	}
	for name, use := range map[string]func(context.Context, func(*sqlitefile.Conn) error) error{
		"Read": f.Read, "ReadLong": f.ReadLong, "Write": f.Write,
		"Vacuum": func(ctx context.Context, _ func(*sqlitefile.Conn) error) error { _, err := f.Vacuum(ctx); return err },
	} {
		if err := use(t.Context(), insert); !errors.Is(err, sqlitefile.ErrClosed) {
			t.Errorf("%s: %v, want %v", name, err, sqlitefile.ErrClosed)
		}
	}
	if left, err := filepath.Glob(path + "-*"); err != nil || left != nil {
		t.Errorf("%v, %v: want no log left", left, err)
	}
}

func TestOpenRefusesAFileOfAnotherKind(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	openFile(t, path, options()).Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[error]func(*sqlitefile.Options){
		sqlitefile.ErrForeign: func(o *sqlitefile.Options) { o.ApplicationID = 8 },
		sqlitefile.ErrNewer:   func(o *sqlitefile.Options) { o.Version = 1 },
	} {
		o := options()
		change(&o)
		if _, err := sqlitefile.Open(t.Context(), path, o); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
	if _, err := sqlitefile.Open(t.Context(), t.TempDir(), options()); !errors.Is(err, sqlitefile.ErrNotAFile) {
		t.Errorf("a folder: %v, want %v", err, sqlitefile.ErrNotAFile)
	}
}

func TestReopenMakesANewFileInPlaceOfOneThatIsGone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		remove func(path string) error
		want   error
	}{
		"deleted":   {os.Remove, sqlitefile.ErrReplaced},
		"set aside": {func(path string) error { return os.Rename(path, path+".damaged") }, sqlitefile.ErrSetAside},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "c.sqlite")
			f := openFile(t, path, options())
			if err := errors.Join(f.Check(), test.remove(path)); err != nil {
				t.Fatal(err)
			}
			if err := f.Read(t.Context(), insert); !errors.Is(err, test.want) || !errors.Is(f.Check(), test.want) || !f.Stale() {
				t.Errorf("got %v, want %v", err, test.want)
			}
			reopened, err := f.Reopen(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer reopened.Close()
			if err := errors.Join(reopened.Write(t.Context(), insert), f.Close()); err != nil {
				t.Error(err)
			}
			if n := count(t, openFile(t, path, options())); n != 1 {
				t.Errorf("%d rows, want 1", n)
			}
		})
	}
}

func TestADamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	damaged := []byte(strings.Repeat("garbage ", 1000))
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	o := options()
	o.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, DisableTime: true})
	if n := count(t, openFile(t, path, o)); n != 0 {
		t.Errorf("%d rows", n)
	}
	want := "[WARN]  the file was damaged: it was set aside, and a new one begun: file=" + path + " damaged=" + path + ".damaged\n"
	if log.String() != want {
		t.Errorf("got  %swant %s", &log, want)
	}
	if got, err := os.ReadFile(path + ".damaged"); err != nil || !bytes.Equal(got, damaged) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

package sqlitefile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	_ "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest" // waits as long as a busy machine needs
)

// openWAL opens the file at path, which keeps a write-ahead log, and makes it where it is missing.
func openWAL(t *testing.T, path string) *sqlite3.Conn {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Exec("pragma journal_mode = wal; create table if not exists t(x)"); err != nil {
		t.Fatal(err)
	}
	return db
}

func closeConn(db *sqlite3.Conn, path string) error { return (&Conn{Conn: db, path: path}).close() }

func TestCloseWaitsWhileTheFileIsSetAside(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	old := openWAL(t, path)
	closed := make(chan error, 1)
	var current *sqlite3.Conn
	err := locked(t.Context(), path, os.O_RDWR, func() error {
		go func() { closed <- closeConn(old, path) }()
		select {
		case <-closed:
			return errors.New("close did not wait for the lock")
		case <-time.After(20 * time.Millisecond): // a slow machine only makes the test more lenient
		}
		for _, suffix := range []string{"-wal", ""} {
			if err := os.Rename(path+suffix, path+".damaged"+suffix); err != nil {
				return err
			}
		}
		if err := os.Remove(path + "-shm"); err != nil {
			return err
		}
		current = openWAL(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	other := openWAL(t, path)
	for _, db := range []*sqlite3.Conn{current, other} {
		if err := db.Exec("insert into t values (1)"); err != nil {
			t.Fatal(err)
		}
	}
	s, _, err := other.Prepare("select count(*) from t")
	if err != nil {
		t.Fatal(err)
	}
	if !s.Step() || s.ColumnInt(0) != 2 {
		t.Errorf("got %d rows, want 2: %v", s.ColumnInt(0), s.Err())
	}
	if err := errors.Join(s.Close(), closeConn(current, path), closeConn(other, path)); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(path + suffix); err == nil {
			t.Errorf("%s is left after the last connection closed", suffix)
		}
	}
}

func TestOpenMakesTheFileThatIsSetAsideMeanwhile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	err := locked(t.Context(), path, os.O_RDWR, func() error {
		go func() {
			f, err := Open(t.Context(), path, Options{Version: 1, Schema: "create table t(x)"})
			if err == nil {
				err = f.Close()
			}
			opened <- err
		}()
		time.Sleep(20 * time.Millisecond) // a slow machine only makes the test more lenient
		return os.Rename(path, path+".damaged")
	})
	if err := errors.Join(err, <-opened); err != nil {
		t.Error(err)
	}
}

func TestCloseWithoutAFolderForTheLock(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "d", "c.sqlite")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	db := openWAL(t, path)
	if err := os.Rename(filepath.Dir(path), filepath.Join(folder, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := closeConn(db, path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a file again")
	}
}

// TestWhatIsCancelledIsNoErrorOfTheFile has calls whose context ends while SQLite works: the error of SQLite would have the
// user delete the file.
func TestWhatIsCancelledIsNoErrorOfTheFile(t *testing.T) {
	t.Parallel()
	f, err := Open(t.Context(), filepath.Join(t.TempDir(), "c.sqlite"), Options{
		Version: 1, Schema: "create table t (x)", Pragmas: "pragma wal_autocheckpoint = 0",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	for _, statement := range []string{"insert into t select randomblob(1000) from generate", "delete from t"} {
		if err := f.Write(t.Context(), func(c *Conn) error {
			return c.Run("with recursive generate (n) as (select 1 union all select n + 1 from generate where n < 1000) " + statement)
		}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = f.useWriter(t.Context(), func(c *Conn) error {
		_, vacuumErr := c.vacuum(ctx, time.Second)
		for what, err := range map[string]error{"vacuum": vacuumErr, "checkpoint": c.checkpoint(ctx)} {
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if vacuumErr == nil {
			t.Error("the vacuum did not end with its context")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if complete, err := f.Vacuum(t.Context()); !complete || err != nil {
		t.Errorf("afterwards: %v, %v", complete, err)
	}
}

// Windows would take the path /C:/x for a folder named C: on its current drive.
func TestAPathWithADriveIsOpenedAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ü %20#.sqlite")
	if runtime.GOOS != "windows" { // elsewhere it is a relative path
		t.Chdir(t.TempDir())
		path = "C:/c.sqlite"
		if err := os.Mkdir("C:", 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := connect(path, Options{BusyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Run("CREATE TABLE t (x)"), c.closeLocked()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("nothing was written to the file: %v", err)
	}
}

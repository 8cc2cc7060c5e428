package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

const (
	applicationID = 0x53524570 // "SREp": whose file this is
	schemaVersion = 1
)

// schema is the file's. Rows of answer stand in the order they were put, so that the oldest, which go first, share
// their pages, and whole pages come free. answer_age serves that, the pruning and the statistics without a look at
// the rows.
const schema = `
CREATE TABLE answer (
	id INTEGER PRIMARY KEY,
	subject TEXT NOT NULL,
	service TEXT NOT NULL,
	asked TEXT NOT NULL,
	checked_at INTEGER NOT NULL, -- microseconds since 1970, as is expires
	expires INTEGER NOT NULL,
	body BLOB                    -- NULL where the service has nothing indexed
) STRICT;
CREATE UNIQUE INDEX answer_key ON answer (subject, service, asked);
CREATE INDEX answer_age ON answer (checked_at, expires);
CREATE TABLE count (hits INTEGER NOT NULL, misses INTEGER NOT NULL) STRICT;
INSERT INTO count VALUES (0, 0);
`

// OpenFile opens the cache file at path, and makes it, for its owner only, where it is missing. Its errors say what is
// wrong with the file and what to do; Open is the one that goes on without it.
func OpenFile(ctx context.Context, path string, opts Options) (*File, error) {
	f := newFile(path, opts.withDefaults())
	if err := f.revive(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// revive opens the file, for the first time or again after it failed.
func (f *File) revive(ctx context.Context) error {
	if err := f.lock(ctx); err != nil {
		return err
	}
	defer f.unlock()
	err := errors.Join(f.reader.damage, f.writer.damage)
	f.letGo()
	if err == nil {
		err = f.open(ctx)
	}
	if sqlitefile.IsDamaged(err) {
		f.letGo()
		if err = f.setAside(ctx, err); err == nil {
			err = f.open(ctx)
		}
	}
	if err != nil {
		f.letGo()
	}
	return f.explain(err)
}

// lock takes both connections.
func (f *File) lock(ctx context.Context) error {
	if err := f.writer.lock(ctx); err != nil {
		return err
	}
	if err := f.reader.lock(ctx); err != nil {
		f.writer.unlock()
		return err
	}
	return nil
}

func (f *File) unlock() {
	f.reader.unlock()
	f.writer.unlock()
}

func (f *File) letGo() error {
	return errors.Join(f.reader.close(), f.writer.close())
}

func (f *File) open(ctx context.Context) error {
	if err := makeFolder(f.path); err != nil {
		return err
	}
	return sqlitefile.Opening(ctx, f.path, func() error { return f.openLocked(ctx) })
}

// openLocked opens the file while no process sets it aside.
func (f *File) openLocked(ctx context.Context) error {
	if err := makeFile(f.path); err != nil {
		return err
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	f.identity.Store(&info)
	if err := f.writer.open(ctx, f.path); err != nil {
		return err
	}
	if err := f.prepare(ctx, f.writer.db); err != nil {
		return err
	}
	if err := f.reader.open(ctx, f.path); err != nil {
		return err
	}
	if err := f.reader.db.Exec("PRAGMA query_only = ON"); err != nil {
		return err
	}
	f.flushed.Store(time.Now().Unix())
	_, err = f.reader.number("SELECT count(*) FROM count") // see sqlitefile.Opening
	return err
}

// makeFolder makes the folder of the file, for its owner only.
func makeFolder(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.MkdirAll(filepath.Dir(path), 0o700)
}

// makeFile makes an empty file, which SQLite would make readable to all.
func makeFile(path string) error {
	info, err := os.Stat(path)
	if err == nil {
		if !info.Mode().IsRegular() { // to open a pipe would wait for ever
			return errNoFile
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// prepare checks that the file is ours, sets the connection up, and makes the tables of a new file.
func (f *File) prepare(ctx context.Context, db *sqlite3.Conn) error {
	if readOnly, _ := db.ReadOnly("main"); readOnly {
		return fs.ErrPermission
	}
	// Before anything is changed: the file may be someone else's. In a transaction: another process may be making it.
	var isNew bool
	err := f.writer.transact(ctx, "BEGIN", func() (err error) {
		isNew, err = f.check()
		return err
	})
	if err != nil {
		return err
	}
	// auto_vacuum takes effect only before there is a table. With synchronous = NORMAL a crash of the machine may lose
	// the last answers, and nothing else.
	err = db.Exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 8388608`)
	if err != nil {
		return err
	}
	if err := setWAL(ctx, db); err != nil {
		return err
	}
	if !isNew {
		return nil
	}
	return f.writer.transact(ctx, "BEGIN IMMEDIATE", func() error {
		if isNew, err := f.check(); err != nil || !isNew { // another process may have been faster
			return err
		}
		return db.Exec(schema + fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d`,
			applicationID, schemaVersion))
	})
}

// check reports whether the file is new, and fails where it is none that this version can use.
func (f *File) check() (isNew bool, err error) {
	application, err := f.writer.number("PRAGMA application_id")
	if err != nil {
		return false, err
	}
	version, err := f.writer.number("PRAGMA user_version")
	if err != nil {
		return false, err
	}
	tables, err := f.writer.number("SELECT count(*) FROM sqlite_schema")
	switch {
	case err != nil:
		return false, err
	case application == 0 && version == 0 && tables == 0:
		return true, nil
	case application != applicationID:
		return false, errForeign
	case version > schemaVersion:
		return false, errNewer
	}
	return false, nil
}

// setWAL turns the write-ahead log on, so that those who read and the one who writes do not wait for each other.
// SQLite does not itself wait for other processes here.
func setWAL(ctx context.Context, db *sqlite3.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for {
		err := db.Exec("PRAGMA journal_mode = WAL")
		if !errors.Is(err, sqlite3.BUSY) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

package cache

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

const (
	// flushEvery is how often the counts of hits and misses are written.
	flushEvery = 10 * time.Second
	// retryFileAfter is how long a file that failed is not used.
	retryFileAfter = 30 * time.Second
	// busyTimeout is how long a call waits for another process that writes.
	busyTimeout = 5 * time.Second
)

// fileStore caches entries in a SQLite file, which the processes of a machine share. It deletes the entries that were
// checked longest ago where the file grows beyond its bound.
type fileStore struct {
	path string
	opts Options

	db       atomic.Pointer[sqlitefile.File] // nil until the file was opened
	opening  sync.Mutex                      // held while db is replaced
	openErr  error                           // why the file could not be opened again
	replaced time.Time                       // when a damaged file was last replaced

	hits, misses atomic.Int64 // counted and not yet written
	flushed      atomic.Int64 // when they last were, in Unix seconds
}

var _ backend = (*fileStore)(nil)

func newFileStore(path string, opts Options) *fileStore {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	f := &fileStore{path: path, opts: opts}
	f.flushed.Store(time.Now().Unix())
	return f
}

// open opens the file, for the first time or again after it failed. It makes the file, for its owner only, where it is
// missing. Its errors say what is wrong with the file and what to do.
func (f *fileStore) open(ctx context.Context) error {
	f.opening.Lock()
	defer f.opening.Unlock()
	return wrapFileError(f.path, f.reopen(ctx))
}

// reopen is open for a caller that holds the lock.
func (f *fileStore) reopen(ctx context.Context) error {
	old := f.db.Load()
	var db *sqlitefile.File
	var err error
	if old != nil {
		_ = old.Close() // it failed
		db, err = old.Reopen(ctx)
	} else {
		db, err = sqlitefile.Open(ctx, f.path, sqlitefile.Options{
			Name: "the cache file", ApplicationID: applicationID, Version: schemaVersion, Schema: schema,
			// With synchronous = NORMAL a crash of the machine may lose the newest entries, and nothing else.
			Pragmas:     "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 8388608",
			BusyTimeout: waitlimit.Of(busyTimeout), Logger: f.opts.Logger,
		})
	}
	if err == nil {
		f.db.Store(db)
	}
	f.openErr = err
	return err
}

// do calls op with the open file. Where the file is damaged, or was set aside by another process, it begins a new one
// and calls op once more.
func (f *fileStore) do(op func(*sqlitefile.File) error) error {
	db := f.db.Load()
	if db == nil {
		return sqlitefile.ErrClosed
	}
	err := db.Check()
	if err == nil {
		err = op(db)
	}
	if sqlitefile.IsDamaged(err) || errors.Is(err, sqlitefile.ErrSetAside) || errors.Is(err, sqlitefile.ErrClosed) {
		if err = f.replace(db, err); err == nil {
			err = op(f.db.Load())
		}
	}
	return wrapFileError(f.path, err)
}

// replace opens the file again where it failed with an error, unless another call has done so. It returns the error
// where a new file fails again so soon. It does not stop where the call is cancelled: the next process may not notice the
// damage at once.
func (f *fileStore) replace(failed *sqlitefile.File, err error) error {
	f.opening.Lock()
	defer f.opening.Unlock()
	switch {
	case f.db.Load() != failed:
		return nil
	case errors.Is(err, sqlitefile.ErrClosed): // by Close, or by a call that could not open it again
		return cmp.Or(f.openErr, err)
	case time.Since(f.replaced) < retryFileAfter:
		return err
	}
	f.replaced = time.Now()
	return f.reopen(context.Background())
}

// Get returns the entries that are there and have not expired. It runs one statement for each key: measured, a join with
// a list of all keys takes as long.
func (f *fileStore) Get(ctx context.Context, keys []Key) (found map[Key]Entry, err error) {
	const query = `SELECT checked_at, expires, body FROM answer WHERE subject = ? AND service = ? AND asked = ?
		AND coalesce(octet_length(body), 0) <= ?`
	now := f.opts.Now().UnixMicro()
	err = f.do(func(db *sqlitefile.File) error {
		found = make(map[Key]Entry, len(keys))
		return db.Read(ctx, func(c *sqlitefile.Conn) error {
			for _, k := range keys {
				err := c.Rows(query, []any{k.Target, k.Service, k.Options, int64(MaxBody)}, func(row *sqlite3.Stmt) (bool, error) {
					if expires := row.ColumnInt64(1); expires > now {
						found[k] = Entry{
							Key: k, Body: row.ColumnBlob(2, nil), CheckedAt: timeOf(row.ColumnInt64(0)), Expires: timeOf(expires),
						}
					}
					return false, nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Put caches the entries, in one transaction. One that is larger than the whole store is left out.
func (f *fileStore) Put(ctx context.Context, entries []Entry) error {
	if len(entries) == 0 {
		return ctx.Err()
	}
	return f.write(ctx, func(c *sqlitefile.Conn) error {
		var size int64
		for _, e := range entries {
			if err := f.putEntry(c, e); err != nil {
				return err
			}
			// A batch may be as large as the store.
			if size += int64(len(e.Body)); size > f.opts.MaxBytes/8 {
				size = 0
				if err := f.evict(c); err != nil {
					return err
				}
			}
		}
		return f.evict(c)
	})
}

func (f *fileStore) putEntry(c *sqlitefile.Conn, e Entry) error {
	if int64(len(e.Body)) > f.opts.MaxBytes {
		return c.Run(`DELETE FROM answer WHERE subject = ? AND service = ? AND asked = ?`, e.Target, e.Service, e.Options)
	}
	// Replaced, not updated: the row moves to the end, among those of its age.
	return c.Run(`INSERT OR REPLACE INTO answer (subject, service, asked, checked_at, expires, body) VALUES (?, ?, ?, ?, ?, ?)`,
		e.Target, e.Service, e.Options, e.CheckedAt.UnixMicro(), e.Expires.UnixMicro(), e.Body)
}

// Clear deletes the entries about a target, or all, and with them the counts of hits and misses.
func (f *fileStore) Clear(ctx context.Context, target string) (int64, error) {
	if target != "" {
		return f.delete(ctx, `DELETE FROM answer WHERE subject = ?`, target)
	}
	n, err := f.delete(ctx, `DELETE FROM answer`)
	if err == nil {
		f.hits.Store(0)
		f.misses.Store(0)
		err = f.write(ctx, func(c *sqlitefile.Conn) error { return c.Run(`UPDATE count SET hits = 0, misses = 0`) })
	}
	return n, err
}

const deleteExpired = `DELETE FROM answer WHERE id IN (SELECT id FROM answer INDEXED BY answer_age WHERE expires <= ?)`

// Prune deletes the entries that have expired.
func (f *fileStore) Prune(ctx context.Context) (int64, error) {
	return f.delete(ctx, deleteExpired, f.opts.Now().UnixMicro())
}

// delete runs a statement that deletes entries, and gives their space back to the file system.
func (f *fileStore) delete(ctx context.Context, statement string, args ...any) (n int64, err error) {
	err = f.write(ctx, func(c *sqlitefile.Conn) error {
		err := c.Run(statement, args...)
		n = c.Changes()
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, f.do(func(db *sqlitefile.File) error {
		_, err := db.Vacuum(ctx)
		return err
	})
}

func (f *fileStore) write(ctx context.Context, fn func(*sqlitefile.Conn) error) error {
	return f.do(func(db *sqlitefile.File) error { return db.Write(ctx, fn) })
}

// Stats describes the file, with the counts of all processes.
func (f *fileStore) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Location: f.path}
	err := f.do(func(db *sqlitefile.File) error {
		return db.Read(ctx, func(c *sqlitefile.Conn) error {
			err := c.Rows(`SELECT count(*), coalesce(sum(expires <= ?), 0), min(checked_at), max(checked_at)
				FROM answer INDEXED BY answer_age`, []any{f.opts.Now().UnixMicro()}, func(row *sqlite3.Stmt) (bool, error) {
				if s.Entries, s.Expired = row.ColumnInt64(0), row.ColumnInt64(1); s.Entries > 0 {
					s.Oldest, s.Newest = timeOf(row.ColumnInt64(2)), timeOf(row.ColumnInt64(3))
				}
				return false, nil
			})
			if err != nil {
				return err
			}
			return c.Rows(`SELECT hits, misses FROM count`, nil, func(row *sqlite3.Stmt) (bool, error) {
				s.Hits, s.Misses = row.ColumnInt64(0)+f.hits.Load(), row.ColumnInt64(1)+f.misses.Load()
				return false, nil
			})
		})
	})
	for _, name := range []string{f.path, f.path + "-wal"} {
		if info, err := os.Stat(name); err == nil {
			s.Bytes += info.Size()
		}
	}
	return s, err
}

// Count counts lookups, and writes the counts now and then. It does not wait for other processes that write.
func (f *fileStore) Count(hits, misses int64) {
	f.hits.Add(hits)
	f.misses.Add(misses)
	if time.Now().Unix()-f.flushed.Load() >= int64(flushEvery/time.Second) {
		f.flush(5 * time.Millisecond)
	}
}

// flush writes the counts. What cannot be written in time is left for the next time.
func (f *fileStore) flush(timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	f.flushed.Store(time.Now().Unix())
	hits, misses := f.hits.Swap(0), f.misses.Swap(0)
	if hits == 0 && misses == 0 {
		return
	}
	err := f.write(ctx, func(c *sqlitefile.Conn) error {
		return c.Run(`UPDATE count SET hits = hits + ?, misses = misses + ?`, hits, misses)
	})
	if err != nil {
		f.hits.Add(hits)
		f.misses.Add(misses)
	}
}

// Close writes the counts and closes the file.
func (f *fileStore) Close() error {
	f.flush(waitlimit.Of(time.Second))
	db := f.db.Load()
	if db == nil {
		return nil
	}
	return wrapFileError(f.path, db.Close())
}

// wrapFileError adds to an error which cache file it is about and what to do.
func wrapFileError(path string, err error) error {
	return sqlitefile.Purpose{Name: "cache file", Setting: "the cache", Without: `"memory"`}.Wrap(path, err)
}

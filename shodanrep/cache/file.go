package cache

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

const (
	// flushEvery is how often the counts of hits and misses are written where nothing else is.
	flushEvery = 10 * time.Second
	// reopenEvery is how often a file that failed is tried again.
	reopenEvery = 30 * time.Second
)

// File keeps entries in a SQLite file, which the processes of a machine share. The entries that were checked longest
// ago are the first to go where the file outgrows its bound.
type File struct {
	path string
	opts Options

	reader, writer *conn // two, so that a Get does not wait until a Put has waited for another process
	identity       atomic.Pointer[os.FileInfo]

	hits, misses atomic.Int64 // counted and not yet written
	flushed      atomic.Int64 // when they last were, in Unix seconds
}

var _ Store = (*File)(nil)

func newFile(path string, opts Options) *File {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return &File{path: path, opts: opts, reader: newConn(), writer: newConn()}
}

// Get returns the entries that are there and have not expired. It asks with one statement a key, run over and over in
// one transaction: measured, a join with a list of all keys costs as much.
func (f *File) Get(ctx context.Context, keys []Key) (map[Key]Entry, error) {
	if err := f.present(); err != nil {
		return nil, err
	}
	found := make(map[Key]Entry, len(keys))
	now := f.opts.Now().UnixMicro()
	err := f.reader.read(ctx, func() error {
		const query = `SELECT checked_at, expires, body FROM answer WHERE subject = ? AND service = ? AND asked = ?`
		for _, k := range keys {
			s, err := f.reader.stmt(query, k.Target, k.Service, k.Options)
			if err != nil {
				return err
			}
			if s.Step() {
				if expires := s.ColumnInt64(1); expires > now {
					found[k] = Entry{
						Key: k, Body: s.ColumnBlob(2, nil), CheckedAt: timeOf(s.ColumnInt64(0)), Expires: timeOf(expires),
					}
				}
			}
			if err := s.Err(); err != nil {
				return err
			}
			if err := s.Reset(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, f.explain(err)
	}
	return found, nil
}

// Count counts questions, and writes the counts of a process that only reads now and then.
func (f *File) Count(hits, misses int64) {
	f.hits.Add(hits)
	f.misses.Add(misses)
	f.flushNowAndThen()
}

// Put keeps the entries, in one transaction. One that is larger than the whole store is not kept.
func (f *File) Put(ctx context.Context, entries []Entry) error {
	if len(entries) == 0 {
		return ctx.Err()
	}
	if err := f.present(); err != nil {
		return err
	}
	// Replaced, not updated: the row moves to the end, among those of its age.
	const (
		insert = `INSERT OR REPLACE INTO answer (subject, service, asked, checked_at, expires, body) VALUES (?, ?, ?, ?, ?, ?)`
		remove = `DELETE FROM answer WHERE subject = ? AND service = ? AND asked = ?`
	)
	counts := f.takeCounts()
	err := f.writer.write(ctx, func() error {
		if err := counts.write(f.writer); err != nil {
			return err
		}
		var since int64
		for _, e := range entries {
			var err error
			if int64(len(e.Body)) > f.opts.MaxBytes {
				_, err = f.writer.exec(remove, e.Target, e.Service, e.Options)
			} else {
				_, err = f.writer.exec(insert, e.Target, e.Service, e.Options,
					e.CheckedAt.UnixMicro(), e.Expires.UnixMicro(), e.Body)
			}
			if err != nil {
				return err
			}
			// A batch may be as large as the store.
			if since += int64(len(e.Body)); since > f.opts.MaxBytes/8 {
				since = 0
				if err := f.evict(); err != nil {
					return err
				}
			}
		}
		return f.evict()
	})
	if err != nil {
		f.putBack(counts)
	}
	return f.explain(err)
}

// Clear drops the entries about a subject, or all, and with them the counts of hits and misses.
func (f *File) Clear(ctx context.Context, subject string) (int64, error) {
	if subject != "" {
		return f.drop(ctx, `DELETE FROM answer WHERE subject = ?`, subject)
	}
	f.takeCounts()
	n, err := f.drop(ctx, `DELETE FROM answer`)
	if err == nil {
		_, err = f.drop(ctx, `UPDATE count SET hits = 0, misses = 0`)
	}
	return n, err
}

// Prune drops what has expired.
func (f *File) Prune(ctx context.Context) (int64, error) {
	return f.drop(ctx, deleteExpired, f.opts.Now().UnixMicro())
}

// drop runs a statement that deletes, and gives the room back to the disk.
func (f *File) drop(ctx context.Context, statement string, args ...any) (n int64, err error) {
	if err := f.present(); err != nil {
		return 0, err
	}
	err = f.writer.write(ctx, func() error {
		if n, err = f.writer.exec(statement, args...); err != nil {
			return err
		}
		return f.writer.db.Exec("PRAGMA incremental_vacuum")
	})
	if err != nil {
		return 0, f.explain(err)
	}
	if err := f.writer.lock(ctx); err == nil {
		if f.writer.db != nil { // where others read it is left to the next checkpoint
			f.writer.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
		}
		f.writer.unlock()
	}
	return n, nil
}

// Stats says what the file holds, with the counts of all processes.
func (f *File) Stats(ctx context.Context) (Stats, error) {
	if err := f.present(); err != nil {
		return Stats{}, err
	}
	s := Stats{Location: f.path}
	err := f.reader.read(ctx, func() error {
		row, err := f.reader.numbers(`SELECT count(*), coalesce(sum(expires <= ?), 0), min(checked_at), max(checked_at)
			FROM answer INDEXED BY answer_age`, f.opts.Now().UnixMicro())
		if err != nil {
			return err
		}
		if s.Entries, s.Expired = row[0], row[1]; s.Entries > 0 {
			s.Oldest, s.Newest = timeOf(row[2]), timeOf(row[3])
		}
		row, err = f.reader.numbers(`SELECT hits, misses FROM count`)
		if err != nil {
			return err
		}
		s.Hits, s.Misses = row[0]+f.hits.Load(), row[1]+f.misses.Load()
		return nil
	})
	for _, name := range []string{f.path, f.path + "-wal"} {
		if info, err := os.Stat(name); err == nil {
			s.Bytes += info.Size()
		}
	}
	return s, f.explain(err)
}

// Close writes the counts and closes the file.
func (f *File) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	f.flush(ctx)
	// A call that is under way ends by itself, and the file may not be closed under it.
	if err := f.lock(context.Background()); err != nil {
		return err
	}
	defer f.unlock()
	return f.explain(f.letGo())
}

// present fails where the path no longer leads to the file that is open: what is written into it would be lost.
func (f *File) present() error {
	was := f.identity.Load()
	if was == nil {
		return errClosed
	}
	if info, err := os.Stat(f.path); err != nil || !os.SameFile(info, *was) {
		if aside, err := os.Stat(sqlitefile.DamagedPath(f.path)); err == nil && os.SameFile(aside, *was) {
			return f.explain(errSetAside)
		}
		return f.explain(errGone)
	}
	return nil
}

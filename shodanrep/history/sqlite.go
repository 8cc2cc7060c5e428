package history

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

const (
	// busyTimeout is how long a write waits for another process that writes.
	busyTimeout = 10 * time.Second
	// retryFileAfter is how long after a damaged file was replaced another one is not.
	retryFileAfter = 30 * time.Second
)

const (
	applicationID = 0x53524869 // "SRHi"
	schemaVersion = 1
)

// schema makes the tables, which docs/history.md explains.
const schema = `
CREATE TABLE history (
	id INTEGER PRIMARY KEY,
	ip TEXT NOT NULL,
	ip_order BLOB NOT NULL,         -- the version (4 or 6) and the bytes of the address: sorts as the addresses do
	source TEXT NOT NULL,
	first_checked INTEGER NOT NULL, -- microseconds since 1970, as are the other times
	last_checked INTEGER NOT NULL,
	checks INTEGER NOT NULL,
	indexed INTEGER NOT NULL,       -- 0: the service had nothing about the address
	last_update INTEGER,
	ports TEXT,                     -- JSON lists; NULL where the service does not say
	vulns TEXT,
	tags TEXT,
	hostnames TEXT,
	organization TEXT,
	asn TEXT,
	country_code TEXT,
	certificates TEXT,
	summary BLOB NOT NULL,          -- hashes, by which states are compared
	services BLOB,
	facts BLOB                      -- JSON, compressed with zstd; NULL where the service had nothing
) STRICT;
CREATE INDEX history_state ON history (ip_order, source, first_checked, id);
CREATE INDEX history_age ON history (last_checked, first_checked, ip_order, source);
CREATE TABLE retention (ran INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
`

// sqliteBackend stores states in a SQLite file, which the processes of a machine share.
type sqliteBackend struct {
	path string
	opts Options

	mu       sync.Mutex
	db       *sqlitefile.File // nil until it is opened
	replaced time.Time        // when a damaged file was last replaced
	closed   bool

	pruning pruning
}

func newSQLite(path string, opts Options) *sqliteBackend {
	return &sqliteBackend{path: path, opts: opts, pruning: pruning{atOnce: prunedAtOnce, longest: pruneFor}}
}

func (b *sqliteBackend) open(ctx context.Context) error {
	_, err := b.file(ctx)
	return b.wrapError(err)
}

// file returns the open file. Where a call failed because it is damaged or replaced, that is opened again.
func (b *sqliteBackend) file(ctx context.Context) (*sqlitefile.File, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, sqlitefile.ErrClosed
	case b.db == nil:
		db, err := sqlitefile.Open(ctx, b.path, sqlitefile.Options{
			Name: "the history file", ApplicationID: applicationID, Version: schemaVersion, Schema: schema,
			// With synchronous = NORMAL a crash of the machine may lose the newest observations, and nothing else.
			Pragmas:     "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 8388608",
			BusyTimeout: waitlimit.Of(busyTimeout), Logger: b.opts.Logger,
		})
		if err != nil {
			return nil, err
		}
		b.db = db
	case b.db.Stale() || b.db.Check() != nil:
		if b.db.Stale() {
			if time.Since(b.replaced) < retryFileAfter {
				return b.db, nil // the new one fails again
			}
			b.replaced = time.Now()
		}
		_ = b.db.Close() // it failed
		db, err := b.db.Reopen(ctx)
		if err != nil {
			return nil, err
		}
		b.db = db
	}
	return b.db, nil
}

// do calls op with the open file, and once more where it turns out to be damaged.
func (b *sqliteBackend) do(ctx context.Context, op func(*sqlitefile.File) error) error {
	db, err := b.file(ctx)
	if err == nil {
		err = op(db)
	}
	if db != nil && db.Stale() {
		again, openErr := b.file(ctx)
		switch {
		case openErr != nil:
			err = openErr
		case again != db:
			err = op(again)
		}
	}
	return b.wrapError(err)
}

func (b *sqliteBackend) write(ctx context.Context, sightings []*sighting, failures []Failure) error {
	due := false
	err := b.do(ctx, func(db *sqlitefile.File) error {
		return db.Write(ctx, func(c *sqlitefile.Conn) (err error) {
			if err := add(sqliteTransaction{c}, sightings, b.opts.Now()); err != nil {
				return err
			}
			if err := (sqliteTransaction{c}).saveFailures(failures); err != nil {
				return err
			}
			due, err = b.isPruneDue(c)
			return err
		})
	})
	if err == nil && due {
		b.prune(ctx)
	}
	return err
}

// readOnce reads in one transaction: the writes of other processes do not wait for it, and do not change what it sees.
// Read calls begin before the caller sees anything of it: it is then not repeated after an error.
func (b *sqliteBackend) readOnce(ctx context.Context, read func(c *sqlitefile.Conn, begin func()) error) error {
	begun := false
	var failure error
	return b.do(ctx, func(db *sqlitefile.File) error {
		if begun {
			return failure
		}
		failure = db.ReadLong(ctx, func(c *sqlitefile.Conn) error { return read(c, func() { begun = true }) })
		return failure
	})
}

func (b *sqliteBackend) states(ctx context.Context, f Filter, yield func(State) bool) error {
	return b.readOnce(ctx, func(c *sqlitefile.Conn, begin func()) error {
		stopped := false
		for _, q := range sqliteQueries(f, b.opts.Now()) {
			if stopped {
				return nil
			}
			err := c.Rows(q.text, q.args, func(row *sqlite3.Stmt) (bool, error) {
				state, wanted, err := readState(row, f, b.opts.Now())
				if err != nil || !wanted {
					return err == nil, err
				}
				begin()
				stopped = !yield(state)
				return !stopped, nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *sqliteBackend) stats(ctx context.Context) (Stats, error) {
	s := Stats{Location: b.path}
	err := b.do(ctx, func(db *sqlitefile.File) error {
		return db.Read(ctx, func(c *sqlitefile.Conn) error {
			return c.Rows(`SELECT count(*), count(DISTINCT ip_order), min(first_checked), max(last_checked) FROM history
				INDEXED BY history_age`, nil, func(row *sqlite3.Stmt) (bool, error) {
				if s.States, s.Addresses = row.ColumnInt64(0), row.ColumnInt64(1); s.States > 0 {
					s.Oldest, s.Newest = time.UnixMicro(row.ColumnInt64(2)).UTC(), time.UnixMicro(row.ColumnInt64(3)).UTC()
				}
				return false, nil
			})
		})
	})
	for _, name := range []string{b.path, b.path + "-wal"} {
		if info, err := os.Stat(name); err == nil {
			s.Bytes += info.Size()
		}
	}
	return s, err
}

func (b *sqliteBackend) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.db == nil {
		return nil
	}
	err := b.db.Close()
	if errors.Is(err, sqlitefile.ErrClosed) {
		return nil
	}
	return b.wrapError(err)
}

// wrapError adds to an error which file it is about and what to do.
func (b *sqliteBackend) wrapError(err error) error {
	return sqlitefile.Purpose{Name: "history file", Setting: "history_store", Without: `"off"`}.Wrap(b.path, err)
}

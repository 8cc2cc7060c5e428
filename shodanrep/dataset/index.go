package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/go-hclog"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// schemaVersion is raised when the schema or the form of a row changes, also with each new pivot, with each new form of data
// file and with what is noted of records that cannot be read: a file is read again only into an index of another version.
const schemaVersion = 10

// maxLog is how large the write-ahead log may be where further rows follow, in bytes.
const maxLog = 64 << 20

// indexName contains the version of the schema, so that older and newer versions do not use the same file.
var indexName = fmt.Sprintf("dataset-v%d.sqlite", schemaVersion)

// schema makes the tables. A host has a row for each batch of each file that has banners of it. The rows of a file are
// those whose id has the file's in front, see blockID.
const schema = `
create table file (
	id integer primary key autoincrement,
	path text not null unique,
	size integer not null,
	mtime integer not null,
	ctime integer not null,
	used integer not null,         -- Unix seconds
	first_host integer not null,   -- the rows of a file are consecutive
	last_host integer not null,
	banners integer not null,
	newest integer not null,       -- Unix microseconds
	stored integer not null,       -- 0 where the rows were deleted, see withinWindow
	bad_lines integer not null,
	bad_line integer not null,     -- the number of the first one
	bad_reason text not null
);
create table hosts (files text primary key, hosts integer not null) without rowid; -- files: the ids, as a JSON list
create table host (
	id integer primary key,
	file integer not null,
	addr blob not null,
	items blob not null            -- see decodeItems
);
create index host_addr on host (addr, file, id);
create table block (id integer primary key, text blob not null); -- see blockID
create table pivot (
	file integer not null,
	run integer not null,
	first integer not null,        -- the hash of the first entry
	page integer not null,
	entries blob not null,         -- see addrsOf
	primary key (file, run, first, page)
) without rowid;
create table unreadable (
	addr blob not null,
	file integer not null,
	line integer not null,         -- of the first record of the address that cannot be read
	reason text not null,
	primary key (addr, file)
) without rowid;
`

// index is the SQLite file that has the banners.
type index struct {
	*sqlitefile.File
	path     string
	decoders *lru.Cache[int64, *zstd.Decoder] // by file
}

// conn is a connection to the index, during a transaction.
type conn struct{ *sqlitefile.Conn }

// openIndex opens the index at a path, and makes it where it is missing.
func openIndex(ctx context.Context, path string, logger hclog.Logger) (*index, error) {
	_ = os.Chmod(path, 0o600) // an older version has made it readable to all; another user's is left as it is
	x := &index{path: path}
	return x.opened(sqlitefile.Open(ctx, path, sqlitefile.Options{
		Name: "the index of the data files", Version: schemaVersion, Schema: schema, Logger: logger,
		// A page holds half a block: of smaller ones SQLite writes many for each block. It counts in a new file only.
		// The log of a file's rows is copied while queries run, see vacuumLater.
		Pragmas: fmt.Sprintf("pragma page_size = 16384; pragma synchronous = normal; pragma cache_size = -16384; "+
			"pragma journal_size_limit = %d; pragma wal_autocheckpoint = 0", maxLog),
		BusyTimeout: 0, // another process may read data files for many minutes: the query's context ends the wait
	}))
}

// reopen opens the index again where it is damaged or was removed.
func (x *index) reopen(ctx context.Context) (*index, error) { return x.opened(x.Reopen(ctx)) }

func (x *index) opened(file *sqlitefile.File, err error) (*index, error) {
	if err != nil {
		return nil, fmt.Errorf("the index of the data files, %s: %w", x.path, err)
	}
	decoders, err := lru.New[int64, *zstd.Decoder](cachedDecoders)
	return &index{file, x.path, decoders}, err
}

// read calls f in a transaction that sees one state of the index. It waits while too many other calls read.
func (x *index) read(ctx context.Context, f func(conn) error) error {
	return x.wrapError(x.Read(ctx, func(c *sqlitefile.Conn) error { return f(conn{c}) }))
}

// readLong is read for a call that may take long.
func (x *index) readLong(ctx context.Context, f func(conn) error) error {
	return x.wrapError(x.ReadLong(ctx, func(c *sqlitefile.Conn) error { return f(conn{c}) }))
}

// write calls f in a transaction, while no other call and no other process writes.
func (x *index) write(ctx context.Context, f func(conn) error) error {
	return x.wrapError(x.Write(ctx, func(c *sqlitefile.Conn) error { return f(conn{c}) }))
}

// wrapError adds to an error of SQLite which index it is about.
func (x *index) wrapError(err error) error {
	var sqliteError *sqlite3.Error
	var code sqlite3.ErrorCode
	var extended sqlite3.ExtendedErrorCode
	switch {
	case sqlitefile.IsDamaged(err), isReplaced(err):
		return fmt.Errorf("the index of the data files, %s: %w: it is made again, so run the query again", x.path, err)
	case sqlitefile.MayBeFull(err):
		return fmt.Errorf("the index of the data files, %s: %w: make room on its disk if that is full", x.path, err)
	case errors.As(err, &sqliteError), errors.As(err, &code), errors.As(err, &extended):
		return fmt.Errorf("the index of the data files, %s: %w; delete it, and it is made again", x.path, err)
	}
	return err
}

// isReplaced reports whether another file is in place of the index, or none.
func isReplaced(err error) bool {
	return errors.Is(err, sqlitefile.ErrReplaced) || errors.Is(err, sqlitefile.ErrSetAside)
}

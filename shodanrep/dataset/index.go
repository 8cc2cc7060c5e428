package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// schemaVersion is raised when the schema changes, also with each new pivot and with each new form of data file: a
// file that could not be read is read again only into an index of another version.
const schemaVersion = 4

// indexName contains the version of the schema, so that older and newer versions do not use the same file.
var indexName = fmt.Sprintf("dataset-v%d.sqlite", schemaVersion)

// schema returns the statements that make the tables. A banner has the columns by which it is found; the rest is in raw.
// The last column of banner_endpoint makes it a covering index for the query of a service's newest banner.
//
// Text is compared without case, as Shodan's search does.
func schema() string {
	var columns, indexes strings.Builder
	for _, pivot := range shodan.Pivots() {
		fmt.Fprintf(&columns, "\t%s text collate nocase,\n", pivot)
		fmt.Fprintf(&indexes, "create index banner_%[1]s on banner (%[1]s, addr, port, transport) where %[1]s is not null;\n", pivot)
	}
	return fmt.Sprintf(`
create table file (
	id integer primary key autoincrement,
	path text not null unique,
	size integer not null,
	mtime integer not null,
	used integer not null,         -- Unix seconds
	first_banner integer not null, -- the rows of a file are consecutive
	last_banner integer not null,
	banners integer not null,
	bad_lines integer not null,
	bad_line integer not null,     -- the number of the first one
	bad_reason text not null
);
create table hosts (files text primary key, hosts integer not null) without rowid; -- files: the ids, as a JSON list
create table banner (
	id integer primary key,
	file integer not null,
	addr blob not null,
	port integer not null,
	transport text not null,
	name text not null,            -- the host name that was asked for, in lower case, or empty
	seen integer not null,         -- Unix microseconds
%s	raw blob not null
);
create index banner_endpoint on banner (addr, port, transport, name, seen desc, file, id);
%s`, columns.String(), indexes.String())
}

// index is the SQLite file that has the banners.
type index struct {
	*sqlitefile.File
	path string
}

// conn is a connection to the index, during a transaction.
type conn struct{ *sqlitefile.Conn }

// openIndex opens the index at a path, and makes it where it is missing.
func openIndex(ctx context.Context, path string, logger hclog.Logger) (*index, error) {
	_ = os.Chmod(path, 0o600) // an older version has made it readable to all; another user's is left as it is
	x := &index{path: path}
	return x.opened(sqlitefile.Open(ctx, path, sqlitefile.Options{
		Name: "the index of the data files", Version: schemaVersion, Schema: schema(), Logger: logger,
		Pragmas:     "pragma synchronous = normal; pragma cache_size = -16384; pragma journal_size_limit = 67108864",
		BusyTimeout: 0, // another process may read data files for many minutes: the query's context ends the wait
	}))
}

// reopen opens the index again where it is damaged or was removed.
func (x *index) reopen(ctx context.Context) (*index, error) { return x.opened(x.Reopen(ctx)) }

func (x *index) opened(file *sqlitefile.File, err error) (*index, error) {
	if err != nil {
		return nil, fmt.Errorf("the index of the data files, %s: %w", x.path, err)
	}
	return &index{file, x.path}, nil
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
	case errors.As(err, &sqliteError), errors.As(err, &code), errors.As(err, &extended):
		return fmt.Errorf("the index of the data files, %s: %w; delete it, and it is made again", x.path, err)
	}
	return err
}

// isReplaced reports whether another file is in place of the index, or none.
func isReplaced(err error) bool {
	return errors.Is(err, sqlitefile.ErrReplaced) || errors.Is(err, sqlitefile.ErrSetAside)
}

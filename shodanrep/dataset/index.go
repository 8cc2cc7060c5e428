package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// schemaVersion is raised where the schema changes, and so with every pivot.
const schemaVersion = 3

// indexName has the version of the schema in it, so that an older and a newer build keep out of each other's way.
var indexName = fmt.Sprintf("dataset-v%d.sqlite", schemaVersion)

// schema makes the index. A banner's columns are those that it is found by; the rest is in raw. The last column of
// banner_endpoint makes it a covering index for what finds the newest banner of a service.
//
// Text compares without regard to case, as Shodan's own search does.
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
%spragma user_version = %d;
`, columns.String(), indexes.String(), schemaVersion)
}

// index is the SQLite file and the connections to it.
type index struct {
	path     string
	identity os.FileInfo // of the file that every connection has to be to

	damaged atomic.Bool // the file is damaged, or another is in its place: see Dataset.Refresh

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

// errReplaced says that another process has set the index aside as damaged, or that it was removed.
var errReplaced = errors.New("another file is in its place")

// maxIdle is how many connections are kept: each has its memory, and few queries run at once.
const maxIdle = 4

// conn is a connection and its prepared statements. It has one user at a time.
type conn struct {
	*sqlite3.Conn
	path     string // of the index
	prepared map[string]*sqlite3.Stmt
}

// close closes the connections. Those that are in use close when they are put back.
func (x *index) close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	var err error
	for _, c := range x.idle {
		err = errors.Join(err, c.close())
	}
	x.idle = nil
	return err
}

// use lends a connection. What it runs is stopped when the context ends.
func (x *index) use(ctx context.Context, f func(*conn) error) error {
	c, err := x.take(ctx)
	if err != nil {
		if sqlitefile.IsDamaged(err) {
			x.damaged.Store(true)
		}
		return x.explain(ctx, err)
	}
	c.SetInterrupt(ctx)
	err = c.guard(f)
	c.SetInterrupt(context.Background())
	if sqlitefile.IsDamaged(err) {
		x.damaged.Store(true)
	}
	if errors.Is(err, sqlitefile.ErrOutOfMemory) {
		_ = c.close() // a transaction may be open, which ends with the connection
		return x.explain(ctx, err)
	}
	x.put(c)
	return x.explain(ctx, err)
}

// guard runs f, and returns an error where SQLite gets no memory.
func (c *conn) guard(f func(*conn) error) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	return f(c)
}

func (x *index) put(c *conn) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.idle) < maxIdle && !x.closed {
		x.idle = append(x.idle, c)
		return
	}
	_ = c.close() // it was only read from, or committed: nothing is lost
}

// explain names the index in an error of SQLite, and gives the context's own error where that is the reason.
func (x *index) explain(ctx context.Context, err error) error {
	var sqliteError *sqlite3.Error
	var code sqlite3.ErrorCode
	var extended sqlite3.ExtendedErrorCode
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case sqlitefile.IsDamaged(err), errors.Is(err, errReplaced):
		return fmt.Errorf("the index of the data files, %s: %w: it is made anew, so run the query again", x.path, err)
	case errors.As(err, &sqliteError), errors.As(err, &code), errors.As(err, &extended):
		return fmt.Errorf("the index of the data files, %s: %w; it is made anew where it is removed", x.path, err)
	}
	return err
}

// patient waits for whoever writes. Another process may read files for many minutes: how long to wait is for the
// query's context to say.
func patient(ctx context.Context, tries int) bool {
	return wait(ctx, time.Duration(min(tries+1, 50))*time.Millisecond)
}

// wait waits, and reports whether the context still goes on.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *conn) close() (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	for _, stmt := range c.prepared {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, sqlitefile.Close(c.Conn, c.path))
}

// stmt returns the prepared statement for a query, compiled at its first use.
func (c *conn) stmt(query string) (*sqlite3.Stmt, error) {
	if stmt := c.prepared[query]; stmt != nil {
		return stmt, nil
	}
	stmt, _, err := c.PrepareFlags(query, sqlite3.PREPARE_PERSISTENT)
	if err == nil {
		c.prepared[query] = stmt
	}
	return stmt, err
}

// rows runs a query and calls f on each row, until f returns false.
func (c *conn) rows(query string, bind func(*sqlite3.Stmt) error, f func(*sqlite3.Stmt) (bool, error)) error {
	stmt, err := c.stmt(query)
	if err != nil {
		return err
	}
	if bind != nil {
		if err := bind(stmt); err != nil {
			return err
		}
	}
	more := true
	for more && err == nil && stmt.Step() {
		more, err = f(stmt)
	}
	if err == nil {
		err = stmt.Err() // Reset forgets it
	}
	if reset := stmt.Reset(); err == nil {
		err = reset
	}
	return err
}

// run runs a statement that returns no rows.
func (c *conn) run(query string, values ...any) error {
	return c.rows(query, args(values...), func(*sqlite3.Stmt) (bool, error) { return true, nil })
}

// number returns the first column of a query's only row, and 0 where there is none.
func (c *conn) number(query string, values ...any) (n int64, err error) {
	err = c.rows(query, args(values...), func(row *sqlite3.Stmt) (bool, error) {
		n = row.ColumnInt64(0)
		return false, nil
	})
	return n, err
}

// args binds values of the kinds that the index has.
func args(values ...any) func(*sqlite3.Stmt) error {
	return func(stmt *sqlite3.Stmt) error {
		for i, value := range values {
			var err error
			switch v := value.(type) {
			case nil:
				err = stmt.BindNull(i + 1)
			case int64:
				err = stmt.BindInt64(i+1, v)
			case string:
				err = stmt.BindText(i+1, v)
			case []byte:
				err = stmt.BindBlob(i+1, v)
			default:
				err = fmt.Errorf("a %T cannot be bound", value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// tidy gives room back to the file system, which a whole file's rows have taken up in the write-ahead log and left in
// the index. Where someone reads or writes just now it can wait for the next time.
func (c *conn) tidy() error {
	if err := c.BusyHandler(nil); err != nil {
		return err
	}
	err := c.Exec("pragma incremental_vacuum")
	if err == nil {
		_, _, err = c.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
	}
	if errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED) {
		err = nil
	}
	return errors.Join(err, c.BusyHandler(patient))
}

// write runs f in a transaction that no other process writes beside, waiting for its turn.
func (c *conn) write(f func() error) (err error) {
	tx, err := c.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	return f()
}

// read runs f on one state of the index.
func (c *conn) read(f func() error) (err error) {
	tx := c.Begin()
	defer tx.End(&err)
	return f()
}

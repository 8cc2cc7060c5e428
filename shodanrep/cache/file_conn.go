package cache

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// busyTimeout is how long a call waits for another process that writes.
const busyTimeout = 5 * time.Second

// conn is a connection to the file, for one call at a time.
type conn struct {
	turn   chan struct{} // holds one token, which is the right to use db
	db     *sqlite3.Conn // nil while the file is not open
	path   string        // of the open file
	damage error         // by which SQLite said that the file is damaged; the open file, or the last one
	stmts  map[string]*sqlite3.Stmt
}

func newConn() *conn {
	c := &conn{turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	return c
}

// lock waits for the connection, or for the end of ctx.
func (c *conn) lock(ctx context.Context) error { return wait(ctx, c.turn) }

func (c *conn) unlock() { c.turn <- struct{}{} }

// open connects to the file at an absolute path.
func (c *conn) open(ctx context.Context, path string) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	// The write-ahead log has the answers too: modeof lets only those read it who may read the file.
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	uri := "file:///" + escape(strings.TrimPrefix(filepath.ToSlash(path), "/")) + "?modeof=" + escape(path)
	db, err := sqlite3.OpenFlags(uri, sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI)
	if err != nil {
		return err
	}
	c.path, c.damage = path, nil
	c.db, c.stmts = db, map[string]*sqlite3.Stmt{}
	return db.BusyTimeout(busyTimeout)
}

// close lets go of the file. The caller holds the connection.
func (c *conn) close() (err error) {
	if c.db == nil {
		return nil
	}
	db, stmts := c.db, c.stmts
	c.db, c.stmts = nil, nil
	defer sqlitefile.CatchOutOfMemory(&err)
	for _, s := range stmts {
		s.Close()
	}
	return sqlitefile.Close(db, c.path)
}

// transact runs fn in a transaction that begin starts, and gives up, without a trace, when ctx ends. The caller holds
// the connection.
func (c *conn) transact(ctx context.Context, begin string, fn func() error) error {
	if c.db == nil {
		return errClosed
	}
	c.db.SetInterrupt(ctx)
	err := c.run(begin, fn)
	c.db.SetInterrupt(context.Background())
	if err == nil {
		return nil
	}
	if sqlitefile.IsDamaged(err) {
		c.damage = err
	}
	for _, s := range c.stmts {
		resetStmt(s) // a statement in the middle of its rows would hold the transaction open
	}
	if !c.db.GetAutocommit() {
		c.db.Exec("ROLLBACK") // what failed is what the caller hears
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// run runs fn in a transaction, and leaves it open where fn fails.
func (c *conn) run(begin string, fn func() error) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	if err := c.db.Exec(begin); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	return c.db.Exec("COMMIT")
}

// resetStmt ends a statement. The error repeats that of its last step.
func resetStmt(s *sqlite3.Stmt) {
	var err error
	defer sqlitefile.CatchOutOfMemory(&err)
	_ = s.Reset()
}

// read runs fn in a transaction that sees one state of the file.
func (c *conn) read(ctx context.Context, fn func() error) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	return c.transact(ctx, "BEGIN", fn)
}

// write runs fn in a transaction that no other writes beside.
func (c *conn) write(ctx context.Context, fn func() error) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	return c.transact(ctx, "BEGIN IMMEDIATE", fn)
}

// stmt returns the prepared statement of a text, ready for its arguments. Statements are kept: a batch runs one of them
// ten thousand times.
func (c *conn) stmt(sql string, args ...any) (*sqlite3.Stmt, error) {
	s := c.stmts[sql]
	if s == nil {
		var err error
		if s, _, err = c.db.Prepare(sql); err != nil {
			return nil, err
		}
		c.stmts[sql] = s
	}
	resetStmt(s)
	for i, arg := range args {
		var err error
		switch v := arg.(type) {
		case string:
			err = s.BindText(i+1, v)
		case int64:
			err = s.BindInt64(i+1, v)
		case []byte:
			err = s.BindBlob(i+1, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// exec runs a statement that returns no rows, and returns how many rows it changed.
func (c *conn) exec(sql string, args ...any) (int64, error) {
	s, err := c.stmt(sql, args...)
	if err != nil {
		return 0, err
	}
	if err := s.Exec(); err != nil {
		return 0, err
	}
	return c.db.Changes(), nil
}

// numbers runs a statement that returns one row of whole numbers.
func (c *conn) numbers(sql string, args ...any) ([]int64, error) {
	s, err := c.stmt(sql, args...)
	if err != nil {
		return nil, err
	}
	row := make([]int64, s.ColumnCount())
	if s.Step() {
		for i := range row {
			row[i] = s.ColumnInt64(i)
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return row, s.Reset()
}

// number runs a statement that returns one whole number.
func (c *conn) number(sql string, args ...any) (int64, error) {
	row, err := c.numbers(sql, args...)
	if err != nil {
		return 0, err
	}
	return row[0], nil
}

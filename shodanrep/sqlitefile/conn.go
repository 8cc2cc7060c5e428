package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// A Conn is a connection to a file, with its prepared statements. One call uses it at a time.
type Conn struct {
	*sqlite3.Conn
	path       string // of the file
	statements map[string]*sqlite3.Stmt
}

// connect connects to the file at an absolute path, while no process sets it aside. It reads from the file: SQLite then
// has the write-ahead log open too. Otherwise the log of a damaged file could become that of the new one.
func connect(path string, options Options) (_ *Conn, err error) {
	defer CatchOutOfMemory(&err)
	// The write-ahead log has the same content: modeof gives it the permissions of the file.
	db, err := sqlite3.OpenFlags(fileURI(path, "modeof="+escapeURI(path)), sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: db, path: path, statements: map[string]*sqlite3.Stmt{}}
	if err := c.setUp(options); err != nil {
		return nil, errors.Join(err, c.closeLocked())
	}
	return c, nil
}

// setUp sets up a new connection, and reads once.
func (c *Conn) setUp(options Options) error {
	if readOnly, _ := c.ReadOnly("main"); readOnly {
		return fs.ErrPermission
	}
	if err := c.setBusyTimeout(options.BusyTimeout); err != nil {
		return err
	}
	if err := c.Exec(options.Pragmas); err != nil {
		return err
	}
	return c.Run("SELECT count(*) FROM sqlite_schema")
}

// setBusyTimeout says how long to wait for another process that writes, 0 for as long as the call's context.
func (c *Conn) setBusyTimeout(timeout time.Duration) error {
	if timeout == 0 {
		return c.BusyHandler(busyHandler)
	}
	return c.BusyTimeout(timeout)
}

// busyHandler waits before the next attempt, and reports whether there is to be one.
func busyHandler(ctx context.Context, attempts int) bool {
	select {
	case <-time.After(time.Duration(min(attempts+1, 50)) * time.Millisecond):
		return true
	case <-ctx.Done():
		return false
	}
}

// prepare checks that the file is ours, and makes the tables of a new one. It changes nothing in a foreign file.
func (c *Conn) prepare(ctx context.Context, options Options) (err error) {
	defer CatchOutOfMemory(&err)
	// In a transaction: another process may be making the tables.
	var isNew bool
	check := func(c *Conn) (err error) {
		isNew, err = c.isNew(options)
		return err
	}
	if err := c.transact(ctx, "BEGIN", check); err != nil {
		return err
	}
	if isNew { // it has an effect only before there is a table
		if err := c.Exec("PRAGMA auto_vacuum = INCREMENTAL"); err != nil {
			return err
		}
	}
	if err := c.setWAL(ctx, options.BusyTimeout); err != nil || !isNew {
		return err
	}
	return c.transact(ctx, "BEGIN IMMEDIATE", func(c *Conn) error {
		if err := check(c); err != nil || !isNew { // another process was faster
			return err
		}
		return c.Exec(fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d",
			options.Schema, options.ApplicationID, options.Version))
	})
}

// isNew reports whether the file is empty, and fails where this version cannot use it.
func (c *Conn) isNew(options Options) (bool, error) {
	var header [3]int64 // application, version, number of tables
	for i, query := range []string{
		"PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema",
	} {
		var err error
		if header[i], err = c.Number(query); err != nil {
			return false, err
		}
	}
	switch application, version := header[0], header[1]; {
	case header == [3]int64{}:
		return true, nil
	case application != options.ApplicationID || version == 0:
		return false, ErrForeign
	case version > options.Version:
		return false, ErrNewer
	}
	return false, nil
}

// setWAL turns the write-ahead log on, so that calls that read and the one that writes do not wait for each other.
// SQLite does not itself wait where two processes do so at once, and opens the log when it reads next.
func (c *Conn) setWAL(ctx context.Context, timeout time.Duration) error {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	for {
		err := c.Exec("PRAGMA journal_mode = WAL; SELECT count(*) FROM sqlite_schema")
		if !errors.Is(err, sqlite3.BUSY) || !busyHandler(ctx, 4) {
			return err
		}
	}
}

// transact calls fn in a transaction that the statement begin starts. It rolls back where fn fails or ctx ends.
func (c *Conn) transact(ctx context.Context, begin string, fn func(*Conn) error) error {
	c.SetInterrupt(ctx)
	err := c.commit(begin, fn)
	c.SetInterrupt(context.Background())
	if err == nil {
		return nil
	}
	for _, s := range c.statements {
		reset(s) // a statement that still has rows would hold the transaction open
	}
	if !c.GetAutocommit() {
		c.rollback()
	}
	return contextError(ctx, err)
}

// rollback ends a transaction that failed. The caller has the error that was before.
func (c *Conn) rollback() {
	var err error
	defer CatchOutOfMemory(&err)
	_ = c.Exec("ROLLBACK")
}

// contextError returns the error of a context that has ended in place of the one that SQLite makes of that.
func contextError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// commit calls fn in a transaction, which it leaves open where fn fails.
func (c *Conn) commit(begin string, fn func(*Conn) error) (err error) {
	defer CatchOutOfMemory(&err)
	if err := c.Exec(begin); err != nil {
		return err
	}
	if err := fn(c); err != nil {
		return err
	}
	return c.Exec("COMMIT")
}

// reset ends a statement. The error repeats that of its last step.
func reset(s *sqlite3.Stmt) {
	var err error
	defer CatchOutOfMemory(&err)
	_ = s.Reset()
}

// Rows runs a query and calls fn for each row, until fn returns false.
func (c *Conn) Rows(query string, args []any, fn func(row *sqlite3.Stmt) (more bool, err error)) error {
	s, err := c.statement(query)
	if err != nil {
		return err
	}
	if err := bind(s, args); err != nil {
		return err
	}
	more := true
	for more && err == nil && s.Step() {
		more, err = fn(s)
	}
	if err == nil {
		err = s.Err() // Reset forgets it
	}
	if resetErr := s.Reset(); err == nil {
		err = resetErr
	}
	return err
}

// Run runs a statement that returns no rows.
func (c *Conn) Run(statement string, args ...any) error {
	return c.Rows(statement, args, func(*sqlite3.Stmt) (bool, error) { return true, nil })
}

// Number returns the first column of a query's only row, 0 where there is none.
func (c *Conn) Number(query string, args ...any) (n int64, err error) {
	err = c.Rows(query, args, func(row *sqlite3.Stmt) (bool, error) {
		n = row.ColumnInt64(0)
		return false, nil
	})
	return n, err
}

// statement returns the prepared statement of a text. A batch runs the same one thousands of times.
func (c *Conn) statement(text string) (*sqlite3.Stmt, error) {
	if s := c.statements[text]; s != nil {
		return s, nil
	}
	s, _, err := c.PrepareFlags(text, sqlite3.PREPARE_PERSISTENT)
	if err == nil {
		c.statements[text] = s
	}
	return s, err
}

// bind binds the arguments of a statement.
func bind(s *sqlite3.Stmt, args []any) error {
	for i, arg := range args {
		var err error
		switch v := arg.(type) {
		case nil:
			err = s.BindNull(i + 1)
		case int64:
			err = s.BindInt64(i+1, v)
		case string:
			err = s.BindText(i+1, v)
		case []byte:
			err = s.BindBlob(i+1, v)
		default:
			err = fmt.Errorf("cannot bind a %T", arg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkpoint copies the write-ahead log into the file, as far as no transaction needs the file as it was.
func (c *Conn) checkpoint(ctx context.Context) (err error) {
	defer CatchOutOfMemory(&err)
	c.SetInterrupt(ctx)
	_, _, err = c.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	c.SetInterrupt(context.Background())
	if isBusy(err) { // another connection is copying it
		return nil
	}
	return contextError(ctx, err)
}

// isBusy reports whether a call failed because another connection uses the file.
func isBusy(err error) bool { return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED) }

// vacuum gives free pages and the write-ahead log back to the file system. It reports whether it has given back all, and
// no other connection uses a part.
func (c *Conn) vacuum(ctx context.Context, timeout time.Duration) (complete bool, err error) {
	defer CatchOutOfMemory(&err)
	if err := c.BusyHandler(nil); err != nil {
		return false, err
	}
	c.SetInterrupt(ctx)
	err = c.Exec("PRAGMA incremental_vacuum")
	if err == nil {
		_, _, err = c.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
	}
	c.SetInterrupt(context.Background())
	complete = err == nil
	if isBusy(err) {
		err = nil
	}
	return complete, errors.Join(contextError(ctx, err), c.setBusyTimeout(timeout))
}

// close closes the connection, while no process sets the file aside.
//
// The last connection to a file removes its write-ahead log, by name. SQLite looks first whether the file is still at its
// path. Between the two another process could set it aside and begin a new one, whose log would then be lost.
func (c *Conn) close() (err error) {
	closed := false
	closeConn := func() error {
		closed = true
		err = c.closeLocked()
		return nil
	}
	// Without the lock it is closed all the same: the folder may be read-only by now.
	_ = locked(context.Background(), c.path, os.O_RDONLY, closeConn)
	if !closed {
		_ = closeConn()
	}
	return err
}

// closeLocked closes the connection of a caller that holds the lock.
func (c *Conn) closeLocked() (err error) {
	defer CatchOutOfMemory(&err)
	for _, s := range c.statements {
		_ = s.Close() // the error repeats that of its last step
	}
	return c.Close()
}

package dataset

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// openIndex opens the index, and makes it where it is missing. A damaged one is set aside, with a warning.
func openIndex(ctx context.Context, path string, logger hclog.Logger) (*index, error) {
	x := &index{path: path}
	err := x.prepare(ctx)
	if err != nil && x.damaged.Load() {
		if err = errors.Join(x.close(), x.setAside(ctx, logger)); err == nil {
			x = &index{path: path}
			err = x.prepare(ctx)
		}
	}
	if err != nil {
		return nil, errors.Join(err, x.close())
	}
	return x, nil
}

// makeFile makes an empty file where there is none, and notes which file it is.
func (x *index) makeFile() error {
	// SQLite would make the file readable to all, and its other files as it is.
	file, err := os.OpenFile(x.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_ = file.Chmod(0o600) // an older version has made it readable; another user's is left as it is
	x.identity, err = file.Stat()
	return errors.Join(err, file.Close())
}

// prepare makes the tables of a new index.
func (x *index) prepare(ctx context.Context) error {
	if err := sqlitefile.Opening(ctx, x.path, x.makeFile); err != nil {
		return err
	}
	return x.use(ctx, func(c *conn) error {
		version, err := c.number("pragma user_version")
		if err != nil || version == schemaVersion {
			return err
		}
		// Both have to come before the first table. SQLite does not wait where two processes switch to WAL at once.
		for {
			err := c.Exec("pragma auto_vacuum = incremental; pragma journal_mode = wal")
			if err == nil {
				break
			}
			if !errors.Is(err, sqlite3.BUSY) || !wait(ctx, 20*time.Millisecond) {
				return err
			}
		}
		return c.write(func() error {
			if version, err := c.number("pragma user_version"); err != nil || version == schemaVersion {
				return err
			}
			return c.Exec(schema())
		})
	})
}

// setAside makes way for a new index where this one is damaged. It warns, unless another process has done it.
func (x *index) setAside(ctx context.Context, logger hclog.Logger) error {
	moved, err := sqlitefile.SetAside(ctx, x.path, x.identity)
	if err != nil {
		return fmt.Errorf("the index of the data files, %s, is damaged and cannot be renamed to %s: %w",
			x.path, sqlitefile.DamagedPath(x.path), err)
	}
	if moved {
		logger.Warn("the index of the data files was damaged: it was set aside, and a new one begun",
			"file", x.path, "damaged", sqlitefile.DamagedPath(x.path))
	}
	return nil
}

func (x *index) take(ctx context.Context) (_ *conn, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x.mu.Lock()
	if n := len(x.idle); n > 0 {
		c := x.idle[n-1]
		x.idle = x.idle[:n-1]
		x.mu.Unlock()
		return c, nil
	}
	x.mu.Unlock()

	var c *conn
	err = sqlitefile.Opening(ctx, x.path, func() (err error) {
		c, err = x.connect()
		return err
	})
	return c, err
}

// connect makes a connection, while no process sets the file aside.
func (x *index) connect() (_ *conn, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	if info, err := os.Stat(x.path); err != nil || !os.SameFile(info, x.identity) {
		x.damaged.Store(true)
		return nil, errReplaced
	}
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	absolute, err := filepath.Abs(x.path)
	if err != nil {
		return nil, err
	}
	db, err := sqlite3.Open("file:///" + escape(strings.TrimPrefix(filepath.ToSlash(absolute), "/")) + "?modeof=" + escape(absolute))
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: db, path: x.path, prepared: map[string]*sqlite3.Stmt{}}
	if err = c.BusyHandler(patient); err == nil {
		err = c.Exec("pragma synchronous = normal; pragma cache_size = -16384; pragma journal_size_limit = 67108864")
	}
	if err == nil {
		_, err = c.number("select count(*) from sqlite_schema") // see sqlitefile.Opening
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

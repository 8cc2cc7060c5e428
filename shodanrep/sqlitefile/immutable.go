package sqlitefile

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// OpenImmutable connects to a file of another application, which this module only reads. SQLite locks nothing and looks
// for no changes, so the caller must. Close the connection with [Conn.Discard].
func OpenImmutable(path string) (*Conn, error) {
	return openForeign(path, "immutable=1&mode=ro", sqlite3.OPEN_READONLY)
}

// OpenForeign connects to a file of another application, to change it. Close the connection with [Conn.Discard].
func OpenForeign(path string) (*Conn, error) {
	return openForeign(path, "mode=rw", sqlite3.OPEN_READWRITE)
}

func openForeign(path, parameters string, flags sqlite3.OpenFlag) (_ *Conn, err error) {
	defer CatchOutOfMemory(&err)
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	db, err := sqlite3.OpenFlags(fileURI(path, parameters), flags|sqlite3.OPEN_URI)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: db, path: path, statements: map[string]*sqlite3.Stmt{}}, nil
}

// Discard closes a connection to a file of another application.
func (c *Conn) Discard() error { return c.closeLocked() }

// fileURI returns the URI with which SQLite opens a path as it is. The path has no slash before it: SQLite is compiled
// for Unix, and on Windows would look for /C:/Users. Its own slashes are escaped, so that none begins a host.
func fileURI(path, parameters string) string { return "file:" + escapeURI(path) + "?" + parameters }

// escapeURI escapes a path for the URI of a file.
func escapeURI(path string) string { return strings.ReplaceAll(url.QueryEscape(path), "+", "%20") }

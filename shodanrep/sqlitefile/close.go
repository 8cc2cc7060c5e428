package sqlitefile

import (
	"context"
	"os"

	"github.com/ncruces/go-sqlite3"
)

// Close closes a connection to the file at path, while no process sets that file aside. The statements of the connection
// must be closed before.
//
// The last connection to a file removes its write-ahead log, by name. SQLite looks first whether the file is still at its
// path. Between the two another process could set it aside and begin a new one, whose log would then be lost.
func Close(db *sqlite3.Conn, path string) (err error) {
	closed := false
	closeConn := func() error {
		closed = true
		err = db.Close()
		return nil
	}
	// Without the lock it is closed all the same: the folder may be read-only by now.
	_ = locked(context.Background(), path, os.O_RDONLY, closeConn)
	if !closed {
		_ = closeConn()
	}
	return err
}

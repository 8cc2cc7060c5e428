package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// advice is what to do about each kind of failure of a file, the first that matches.
var advice = []struct {
	kind error
	do   string
}{
	{sqlitefile.ErrForeign, "set history_store to another path"},
	{sqlitefile.ErrNotAFile, "set history_store to the path of a file"},
	{sqlitefile.ErrNewer, "update shodanrep, or set history_store to another path"},
	{sqlite3.BUSY, "another process is writing, and it is tried again"},
	{sqlite3.NOTADB, damagedAdvice},
	{sqlite3.CORRUPT, damagedAdvice},
	{sqlite3.FULL, roomAdvice},
	{sqlite3.IOERR_WRITE, roomAdvice}, // the driver does not tell a full disk from a broken one
	{sqlite3.IOERR_SHMSIZE, roomAdvice},
	{syscall.ENOSPC, roomAdvice},
	{sqlitefile.ErrOutOfMemory, "free memory, or set history_store to \"off\""},
	{syscall.ENOTDIR, "set history_store to a path under a folder"},
	{fs.ErrPermission, writableAdvice},
	{syscall.EROFS, writableAdvice},
	{sqlite3.READONLY, writableAdvice},
	{sqlite3.PERM, writableAdvice},
	{sqlite3.CANTOPEN, writableAdvice},
}

const (
	damagedAdvice  = "it is damaged: delete it, or set history_store to another path"
	roomAdvice     = "make room on its disk if that is full, or set history_store to a path on another"
	writableAdvice = "make it and its folder writable, or set history_store to another path or to \"off\""
)

// wrapError adds to an error which file it is about and what to do.
func (b *sqliteBackend) wrapError(err error) error {
	if err == nil || errors.Is(err, sqlitefile.ErrClosed) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	for _, a := range advice {
		if errors.Is(err, a.kind) {
			return fmt.Errorf("history file %s: %w: %s", b.path, err, a.do)
		}
	}
	return fmt.Errorf("history file %s: %w: check its disk, or set history_store to another path", b.path, err)
}

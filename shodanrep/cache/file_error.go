package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// advice is what to do about each kind of failure, the first that matches.
var advice = []struct {
	kind error
	do   string
}{
	{sqlitefile.ErrForeign, "set the cache to another path"},
	{sqlitefile.ErrNotAFile, "set the cache to the path of a file"},
	{sqlitefile.ErrNewer, "update shodanrep, or set the cache to another path"},
	{sqlitefile.ErrSetAside, "nothing is to be done, a new one is begun"},
	{sqlitefile.ErrReplaced, "nothing is to be done, it is made anew when it is next tried"},
	{sqlite3.BUSY, "another process is writing, try again"},
	{sqlite3.NOTADB, damagedAdvice},
	{sqlite3.CORRUPT, damagedAdvice},
	{sqlite3.FULL, roomAdvice},
	{sqlite3.IOERR_WRITE, roomAdvice}, // the driver does not tell a full disk from a broken one
	{sqlite3.IOERR_SHMSIZE, roomAdvice},
	{syscall.ENOSPC, roomAdvice},
	{sqlitefile.ErrOutOfMemory, "free memory, or set the cache to \"memory\""},
	{syscall.ENOTDIR, "set the cache to a path under a folder"},
	{fs.ErrPermission, writableAdvice},
	{sqlite3.READONLY, writableAdvice},
	{sqlite3.PERM, writableAdvice},
	{sqlite3.CANTOPEN, writableAdvice},
}

const (
	damagedAdvice  = "it is damaged: delete it, or set the cache to another path"
	roomAdvice     = "make room on its disk if that is full, or set the cache to a path on another"
	writableAdvice = "make it and its folder writable, or set the cache to another path"
)

// wrapError adds to an error which file it is about and what to do.
func (f *fileStore) wrapError(err error) error {
	if err == nil || errors.Is(err, sqlitefile.ErrClosed) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	for _, a := range advice {
		if errors.Is(err, a.kind) {
			return fmt.Errorf("cache file %s: %w: %s", f.path, err, a.do)
		}
	}
	return fmt.Errorf("cache file %s: %w: check its disk, or set the cache to another path", f.path, err)
}

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

var (
	errClosed   = errors.New("the cache is closed")
	errForeign  = errors.New("it is a database of another application")
	errNewer    = errors.New("it was made by a newer version of shodanrep")
	errGone     = errors.New("it was deleted or replaced while it was in use")
	errSetAside = errors.New("another process has found it damaged and set it aside")
	errNoFile   = errors.New("it is no file")
)

// advice is what to do about each kind of failure, the first that matches.
var advice = []struct {
	kind error
	do   string
}{
	{errForeign, "set the cache to another path"},
	{errNoFile, "set the cache to the path of a file"},
	{errNewer, "update shodanrep, or set the cache to another path"},
	{errSetAside, "nothing is to be done, a new one is begun"},
	{errGone, "nothing is to be done, it is made anew when it is next tried"},
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

// explain says of a failure which file it was about and what to do.
func (f *File) explain(err error) error {
	if err == nil || errors.Is(err, errClosed) || errors.Is(err, context.Canceled) ||
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

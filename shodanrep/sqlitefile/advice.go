package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/ncruces/go-sqlite3"
)

// A Purpose says what a file is for, and how the user moves it.
type Purpose struct {
	Name    string // "cache file"
	Setting string // what the user sets to another path: "the cache"
	Without string // a value of the setting that needs no file: `"memory"`
}

// advice is what to do about each kind of failure, the first that matches. SETTING and WITHOUT are those of the Purpose.
var advice = []struct {
	kind error
	do   string
}{
	{ErrForeign, "set SETTING to another path"},
	{ErrNotAFile, "set SETTING to the path of a file"},
	{ErrNewer, "update shodanrep, or set SETTING to another path"},
	{ErrSetAside, "nothing is to be done, a new one is begun"},
	{ErrReplaced, "nothing is to be done, it is made anew when it is next tried"},
	{sqlite3.BUSY, "another process is writing, try again"},
	{sqlite3.NOTADB, damagedAdvice},
	{sqlite3.CORRUPT, damagedAdvice},
	{sqlite3.FULL, roomAdvice},
	{sqlite3.IOERR_WRITE, roomAdvice}, // the driver does not tell a full disk from a broken one
	{sqlite3.IOERR_SHMSIZE, roomAdvice},
	{syscall.ENOSPC, roomAdvice},
	{ErrOutOfMemory, "free memory, or set SETTING to WITHOUT"},
	{syscall.ENOTDIR, "set SETTING to a path under a folder"},
	{fs.ErrPermission, writableAdvice},
	{syscall.EROFS, writableAdvice},
	{sqlite3.READONLY, writableAdvice},
	{sqlite3.PERM, writableAdvice},
	{sqlite3.CANTOPEN, writableAdvice},
}

const (
	damagedAdvice  = "it is damaged: delete it, or set SETTING to another path"
	roomAdvice     = "make room on its disk if that is full, or set SETTING to a path on another"
	writableAdvice = "make it and its folder writable, or set SETTING to another path"
	otherAdvice    = "check its disk, or set SETTING to another path"
)

// Wrap adds to an error which file it is about and what to do. It returns the error of a context, and that of a file that
// was closed, as they are.
func (p Purpose) Wrap(path string, err error) error {
	if err == nil || errors.Is(err, ErrClosed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	do := strings.NewReplacer("SETTING", p.Setting, "WITHOUT", p.Without).Replace(adviceOn(err))
	return fmt.Errorf("%s %s: %w: %s", p.Name, path, err, do)
}

// adviceOn returns what to do about an error.
func adviceOn(err error) string {
	for _, a := range advice {
		if errors.Is(err, a.kind) {
			return a.do
		}
	}
	return otherAdvice
}

// MayBeFull reports whether an error can be that of a full disk.
func MayBeFull(err error) bool { return adviceOn(err) == roomAdvice }

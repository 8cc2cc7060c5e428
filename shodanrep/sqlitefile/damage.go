package sqlitefile

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filelock"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

const (
	// DamagedSuffix is appended to the name of a damaged file that is set aside.
	DamagedSuffix = ".damaged"
	// lockSuffix is appended to the name of a file for that of its lock file.
	lockSuffix = ".lock"
	// lockTimeout is how long to wait for the lock. It is held only while a file is opened or renamed.
	lockTimeout = 10 * time.Second
)

// IsDamaged reports whether an error of SQLite says that the file is malformed, or that it is not a database. A file
// that is locked, may not be used, or is on a full disk is not damaged.
func IsDamaged(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB)
}

// damagedPath returns the path to which setAside moves the file.
func damagedPath(path string) string { return path + DamagedSuffix }

// setAside renames a damaged file, and what belongs to it, to its damagedPath. An older file of that name is replaced, and
// the time of the file is when it was set aside.
// It does nothing, and returns false, where the path leads to another file by now: another process was faster, and
// has made a new one.
func setAside(ctx context.Context, path string, damaged os.FileInfo) (moved bool, err error) {
	err = locked(ctx, path, os.O_RDWR, func() error {
		now, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, damaged) {
			return nil
		}
		if err != nil {
			return err
		}
		// The log goes first: a new file must never be found beside the log of another.
		if err := renameIfExists(path+"-wal", damagedPath(path)+"-wal"); err != nil {
			return err
		}
		for _, name := range []string{path + "-shm", damagedPath(path) + "-shm"} {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		moved = true
		if err := os.Rename(path, damagedPath(path)); err != nil {
			return err
		}
		aside := time.Now()
		_ = os.Chtimes(damagedPath(path), aside, aside) // without it the file looks older, which does no harm
		return nil
	})
	return moved && err == nil, err
}

// renameIfExists renames a file. Where there is none it removes what is at the new name.
func renameIfExists(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.Remove(to); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return err
}

// locked calls f while it holds the lock of a file: a shared one where flag is os.O_RDONLY.
func locked(ctx context.Context, path string, flag int, f func() error) error {
	lock, err := filelock.Open(ctx, path+lockSuffix, flag, waitlimit.Of(lockTimeout))
	if err != nil {
		return err
	}
	defer lock.Close() // nothing was written
	return f()
}

// applicationID returns the application_id in the header of a SQLite file, 0 where there is no such header.
func applicationID(path string) (int64, error) {
	const magic, offset = "SQLite format 3\x00", 68
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	header := make([]byte, offset+4)
	if n, _ := file.ReadAt(header, 0); n < len(header) || !strings.HasPrefix(string(header), magic) {
		return 0, nil
	}
	return int64(binary.BigEndian.Uint32(header[offset:])), nil
}

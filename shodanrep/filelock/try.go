package filelock

import (
	"fmt"
	"os"

	"github.com/gofrs/flock"
)

// Try opens a file and locks it for one process, without waiting. flag is os.O_RDWR, with os.O_CREATE to make the file
// where it is missing. Try fails with ErrLocked where another process holds the lock, or has just removed the file. The
// lock ends with unlock, or with the process.
func Try(path string, flag int) (unlock func() error, err error) {
	lock := flock.New(path, flock.SetFlag(flag))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	}
	mine, err := lock.Stat()
	if err == nil {
		if now, statErr := os.Lstat(path); statErr != nil || !os.SameFile(mine, now) {
			err = fmt.Errorf("%s: %w", path, ErrLocked) // one that removes the file had the lock before
		}
	}
	if err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	return lock.Unlock, nil
}

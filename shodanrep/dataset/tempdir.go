package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filelock"
)

const (
	tempPrefix = "shodanrep-dataset-"
	// tempLockName is the file that a process locks as long as it uses the folder.
	tempLockName = "process.lock"
	// maxUnlocked is how long a folder without that file stays: its process is about to make it, or was killed before.
	maxUnlocked = 48 * time.Hour
	// maxAttempts is how often to make a folder that another process removes before it is locked.
	maxAttempts = 100
)

// A tempDir is a folder for an index that one process uses. The system removes the lock of a killed process, and the
// next process that makes such a folder removes what it left.
type tempDir struct {
	path   string
	unlock func() error // nil where the file system has no locks
}

// makeTempDir makes a folder in another one, and first removes those of processes that no longer live: their indexes may
// have filled the disk.
func makeTempDir(parent string) (*tempDir, error) {
	removeAbandoned(parent)
	for attempt := 1; ; attempt++ {
		path, err := os.MkdirTemp(parent, tempPrefix)
		var unlock func() error
		if err == nil {
			unlock, err = filelock.Try(filepath.Join(path, tempLockName), os.O_RDWR|os.O_CREATE)
			isRemoved := errors.Is(err, filelock.ErrLocked) || errors.Is(err, fs.ErrNotExist)
			if !isRemoved {
				return &tempDir{path, unlock}, nil
			}
			if attempt < maxAttempts {
				continue // another process found the folder before it was locked
			}
		}
		return nil, fmt.Errorf("the index of the data files needs a temporary folder: %w", err)
	}
}

// remove removes the folder. The lock goes last, except where the system cannot remove a file that is open.
func (t *tempDir) remove() error {
	err := os.RemoveAll(t.path)
	if t.unlock == nil {
		return err
	}
	if unlockErr := t.unlock(); err == nil {
		return unlockErr
	}
	return os.RemoveAll(t.path)
}

// removeAbandoned removes the temporary folders of processes that no longer live. What cannot be removed does no harm.
func removeAbandoned(parent string) {
	entries, _ := os.ReadDir(parent)
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), tempPrefix) { // a link is not ours
			continue
		}
		path := filepath.Join(parent, entry.Name())
		lock := filepath.Join(path, tempLockName)
		switch info, err := os.Lstat(lock); {
		case errors.Is(err, fs.ErrNotExist):
			if changed := lastChange(path); !changed.IsZero() && time.Since(changed) > maxUnlocked {
				_ = os.RemoveAll(path)
			}
		case err == nil && info.Mode().IsRegular():
			if unlock, err := filelock.Try(lock, os.O_RDWR); err == nil {
				_ = (&tempDir{path, unlock}).remove()
			}
		}
	}
}

// lastChange returns when a folder or one of its files was last changed, and zero where that is not known.
func lastChange(dir string) (last time.Time) {
	if err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := entry.Info(); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
		return nil
	}); err != nil {
		return time.Time{}
	}
	return last
}

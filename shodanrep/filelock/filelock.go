// Package filelock opens files that processes lock, without waiting for a lock for ever.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// ErrLocked says that another process holds the lock for too long. It is in the chain of a [TimeoutError].
var ErrLocked = errors.New("another process holds the lock")

// A TimeoutError says that a file could not be locked in time.
type TimeoutError struct {
	Path string
	// Ended is closed when the attempt no longer waits for the lock.
	Ended <-chan struct{}
}

// Error says which file is locked.
func (e *TimeoutError) Error() string { return fmt.Sprintf("%s: %v", e.Path, ErrLocked) }

// Unwrap returns ErrLocked.
func (e *TimeoutError) Unwrap() error { return ErrLocked }

// Open opens a file and locks it, for readers where flag is os.O_RDONLY, else for one writer. It makes the file where it
// is missing, for its owner only. Closing the file unlocks it. Open fails with a *TimeoutError after the timeout, and
// with the context's error when that ends before: it then makes no file that it has not begun to make.
func Open(ctx context.Context, path string, flag int, timeout time.Duration) (*lockedfile.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	type result struct {
		file *lockedfile.File
		err  error
	}
	opened, abandoned, ended := make(chan result), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-abandoned:
			return
		default:
		}
		// The kernel waits for the lock, which cannot be interrupted.
		file, err := lockedfile.OpenFile(path, flag|os.O_CREATE, 0o600)
		select {
		case opened <- result{file, err}:
		case <-abandoned:
			if err == nil {
				_ = file.Close() // nothing was written
			}
		}
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case r := <-opened:
		return r.file, r.err
	case <-ctx.Done():
		close(abandoned)
		return nil, ctx.Err()
	case <-timer.C:
		close(abandoned)
		return nil, &TimeoutError{Path: path, Ended: ended}
	}
}

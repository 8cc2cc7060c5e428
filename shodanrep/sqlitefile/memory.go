package sqlitefile

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/ncruces/go-sqlite3"
)

// ErrOutOfMemory is in the chain of every error that [CatchOutOfMemory] returns.
var ErrOutOfMemory = errors.New("out of memory")

// CatchOutOfMemory sets *err where SQLite has panicked because it got no memory, and lets every other panic go on. The
// library panics on purpose: a program that ignores the error would go on with half of a result. Call it with defer:
//
//	defer sqlitefile.CatchOutOfMemory(&err)
//
// A connection is still usable afterwards, unless the panic came through a callback of SQLite's. So a callback catches
// its own with [CatchOutOfMemoryInCallback].
func CatchOutOfMemory(err *error) {
	if reason := recover(); reason != nil {
		if *err = outOfMemory(reason); *err == nil {
			panic(reason)
		}
	}
}

// outOfMemory returns the error for what was recovered, or nil where that is something else.
func outOfMemory(reason any) error {
	cause, ok := reason.(error)
	switch {
	case !ok:
		return nil
	case cause.Error() == sqlite3.NOMEM.Error():
		return fmt.Errorf("%w: SQLite may use 256 MB, and needs more", ErrOutOfMemory)
	case errors.Is(cause, syscall.ENOMEM):
		return fmt.Errorf("%w: the system has none left for SQLite, or a limit forbids it (see ulimit -v)", ErrOutOfMemory)
	}
	return nil
}

// CatchOutOfMemoryInCallback is [CatchOutOfMemory] for a function that SQLite calls. The error is SQLite's own, and
// needs no memory: SQLite frees what the statement holds, and its caller gets the panic that CatchOutOfMemory catches.
func CatchOutOfMemoryInCallback(err *error) {
	if reason := recover(); reason != nil {
		*err = outOfMemory(reason)
		if *err == nil {
			panic(reason)
		}
		*err = sqlite3.NOMEM
	}
}

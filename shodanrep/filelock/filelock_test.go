package filelock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.lock")
	held, err := Open(t.Context(), path, os.O_RDWR, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v: %v", info.Mode(), err)
	}

	_, err = Open(t.Context(), path, os.O_RDONLY, 10*time.Millisecond)
	var timeout *TimeoutError
	if !errors.As(err, &timeout) || !errors.Is(err, ErrLocked) || timeout.Path != path {
		t.Fatalf("got %v, want a TimeoutError", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	missing := filepath.Join(filepath.Dir(path), "missing.lock")
	for _, path := range []string{path, missing} {
		if _, err := Open(ended, path, os.O_RDWR, time.Minute); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that the context ended", err)
		}
	}
	if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made though the context had ended: %v", err)
	}
	select {
	case <-timeout.Ended:
		t.Error("the attempt does not wait, although the lock is held")
	default:
	}

	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	<-timeout.Ended
	first, err := Open(t.Context(), path, os.O_RDONLY, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(t.Context(), path, os.O_RDONLY, time.Minute) // readers share the lock
	if err := errors.Join(err, first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), filepath.Join(path, "f.lock"), os.O_RDWR, time.Minute); err == nil {
		t.Error("a file below a file could be opened")
	}
}

//go:build unix

package cache

import (
	"context"
	"fmt"
	"syscall"
)

func init() { roles["open as nobody"] = withResult(openAsNobody) }

// openAsNobody opens a store as a user who is not root, and returns the warnings.
func openAsNobody(ctx context.Context, args []string) (any, error) {
	if err := syscall.Setuid(65534); err != nil {
		return nil, err
	}
	var w warnings
	s := Open(ctx, args[0], Options{Logger: w.logger()})
	defer s.Close()
	e := newClock().entry("192.0.2.1", "a")
	if err := s.Put(ctx, []Entry{e}); err != nil {
		return nil, err
	}
	if found, err := s.Get(ctx, []Key{e.Key}); err != nil || len(found) != 1 {
		return nil, fmt.Errorf("got %v, %w", found, err)
	}
	return w.lines(), nil
}

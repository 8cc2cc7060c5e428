package cache

import "context"

// Off is a store that holds nothing.
type Off struct{}

var _ Store = Off{}

// Get returns no entries.
func (Off) Get(ctx context.Context, _ []Key) (map[Key]Entry, error) {
	return map[Key]Entry{}, ctx.Err()
}

// Count does nothing.
func (Off) Count(int64, int64) {}

// Put does nothing.
func (Off) Put(ctx context.Context, _ []Entry) error { return ctx.Err() }

// Clear does nothing.
func (Off) Clear(ctx context.Context, _ string) (int64, error) { return 0, ctx.Err() }

// Prune does nothing.
func (Off) Prune(ctx context.Context) (int64, error) { return 0, ctx.Err() }

// Stats returns the location "off".
func (Off) Stats(ctx context.Context) (Stats, error) { return Stats{Location: offLocation}, ctx.Err() }

// Close does nothing.
func (Off) Close() error { return nil }

package cache

import "context"

// Off is the store that keeps nothing.
type Off struct{}

var _ Store = Off{}

// Get finds nothing.
func (Off) Get(ctx context.Context, _ []Key) (map[Key]Entry, error) {
	return map[Key]Entry{}, ctx.Err()
}

// Count counts nothing.
func (Off) Count(int64, int64) {}

// Put keeps nothing.
func (Off) Put(ctx context.Context, _ []Entry) error { return ctx.Err() }

// Clear has nothing to drop.
func (Off) Clear(ctx context.Context, _ string) (int64, error) { return 0, ctx.Err() }

// Prune has nothing to drop.
func (Off) Prune(ctx context.Context) (int64, error) { return 0, ctx.Err() }

// Stats says that the store is off.
func (Off) Stats(ctx context.Context) (Stats, error) { return Stats{Location: "off"}, ctx.Err() }

// Close has nothing to let go of.
func (Off) Close() error { return nil }

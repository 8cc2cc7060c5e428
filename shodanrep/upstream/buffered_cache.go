package upstream

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
)

const (
	// flushAt is how many responses are written to the cache at once, and flushAfter how long one waits at most.
	flushAt    = 200
	flushAfter = 500 * time.Millisecond
	// flushBytes is about how many bytes of responses wait to be written at most.
	flushBytes = 8 << 20
	// clockSkew is by how much the clocks of machines that share a cache may differ.
	clockSkew = 5 * time.Minute
)

// A BufferedCache writes responses to a cache in batches. It returns them before they are written too.
type BufferedCache struct {
	store cache.Store

	mu      sync.Mutex
	longest time.Duration // how long an entry is good at most
	pending map[cache.Key]cache.Entry
	bytes   int64 // of the bodies that are pending
	timer   *time.Timer
	writing sync.Mutex // one write at a time
}

// NewBufferedCache makes a BufferedCache in front of a cache.
func NewBufferedCache(store cache.Store) *BufferedCache {
	return &BufferedCache{store: store, longest: max(maxAge, lastingAge), pending: map[cache.Key]cache.Entry{}}
}

// Allow makes entries good for as long as a connection caches them. The longest time of all connections decides.
func (b *BufferedCache) Allow(age time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.longest = max(b.longest, age)
}

// check returns an entry as it may be used now, and reports whether it may. Other programs may write to a cache too: an
// entry that was checked in the future or in 1970 is dropped, and none is good for longer than an entry of ours.
func check(entry cache.Entry, now time.Time, longest time.Duration) (cache.Entry, bool) {
	if latest := entry.CheckedAt.Add(longest); entry.Expires.After(latest) {
		entry.Expires = latest
	}
	return entry, now.Before(entry.Expires) && entry.CheckedAt.Before(now.Add(clockSkew))
}

// get returns the fresh entries. A cache that fails counts as empty: that costs a request, never a row.
func (b *BufferedCache) get(ctx context.Context, keys []cache.Key) map[cache.Key]cache.Entry {
	found := map[cache.Key]cache.Entry{}
	now := time.Now()
	missing := make([]cache.Key, 0, len(keys))
	b.mu.Lock()
	longest := b.longest
	for _, key := range keys {
		if entry, ok := b.pending[key]; ok && now.Before(entry.Expires) {
			found[key] = entry
		} else {
			missing = append(missing, key)
		}
	}
	b.mu.Unlock()
	if len(missing) == 0 {
		return found
	}
	stored, err := b.store.Get(ctx, missing)
	if err != nil {
		return found
	}
	for key, entry := range stored {
		if entry, ok := check(entry, now, longest); ok {
			found[key] = entry
		}
	}
	return found
}

// put caches an entry, and writes it with others soon. It does nothing if the cache is off.
func (b *BufferedCache) put(entry cache.Entry) {
	if _, off := b.store.(cache.Off); off {
		return
	}
	b.mu.Lock()
	b.bytes += int64(len(entry.Body)) - int64(len(b.pending[entry.Key].Body))
	b.pending[entry.Key] = entry
	full := len(b.pending) >= flushAt || b.bytes >= flushBytes
	if b.timer == nil {
		b.timer = time.AfterFunc(flushAfter, func() { _ = b.Flush(context.Background()) })
	}
	b.mu.Unlock()
	if full {
		_ = b.Flush(context.Background())
	}
}

// Flush writes what is pending. If that fails the entries are lost, and requested again; the store has logged it.
func (b *BufferedCache) Flush(ctx context.Context) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	entries := slices.Collect(maps.Values(b.pending))
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	b.mu.Unlock()
	if len(entries) == 0 {
		return nil
	}
	err := b.store.Put(ctx, entries)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, entry := range entries {
		// A newer entry waits for the next write.
		if b.pending[entry.Key].CheckedAt.Equal(entry.CheckedAt) {
			b.bytes -= int64(len(entry.Body))
			delete(b.pending, entry.Key)
		}
	}
	return err
}

// IsPersistent reports whether the cache outlasts the process.
func (b *BufferedCache) IsPersistent() bool { return cache.IsPersistent(b.store) }

// Close writes what is pending and closes the cache.
func (b *BufferedCache) Close() error {
	return errors.Join(b.Flush(context.Background()), b.store.Close())
}

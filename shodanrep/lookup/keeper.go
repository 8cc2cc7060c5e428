package lookup

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup/cache"
)

const (
	// flushAt is how many answers are written to the cache at once, and flushAfter how long one waits at most.
	flushAt    = 200
	flushAfter = 500 * time.Millisecond
)

// A keeper writes answers to a cache in batches, and gives them back before they are written too.
type keeper struct {
	store cache.Store

	mu      sync.Mutex
	pending map[cache.Key]cache.Entry
	timer   *time.Timer
	writing sync.Mutex // one write at a time
}

func newKeeper(store cache.Store) *keeper {
	return &keeper{store: store, pending: map[cache.Key]cache.Entry{}}
}

// get returns what is kept and fresh. A cache that fails is as good as empty: it costs a look-up, never a row.
func (k *keeper) get(ctx context.Context, keys []cache.Key) map[cache.Key]cache.Entry {
	found := map[cache.Key]cache.Entry{}
	now := time.Now()
	missing := make([]cache.Key, 0, len(keys))
	k.mu.Lock()
	for _, key := range keys {
		if entry, ok := k.pending[key]; ok && now.Before(entry.Expires) {
			found[key] = entry
		} else {
			missing = append(missing, key)
		}
	}
	k.mu.Unlock()
	if len(missing) > 0 {
		if stored, err := k.store.Get(ctx, missing); err == nil {
			maps.Copy(found, stored)
		}
	}
	return found
}

// put keeps an entry, and writes it with others soon. Where the cache is off nothing is kept, not even until the write.
func (k *keeper) put(entry cache.Entry) {
	if _, off := k.store.(cache.Off); off {
		return
	}
	k.mu.Lock()
	k.pending[entry.Key] = entry
	full := len(k.pending) >= flushAt
	if k.timer == nil {
		k.timer = time.AfterFunc(flushAfter, func() { _ = k.flush(context.Background()) })
	}
	k.mu.Unlock()
	if full {
		_ = k.flush(context.Background())
	}
}

// flush writes what is pending. A failure costs the entries, which can be asked again; the store has warned of it.
func (k *keeper) flush(ctx context.Context) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	k.mu.Lock()
	entries := slices.Collect(maps.Values(k.pending))
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
	k.mu.Unlock()
	if len(entries) == 0 {
		return nil
	}
	err := k.store.Put(ctx, entries)
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, entry := range entries {
		// What was put anew meanwhile waits for the next write.
		if k.pending[entry.Key].CheckedAt.Equal(entry.CheckedAt) {
			delete(k.pending, entry.Key)
		}
	}
	return err
}

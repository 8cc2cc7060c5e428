package lookup

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
)

const (
	// flushAt is how many answers are written to the cache at once, and flushAfter how long one waits at most.
	flushAt    = 200
	flushAfter = 500 * time.Millisecond
	// flushBytes is how many bytes of answers wait to be written at most, more or less.
	flushBytes = 8 << 20
	// clockSkew is by how much the clocks of machines that share a cache may differ.
	clockSkew = 5 * time.Minute
)

// A keeper writes answers to a cache in batches, and gives them back before they are written too.
type keeper struct {
	store cache.Store

	mu      sync.Mutex
	longest time.Duration // how long an entry is good at most
	pending map[cache.Key]cache.Entry
	bytes   int64 // of the bodies that are pending
	timer   *time.Timer
	writing sync.Mutex // one write at a time
}

func newKeeper(store cache.Store) *keeper {
	return &keeper{store: store, longest: max(longestMaxAge, lastingTime), pending: map[cache.Key]cache.Entry{}}
}

// allow makes entries good for as long as an engine keeps them: the longest of all engines decides.
func (k *keeper) allow(age time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.longest = max(k.longest, age)
}

// check returns an entry as it may be used at a moment, and reports whether it may. Not only this program writes to a
// cache: one that was checked in the future or in 1970 is dropped, and none is good for longer than an entry of ours.
func check(entry cache.Entry, now time.Time, longest time.Duration) (cache.Entry, bool) {
	if latest := entry.CheckedAt.Add(longest); entry.Expires.After(latest) {
		entry.Expires = latest
	}
	return entry, now.Before(entry.Expires) && entry.CheckedAt.Before(now.Add(clockSkew))
}

// get returns what is kept and fresh. A cache that fails is as good as empty: it costs a look-up, never a row.
func (k *keeper) get(ctx context.Context, keys []cache.Key) map[cache.Key]cache.Entry {
	found := map[cache.Key]cache.Entry{}
	now := time.Now()
	missing := make([]cache.Key, 0, len(keys))
	k.mu.Lock()
	longest := k.longest
	for _, key := range keys {
		if entry, ok := k.pending[key]; ok && now.Before(entry.Expires) {
			found[key] = entry
		} else {
			missing = append(missing, key)
		}
	}
	k.mu.Unlock()
	if len(missing) == 0 {
		return found
	}
	stored, err := k.store.Get(ctx, missing)
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

// put keeps an entry, and writes it with others soon. Where the cache is off nothing is kept, not even until the write.
func (k *keeper) put(entry cache.Entry) {
	if _, off := k.store.(cache.Off); off {
		return
	}
	k.mu.Lock()
	k.bytes += int64(len(entry.Body)) - int64(len(k.pending[entry.Key].Body))
	k.pending[entry.Key] = entry
	full := len(k.pending) >= flushAt || k.bytes >= flushBytes
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
			k.bytes -= int64(len(entry.Body))
			delete(k.pending, entry.Key)
		}
	}
	return err
}

// cachedHosts returns what the cache has of hosts and is not older than RefreshBefore, and bans.
func (e *Engine) cachedHosts(ctx context.Context, keys []cache.Key, ban cache.Key) map[cache.Key]cache.Entry {
	found := e.store.get(ctx, keys)
	if !e.cfg.RefreshBefore.IsZero() {
		maps.DeleteFunc(found, func(key cache.Key, entry cache.Entry) bool {
			return key != ban && entry.CheckedAt.Before(e.cfg.RefreshBefore)
		})
	}
	return found
}

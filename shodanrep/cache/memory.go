package cache

import (
	"bytes"
	"context"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// defaultMaxBytes bounds a store whose options name no bound.
const defaultMaxBytes = 512 << 20

// overhead is what one entry costs in memory beside its strings and its body: the key in the map and in the list, the
// list's links, the map's slack.
const overhead = 256

// memoryStore stores entries in the process, the most recently used ones up to a bound in bytes.
type memoryStore struct {
	maxBytes int64
	now      func() time.Time

	mu           sync.Mutex
	entries      *simplelru.LRU[Key, cached]
	bytes        int64
	hits, misses int64
}

// cached is the value of a key. The times are microseconds, a third of the size of a time.Time.
type cached struct {
	body               []byte
	checkedAt, expires int64
}

// NewMemory returns a store in memory that holds up to maxBytes, or 512 MB where that is not positive. It drops the least
// recently used entries first.
func NewMemory(maxBytes int64) Store {
	return newMemory(maxBytes, nil)
}

func newMemory(maxBytes int64, now func() time.Time) *memoryStore {
	if maxBytes <= 0 {
		maxBytes = defaultMaxBytes
	}
	if now == nil {
		now = time.Now
	}
	m := &memoryStore{maxBytes: maxBytes, now: now}
	// The bound is in bytes, so the list gets no bound in entries. NewLRU fails only where that is not positive.
	m.entries, _ = simplelru.NewLRU(math.MaxInt, func(k Key, v cached) { m.bytes -= cost(k, v.body) })
	return m
}

// cost returns how many bytes of the bound an entry takes up.
func cost(k Key, body []byte) int64 {
	return overhead + int64(len(k.Service)+len(k.Target)+len(k.Options)+len(body))
}

// Get returns the entries that exist and have not expired. Callers must not change their bodies.
func (m *memoryStore) Get(ctx context.Context, keys []Key) (map[Key]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := m.now().UnixMicro()
	found := make(map[Key]Entry, len(keys))
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		v, ok := m.entries.Get(k)
		if ok && v.expires <= now {
			m.entries.Remove(k)
			ok = false
		}
		if ok {
			found[k] = v.entry(k)
		}
	}
	return found, nil
}

// Count adds to the numbers of hits and misses.
func (m *memoryStore) Count(hits, misses int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hits += hits
	m.misses += misses
}

// Put stores copies of the entries. It leaves out an entry that is larger than the whole store.
func (m *memoryStore) Put(ctx context.Context, entries []Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range entries {
		// Removed first: Add does not report the value that it replaces.
		m.entries.Remove(e.Key)
		size := cost(e.Key, e.Body)
		if size > m.maxBytes {
			continue
		}
		// Bodies and targets are often slices of a whole bulk response or a whole list, which they would keep in memory.
		key := Key{Service: e.Service, Target: strings.Clone(e.Target), Options: e.Options}
		m.entries.Add(key, cached{bytes.Clone(e.Body), e.CheckedAt.UnixMicro(), e.Expires.UnixMicro()})
		m.bytes += size
		for m.bytes > m.maxBytes {
			m.entries.RemoveOldest()
		}
	}
	return nil
}

// Clear deletes the entries about a target, or all, and with them the counts of hits and misses.
func (m *memoryStore) Clear(ctx context.Context, target string) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if target == "" {
		n := int64(m.entries.Len())
		m.entries.Purge()
		m.hits, m.misses = 0, 0
		return n, nil
	}
	return m.removeIf(func(k Key, _ cached) bool { return k.Target == target }), nil
}

// Prune deletes the entries that have expired.
func (m *memoryStore) Prune(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	now := m.now().UnixMicro()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.removeIf(func(_ Key, v cached) bool { return v.expires <= now }), nil
}

// removeIf deletes the entries that match, and returns how many there were. The caller holds the lock.
func (m *memoryStore) removeIf(match func(Key, cached) bool) int64 {
	var n int64
	for _, k := range m.entries.Keys() {
		if v, ok := m.entries.Peek(k); ok && match(k, v) {
			m.entries.Remove(k)
			n++
		}
	}
	return n
}

// Stats describes the store.
func (m *memoryStore) Stats(ctx context.Context) (Stats, error) {
	if err := ctx.Err(); err != nil {
		return Stats{}, err
	}
	now := m.now().UnixMicro()
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Stats{Location: "memory", Entries: int64(m.entries.Len()), Bytes: m.bytes, Hits: m.hits, Misses: m.misses}
	oldest, newest := int64(math.MaxInt64), int64(math.MinInt64)
	for _, v := range m.entries.Values() {
		if v.expires <= now {
			s.Expired++
		}
		oldest, newest = min(oldest, v.checkedAt), max(newest, v.checkedAt)
	}
	if s.Entries > 0 {
		s.Oldest, s.Newest = timeOf(oldest), timeOf(newest)
	}
	return s, nil
}

// Close deletes the entries.
func (m *memoryStore) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries.Purge()
	return nil
}

// drain removes all entries, and returns those that have not expired, the least recently used first.
func (m *memoryStore) drain() []Entry {
	now := m.now().UnixMicro()
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := make([]Entry, 0, m.entries.Len())
	for k, v, ok := m.entries.RemoveOldest(); ok; k, v, ok = m.entries.RemoveOldest() {
		if v.expires > now {
			entries = append(entries, v.entry(k))
		}
	}
	return entries
}

func (v cached) entry(k Key) Entry {
	return Entry{Key: k, Body: v.body, CheckedAt: timeOf(v.checkedAt), Expires: timeOf(v.expires)}
}

// timeOf returns the time of a stored number of microseconds since 1970.
func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// Package cache stores the services' responses, so that the same request is not sent twice: in memory, in a SQLite file
// that the processes of a machine share, or in Redis, which machines share.
package cache

import (
	"context"
	"net/url"
	"time"
)

// MaxBody is the longest body of an entry, in bytes. SQLite needs several times as much memory to store one, and it would
// push thousands of others out of the cache. A longer one is not of ours: it is a cache miss, and nothing of it is read.
const MaxBody = 8 << 20

// Key identifies one response.
type Key struct {
	Service string // the service and its address, such as "internetdb https://internetdb.shodan.io"
	Target  string // what the request was about: an address, a search query
	Options string // the options of the request, such as "minify"
}

// String returns the key as one text, a different one for each key.
func (k Key) String() string { return url.QueryEscape(k.Target) + ":" + entryName(k) }

// Entry is one response. An empty Body is a negative one: the service has nothing indexed.
type Entry struct {
	Key
	Body      []byte
	CheckedAt time.Time // when the service sent it
	Expires   time.Time
}

// Store holds entries. Its methods may be called concurrently. They work in batches: a transaction or a round trip for
// each entry would cost more than the request it saves.
type Store interface {
	// Get returns the entries that exist and have not expired. A missing one is not an error.
	Get(ctx context.Context, keys []Key) (map[Key]Entry, error)
	// Count adds to the numbers of hits and misses. Get does not count: one lookup may need several entries, and some
	// entries are not responses.
	Count(hits, misses int64)
	// Put stores entries, each in place of an older one with the same key.
	Put(ctx context.Context, entries []Entry) error
	// Clear deletes the entries about a target, or all where target is empty, and returns how many there were.
	Clear(ctx context.Context, target string) (int64, error)
	// Prune deletes the entries that have expired, and returns how many there were.
	Prune(ctx context.Context) (int64, error)
	// Stats describes the store.
	Stats(ctx context.Context) (Stats, error)
	// Close writes what is not yet written, and closes the store.
	Close() error
}

// Stats describes what a store holds and how often it was hit.
type Stats struct {
	Location string // "memory", "off", a path, a redis:// address without its password
	Entries  int64
	Expired  int64     // how many of Entries have expired
	Bytes    int64     // the size of the store
	Oldest   time.Time // CheckedAt of the oldest entry, zero where there is none
	Newest   time.Time
	Hits     int64 // since the store was made or cleared, of all processes that share it
	Misses   int64
}

// offLocation is the location of a store that holds nothing.
const offLocation = "off"

// IsOff reports whether the store holds nothing, so that there is nothing to count.
func (s Stats) IsOff() bool { return s.Location == offLocation }

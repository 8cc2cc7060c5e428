// Package cache keeps the services' answers, so that the same question is not asked twice: in memory, in a SQLite
// file shared by the processes of a machine, or in Redis, shared by machines.
package cache

import (
	"context"
	"time"
)

// Key names one answer.
type Key struct {
	Service string // the service asked and its address, such as "internetdb https://internetdb.shodan.io"
	Target  string // what was asked about: an address, a search query
	Options string // what was asked of it, such as "minify"; empty for all there is
}

// Entry is one answer. An empty Body is a negative answer: the service has nothing indexed.
type Entry struct {
	Key
	Body      []byte
	CheckedAt time.Time // when the service was asked
	Expires   time.Time // when it has to be asked again
}

// Store keeps entries. All methods may be called side by side, and take their work in batches: a transaction or a
// round trip for each entry would cost more than the question it saves.
type Store interface {
	// Get returns the entries that are there and have not expired. A missing one is no error.
	Get(ctx context.Context, keys []Key) (map[Key]Entry, error)
	// Count adds to the counts of questions that were answered from the store, and of those that were not. Get does not
	// count: a question may look for several entries, and what is looked for may be no question.
	Count(hits, misses int64)
	// Put keeps entries, each in place of an older one of the same key.
	Put(ctx context.Context, entries []Entry) error
	// Clear drops the entries about a subject, or all where subject is empty, and returns how many there were.
	Clear(ctx context.Context, subject string) (int64, error)
	// Prune drops what has expired, and returns how many entries that were.
	Prune(ctx context.Context) (int64, error)
	// Stats says what the store holds.
	Stats(ctx context.Context) (Stats, error)
	// Close writes what is not yet written and lets go of the store.
	Close() error
}

// Stats is what a store holds and how well it serves.
type Stats struct {
	Location string // where it is: "memory", a path, a redis:// address without its password
	Entries  int64
	Expired  int64     // entries that have expired and are not yet dropped, of Entries
	Bytes    int64     // what the store takes up
	Oldest   time.Time // CheckedAt of the oldest entry, zero where there is none
	Newest   time.Time
	Hits     int64 // questions answered from the store since it was made or cleared
	Misses   int64
}

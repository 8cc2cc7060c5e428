package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

const (
	// inMemory is the one warning that a place cannot be used; the error beside it says why and what to do.
	inMemory = "the cache cannot be used, so answers are kept in this process's memory for now"
	// fallbackBytes bounds the memory that takes the place of a larger store.
	fallbackBytes = 64 << 20
	// quiet is how long no second warning follows one, however often the place comes and goes.
	quiet = 5 * time.Minute
)

// backend is a store that can fail, and be made usable again.
type backend interface {
	Store
	revive(ctx context.Context) error
}

// fallback serves from a backend, and from memory for as long as that fails. It tries the backend again now and then,
// beside a call, and hands it what the memory has learned meanwhile.
type fallback struct {
	backend backend
	place   string
	memory  *Memory
	logger  hclog.Logger
	every   time.Duration // how long to wait before the backend is tried again

	up     atomic.Bool
	opened atomic.Int64    // how often the backend was made usable
	ctx    context.Context // ends when the store is closed
	cancel context.CancelFunc
	work   sync.WaitGroup // what runs beside the calls

	mu     sync.Mutex
	trying bool
	next   time.Time // when the backend may be tried again
	back   time.Time // when it last came back
	warned time.Time
	closed bool

	damaged time.Time // when the backend was last found damaged
	mending bool      // it is being replaced for that reason; whoever sets the file aside warns
}

var _ Store = (*fallback)(nil)

func newFallback(b backend, place string, every time.Duration, opts Options) *fallback {
	ctx, cancel := context.WithCancel(context.Background())
	return &fallback{
		backend: b, place: place, every: every, logger: opts.Logger, ctx: ctx, cancel: cancel,
		memory: newMemory(min(opts.MaxBytes, fallbackBytes), opts.Now),
	}
}

// IsPersistent reports whether what a store keeps now outlasts the process: in a file or in Redis, and not in memory.
func IsPersistent(s Store) bool {
	f, ok := s.(interface{ lasts() bool })
	return ok && f.lasts()
}

func (f *fallback) lasts() bool { return f.up.Load() }

// open tries the backend for the first time. It has time-outs of its own: that the query which came first was cancelled
// says nothing against it.
func (f *fallback) open(ctx context.Context) {
	if err := f.backend.revive(context.WithoutCancel(ctx)); err != nil {
		f.fail(err, f.opened.Load())
		return
	}
	f.opened.Add(1)
	f.up.Store(true)
}

// fail turns to the memory. The error is of a backend that was opened for the given time.
func (f *fallback) fail(err error, opened int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || opened != f.opened.Load() {
		return
	}
	wasUp := f.up.Swap(false)
	if !wasUp && (f.mending || !f.warned.IsZero()) { // another call has met the same
		return
	}
	if wasUp && (sqlitefile.IsDamaged(err) || errors.Is(err, errSetAside)) && time.Since(f.damaged) > f.every {
		f.damaged, f.mending = time.Now(), true
		if !f.trying {
			f.trying = true
			f.work.Go(f.try)
		}
		return
	}
	f.warn(err)
}

// warn says that the memory takes the backend's place. The caller holds the lock.
func (f *fallback) warn(err error) {
	f.next = time.Now().Add(f.every)
	if time.Since(f.warned) < quiet {
		f.logger.Debug(inMemory, "error", err)
		return
	}
	f.warned = time.Now()
	f.logger.Warn(inMemory, "error", err)
}

// ready reports whether the backend is in use. Where it is not, and it is time, it is tried beside the call.
func (f *fallback) ready() bool {
	if f.up.Load() {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.trying || time.Now().Before(f.next) {
		return f.up.Load()
	}
	f.trying = true
	f.work.Go(f.try)
	return false
}

// beside runs fn beside the calls; Close waits for it. It reports false where the store is closed.
func (f *fallback) beside(fn func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.work.Go(fn)
	}
	return !f.closed
}

// try brings the backend back.
func (f *fallback) try() {
	// A damaged backend is replaced before Close returns: the next process may not notice the damage at once.
	ctx := f.ctx
	if f.isMending() {
		ctx = context.WithoutCancel(ctx)
	}
	err := f.backend.revive(ctx)
	replaced := err == nil
	if err == nil {
		err = f.handOver()
	}
	f.mu.Lock()
	if f.mending && !replaced {
		f.warn(err)
	}
	f.trying, f.mending = false, false
	f.next = time.Now().Add(f.every)
	if err == nil && !f.closed {
		f.back = time.Now()
		f.opened.Add(1)
		f.up.Store(true)
	}
	f.mu.Unlock()
	if err != nil {
		f.logger.Debug("the cache still cannot be used", "error", err)
		return
	}
	f.logger.Info("the cache can be used again", "place", f.place)
	if err := f.handOver(); err != nil { // what came in meanwhile
		f.fail(err, f.opened.Load())
	}
}

func (f *fallback) isMending() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mending
}

// handOver gives the backend what the memory holds.
func (f *fallback) handOver() error {
	const slice = 1000
	entries := f.memory.drain()
	for len(entries) > 0 {
		n := min(slice, len(entries))
		if err := f.backend.Put(f.ctx, entries[:n]); err != nil {
			f.memory.Put(context.Background(), entries) // does not fail
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// serve runs op on the backend, and on the memory where that fails.
func (f *fallback) serve(ctx context.Context, op func(Store) error) error {
	if f.ready() {
		opened := f.opened.Load()
		err := op(f.backend)
		if err == nil {
			return nil
		}
		if ended := ended(ctx); ended != nil {
			return ended
		}
		if errors.Is(err, sqlite3.BUSY) { // another process is writing: no reason to leave the file
			return err
		}
		f.fail(err, opened)
	}
	return op(f.memory)
}

// ended is ctx's error, also in the moment when its deadline is over and its own clock has not said so yet.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// Get never fails but when ctx ends: what cannot be read is missing.
func (f *fallback) Get(ctx context.Context, keys []Key) (found map[Key]Entry, err error) {
	err = f.serve(ctx, func(s Store) error {
		found, err = s.Get(ctx, keys)
		return err
	})
	if errors.Is(err, sqlite3.BUSY) {
		f.logger.Debug("the cache was not read", "error", err)
		return map[Key]Entry{}, nil
	}
	return found, err
}

// Count counts where the questions were looked for.
func (f *fallback) Count(hits, misses int64) {
	if f.up.Load() {
		f.backend.Count(hits, misses)
	} else {
		f.memory.Count(hits, misses)
	}
}

// Put never fails but when ctx ends: what cannot be kept will be asked again.
func (f *fallback) Put(ctx context.Context, entries []Entry) error {
	err := f.serve(ctx, func(s Store) error { return s.Put(ctx, entries) })
	if errors.Is(err, sqlite3.BUSY) {
		f.logger.Debug("answers were not kept", "error", err, "answers", len(entries))
		return nil
	}
	return err
}

func (f *fallback) Clear(ctx context.Context, subject string) (n int64, err error) {
	err = f.serve(ctx, func(s Store) error {
		n, err = s.Clear(ctx, subject)
		return err
	})
	return n, err
}

func (f *fallback) Prune(ctx context.Context) (n int64, err error) {
	err = f.serve(ctx, func(s Store) error {
		n, err = s.Prune(ctx)
		return err
	})
	return n, err
}

func (f *fallback) Stats(ctx context.Context) (stats Stats, err error) {
	err = f.serve(ctx, func(s Store) error {
		stats, err = s.Stats(ctx)
		return err
	})
	if err == nil && stats.Location == "memory" {
		stats.Location = "memory, in place of " + f.place
	}
	return stats, err
}

func (f *fallback) Close() error {
	f.mu.Lock()
	closed, wasUp := f.closed, f.up.Swap(false)
	f.closed = true
	f.mu.Unlock()
	if closed {
		return nil
	}
	f.cancel()
	f.work.Wait()
	err := f.backend.Close()
	f.memory.Close()
	if !wasUp { // it failed before, and that was said
		return nil
	}
	return err
}

package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/ncruces/go-sqlite3"
)

const (
	// inMemory is the one warning that a location cannot be used; the error beside it says why and what to do.
	inMemory = "the cache cannot be used, so responses are cached in this process's memory for now"
	// fallbackBytes bounds the memory that takes the place of a larger store.
	fallbackBytes = 64 << 20
	// warnEvery is how long no second warning follows one, however often the location fails and recovers.
	warnEvery = 5 * time.Minute
)

// backend is a store that can fail, and be opened again.
type backend interface {
	Store
	open(ctx context.Context) error
}

// fallback uses a backend, and memory while that fails. It opens the backend again now and then, beside a call, and
// moves to it what is in memory.
type fallback struct {
	backend  backend
	location string
	memory   *memoryStore
	logger   hclog.Logger
	every    time.Duration // how long a backend that failed is not used

	up     atomic.Bool
	ctx    context.Context // ends when the store is closed
	cancel context.CancelFunc
	work   sync.WaitGroup // what runs beside the calls

	mu       sync.Mutex
	retrying bool
	retryAt  time.Time
	back     time.Time // when the backend last became usable again
	warned   time.Time
	closed   bool
}

var _ Store = (*fallback)(nil)

func newFallback(ctx context.Context, b backend, location string, every time.Duration, opts Options) *fallback {
	f := &fallback{
		backend: b, location: location, every: every, logger: opts.Logger,
		memory: newMemory(min(opts.MaxBytes, fallbackBytes), opts.Now),
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	// The backend has timeouts of its own. It is not at fault where the first query is cancelled.
	if err := b.open(context.WithoutCancel(ctx)); err != nil {
		f.fail(err)
	} else {
		f.up.Store(true)
	}
	return f
}

// IsPersistent reports whether what a store holds now outlasts the process: it is in a file or in Redis, not in memory.
func IsPersistent(s Store) bool {
	f, ok := s.(interface{ isPersistent() bool })
	return ok && f.isPersistent()
}

func (f *fallback) isPersistent() bool { return f.up.Load() }

// fail switches to memory.
func (f *fallback) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wasUp := f.up.Swap(false)
	if f.closed || !wasUp && !f.warned.IsZero() { // another call has failed before
		return
	}
	f.retryAt = time.Now().Add(f.every)
	level := hclog.Debug
	if time.Since(f.warned) >= warnEvery {
		level, f.warned = hclog.Warn, time.Now()
	}
	f.logger.Log(level, inMemory, "error", err)
}

// ready reports whether the backend is in use. Where it is not, and it is time, it is opened again beside the call.
func (f *fallback) ready() bool {
	if f.up.Load() {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed && !f.retrying && !time.Now().Before(f.retryAt) {
		f.retrying = true
		f.work.Go(f.retry)
	}
	return f.up.Load()
}

// retry opens the backend again.
func (f *fallback) retry() {
	err := f.backend.open(f.ctx)
	if err == nil {
		err = f.moveEntries()
	}
	f.mu.Lock()
	f.retrying = false
	f.retryAt = time.Now().Add(f.every)
	if err == nil && !f.closed {
		f.back = time.Now()
		f.up.Store(true)
	}
	f.mu.Unlock()
	if err != nil {
		f.logger.Debug("the cache still cannot be used", "error", err)
		return
	}
	f.logger.Info("the cache can be used again", "location", f.location)
	if err := f.moveEntries(); err != nil { // what was cached meanwhile
		f.fail(err)
	}
}

// moveEntries moves what is in memory to the backend.
func (f *fallback) moveEntries() error {
	const slice = 1000
	entries := f.memory.drain()
	for len(entries) > 0 {
		n := min(slice, len(entries))
		if err := f.backend.Put(f.ctx, entries[:n]); err != nil {
			_ = f.memory.Put(context.Background(), entries) // does not fail
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// serve calls op with the backend, and with the memory where that fails. It returns sqlite3.BUSY where another process
// writes, which is not a reason to leave a file.
func serve[T any](ctx context.Context, f *fallback, op func(Store) (T, error)) (T, error) {
	if f.ready() {
		result, err := op(f.backend)
		if err == nil {
			return result, nil
		}
		if ctxErr := contextError(ctx); ctxErr != nil {
			return result, ctxErr
		}
		if errors.Is(err, sqlite3.BUSY) {
			return result, err
		}
		f.fail(err)
	}
	return op(f.memory)
}

// contextError returns ctx's error, also in the moment when its deadline has passed and ctx does not say so yet.
func contextError(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// Get fails only where ctx ends: what cannot be read is a cache miss.
func (f *fallback) Get(ctx context.Context, keys []Key) (map[Key]Entry, error) {
	found, err := serve(ctx, f, func(s Store) (map[Key]Entry, error) { return s.Get(ctx, keys) })
	return found, f.ignoreBusy(err)
}

// Put fails only where ctx ends: what cannot be cached is requested again.
func (f *fallback) Put(ctx context.Context, entries []Entry) error {
	_, err := serve(ctx, f, func(s Store) (struct{}, error) { return struct{}{}, s.Put(ctx, entries) })
	return f.ignoreBusy(err)
}

func (f *fallback) ignoreBusy(err error) error {
	if errors.Is(err, sqlite3.BUSY) {
		f.logger.Debug("the cache was not used", "error", err)
		return nil
	}
	return err
}

// Count counts where the entries were looked up.
func (f *fallback) Count(hits, misses int64) {
	if f.up.Load() {
		f.backend.Count(hits, misses)
	} else {
		f.memory.Count(hits, misses)
	}
}

func (f *fallback) Clear(ctx context.Context, target string) (int64, error) {
	return serve(ctx, f, func(s Store) (int64, error) { return s.Clear(ctx, target) })
}

func (f *fallback) Prune(ctx context.Context) (int64, error) {
	return serve(ctx, f, func(s Store) (int64, error) { return s.Prune(ctx) })
}

func (f *fallback) Stats(ctx context.Context) (Stats, error) {
	stats, err := serve(ctx, f, func(s Store) (Stats, error) { return s.Stats(ctx) })
	if stats.Location == "memory" {
		stats.Location = "memory, in place of " + f.location
	}
	return stats, err
}

func (f *fallback) Close() error {
	f.mu.Lock()
	wasClosed, wasUp := f.closed, f.up.Swap(false)
	f.closed = true
	f.mu.Unlock()
	if wasClosed {
		return nil
	}
	f.cancel()
	f.work.Wait()
	err := f.backend.Close()
	_ = f.memory.Close() // does not fail
	if !wasUp {          // it failed before, and a warning said so
		return nil
	}
	return err
}

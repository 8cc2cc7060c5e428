package history

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

const (
	// flushAt and flushBytes are how many observations, and about how many bytes of responses, are written at once.
	// flushAfter is how long an observation waits to be written.
	flushAt    = 200
	flushBytes = 4 << 20
	flushAfter = time.Second
	// maxPending and maxPendingBytes bound what waits while the store cannot be written.
	maxPending      = 5000
	maxPendingBytes = 16 << 20
	// retryAfter is how long a store that failed is not used.
	retryAfter = 30 * time.Second
	// writeTimeout is how long a batch may take to be written, and closeTimeout how long the end of a process waits.
	writeTimeout = time.Minute
	closeTimeout = 3 * time.Second
)

// The one warning of a store is one of these. The error beside the first says why and what to do.
const (
	unusable = "the history cannot be used, so that what is looked up now is not in it"
	tooSlow  = "the history is written more slowly than addresses are looked up, so that some are not in it"
)

// A backend is where states are stored.
type backend interface {
	// open opens the store where it is not open yet. The other methods open it too.
	open(ctx context.Context) error
	// write adds sightings and failures in one transaction, and deletes some of what is too old or too much in others: what
	// was added stays if that takes too long.
	write(ctx context.Context, sightings []*sighting, failures []Failure) error
	// states calls yield for the chosen states in their order, until it returns false.
	states(ctx context.Context, f Filter, yield func(State) bool) error
	// failures calls yield for the failures of addresses, or of all, since a time, until it returns false.
	failures(ctx context.Context, addrs []netip.Addr, since time.Time, yield func(Failure) bool) error
	stats(ctx context.Context) (Stats, error)
	close() error
}

// A Store records observations. It writes them in batches beside its callers, who never wait and get no error: a store
// that cannot be used logs one warning. Its methods may be called concurrently, and on a nil Store, which is off.
type Store struct {
	opts    Options
	backend backend       // nil where the store is off, or there is no location
	missing error         // why there is no location
	writing chan struct{} // holds a token while nothing is written
	work    sync.WaitGroup
	ctx     context.Context // ends when the store is closed
	cancel  context.CancelFunc
	// closeTimeout is how long Close may take.
	closeTimeout time.Duration

	mu       sync.Mutex
	pending  []pending
	bytes    int64           // about the memory of what is pending
	failures map[key]Failure // pending ones
	timer    *time.Timer
	opened   bool // it was begun to open the location
	flushes  bool // a write is about to begin
	retryAt  time.Time
	warned   bool
	closed   bool
}

// Open returns the store at a location. It opens the location with the first observation.
func Open(opts Options) *Store {
	s := &Store{opts: opts.withDefaults(), writing: make(chan struct{}, 1), closeTimeout: waitlimit.Of(closeTimeout)}
	s.writing <- struct{}{}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	switch {
	case opts.Location == "off":
	case isPostgres(opts.Location):
		s.backend = newPostgres(s.opts)
	default:
		path, err := PathOf(opts.Location)
		if err != nil {
			s.missing = err
			s.warn(err)
			break
		}
		s.backend = newSQLite(path, s.opts)
	}
	return s
}

// Records reports whether the store records observations: it is not off, and has a location.
func (s *Store) Records() bool { return s != nil && s.backend != nil }

// Record records an observation soon, and returns at once.
func (s *Store) Record(o Observation) {
	if !s.Records() || !o.Addr.IsValid() || o.CheckedAt.IsZero() {
		return
	}
	p := pending{observation: o}
	if s.isLarge(p) {
		p = p.reduced()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.addPending(p) {
		s.scheduleFlush(len(s.pending) >= flushAt || s.bytes >= flushBytes)
	}
}

// addPending adds an observation to those that are pending, and reports whether there is room for it. The caller holds the
// lock.
func (s *Store) addPending(p pending) bool {
	if len(s.pending) >= maxPending || s.bytes >= maxPendingBytes {
		s.leaveOut()
		return false
	}
	s.pending = append(s.pending, p)
	s.bytes += p.size()
	return true
}

// scheduleFlush has what is pending written: at once if it is enough, or else in a while. The caller holds the lock.
func (s *Store) scheduleFlush(enough bool) {
	if !s.opened { // while the other responses are still to come: a short process waits less at its end
		s.opened = true
		s.work.Go(s.openBeside)
	}
	switch {
	case !s.flushes && enough && s.ready():
		s.flushes = true
		s.work.Go(s.flushBeside)
	case s.timer == nil:
		s.timer = time.AfterFunc(flushAfter, s.flushLater)
	}
}

// isLarge reports whether an observation would keep too much of responses in memory. A bulk lookup can have a hundred of
// some MB at once.
func (s *Store) isLarge(p pending) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes+p.size() > flushBytes
}

// leaveOut notes that an observation is not recorded, once. The caller holds the lock.
func (s *Store) leaveOut() {
	if !s.warned {
		s.warned = true
		s.opts.Logger.Warn(tooSlow, "pending", len(s.pending))
	}
}

// ready reports whether the store did not just fail. The caller holds the lock.
func (s *Store) ready() bool { return !s.opts.Now().Before(s.retryAt) }

// openBeside opens the location.
func (s *Store) openBeside() {
	ctx, cancel := context.WithTimeout(s.ctx, writeTimeout)
	defer cancel()
	<-s.writing
	defer func() { s.writing <- struct{}{} }()
	if err := s.backend.open(ctx); err != nil {
		s.fail(err, nil, nil)
	}
}

// flushLater writes what is pending, when the timer ends.
func (s *Store) flushLater() {
	s.mu.Lock()
	s.timer = nil
	begin := !s.flushes && !s.closed
	if begin && !s.ready() {
		s.timer = time.AfterFunc(retryAfter, s.flushLater)
		begin = false
	}
	if begin {
		s.flushes = true
		s.work.Add(1)
	}
	s.mu.Unlock()
	if begin {
		defer s.work.Done()
		s.flushBeside()
	}
}

// flushBeside writes what is pending. A failure was logged.
func (s *Store) flushBeside() {
	ctx, cancel := context.WithTimeout(s.ctx, writeTimeout)
	defer cancel()
	if s.Flush(ctx) == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushes = false // else nothing would be written any more after it waited too long for another call that writes
	s.flushAgain()
}

// Flush writes what is pending. What cannot be written stays pending.
func (s *Store) Flush(ctx context.Context) error {
	if !s.Records() {
		return nil
	}
	select {
	case <-s.writing:
		defer func() { s.writing <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	taken, failures := s.pending, slices.Collect(maps.Values(s.failures))
	s.pending, s.failures, s.bytes, s.flushes = nil, nil, 0, false
	s.mu.Unlock()
	if len(taken) == 0 && len(failures) == 0 {
		return nil
	}
	err := s.write(ctx, taken, failures)
	if err == nil {
		return nil
	}
	s.fail(err, taken, failures)
	return err
}

// fail warns, and keeps what could not be written for another attempt.
func (s *Store) fail(err error, taken []pending, failures []Failure) {
	s.warn(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retryAt = s.opts.Now().Add(retryAfter)
	all := append(taken, s.pending...)
	s.pending, s.bytes = nil, 0
	for _, p := range all {
		s.addPending(p) // what was recorded last is left out if it is too much
	}
	for _, f := range failures {
		s.addFailure(f)
	}
	s.flushAgain()
}

// flushAgain has what is pending written after a while. The caller holds the lock.
func (s *Store) flushAgain() {
	if s.timer == nil && !s.closed {
		s.timer = time.AfterFunc(retryAfter, s.flushLater)
	}
}

func (s *Store) write(ctx context.Context, taken []pending, failures []Failure) error {
	sightings := make([]*sighting, 0, len(taken))
	for _, p := range taken {
		if p = p.reduced(); p.sighting != nil {
			sightings = append(sightings, p.sighting)
		}
	}
	return s.backend.write(ctx, sightings, failures)
}

// warn logs that the store cannot be used, once.
func (s *Store) warn(err error) {
	s.mu.Lock()
	warned := s.warned
	s.warned = true
	s.mu.Unlock()
	if warned {
		s.opts.Logger.Debug(unusable, "error", err)
		return
	}
	s.opts.Logger.Warn(unusable, "error", err)
}

// States returns the chosen states, ordered by address, source and FirstChecked, with what is pending. It ends with the
// first error. A state with a time in the future is from a wrong clock: it is left out, or ends when it began.
func (s *Store) States(ctx context.Context, f Filter) iter.Seq2[State, error] {
	return stored(ctx, s, func(yield func(State) bool) error { return s.backend.states(ctx, f, yield) })
}

// stored yields what read reads from the backend, after what is pending was written. It ends with the first error.
func stored[T any](ctx context.Context, s *Store, read func(yield func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if !s.Records() {
			return
		}
		if err := s.Flush(ctx); err != nil {
			yield(none, err)
			return
		}
		stopped := false
		err := read(func(value T) bool {
			stopped = !yield(value, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(none, err)
		}
	}
}

// Stats describes the store.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	if !s.Records() {
		if s != nil && s.missing != nil {
			return Stats{}, s.missing
		}
		return Stats{Location: "off"}, nil
	}
	if err := s.Flush(ctx); err != nil {
		return Stats{}, err
	}
	return s.backend.stats(ctx)
}

// Close writes what is pending, and closes the store. A store that failed before is closed without another attempt.
func (s *Store) Close() error {
	if !s.Records() {
		return nil
	}
	s.mu.Lock()
	closed, ready := s.closed, s.ready()
	s.closed = true
	if s.timer != nil && s.timer.Stop() {
		s.timer = nil
	}
	s.mu.Unlock()
	if closed {
		return nil
	}
	var err error
	if ready {
		ctx, cancel := context.WithTimeout(context.Background(), s.closeTimeout)
		defer cancel()
		err = s.Flush(ctx)
	}
	s.cancel() // what does not end by itself
	s.work.Wait()
	return errors.Join(err, s.backend.close())
}

package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// margin makes the rate a little slower than configured: requests that are sent exactly a second apart can arrive less
// than a second apart.
const margin = 1.03

// Limits says how careful a Limiter is with a service.
type Limits struct {
	PerSecond float64 // the configured rate
	Burst     int     // how many requests may be sent at once
	// BannedAfter is after how many refusals in a row, each after a pause, the limiter assumes a ban. BanTime is how long
	// that ban lasts where the service does not say.
	BannedAfter int
	BanTime     time.Duration
	// Adaptive bounds how many requests are under way at once, and lowers the rate where responses are slow: for a
	// service that bans.
	Adaptive bool
	// Exact counts the interval to the next request from the moment when a request is written. Setting a connection up
	// takes time, and the next request may have a connection already. The requests must go through a Transport.
	Exact bool
}

// A Limiter lets requests to one service go at a rate that the service allows. It starts at the configured rate, halves
// it when the service refuses a request, raises it again slowly, and keeps to bans. Where processes share a file the
// state is that of all of them together, see update.
type Limiter struct {
	limits Limits
	mu     sync.Mutex
	state
	sharing
	underWay int           // requests of this process
	peers    int           // how many processes divide the rate that do not share the state
	changed  chan struct{} // closed and replaced when a request ends or the state changes
	// acquiring holds the one request of this process that waits for its slot or, where the limiter is exact, has one and
	// is not yet written.
	acquiring chan struct{}
}

// New returns a limiter for one service.
func New(limits Limits) *Limiter {
	return &Limiter{
		limits: limits, state: newState(), peers: 1, changed: make(chan struct{}), acquiring: make(chan struct{}, 1),
	}
}

// A BannedError says that a service must not be sent requests before Until.
type BannedError struct {
	Service string
	Advice  string // what the user can do
	Until   time.Time
}

// Error says until when no request is sent, and what the user can do.
func (e *BannedError) Error() string {
	return fmt.Sprintf("%s refuses further requests as too many: it is not asked again before %s, unless a new process is started after `shodanrep cache clear`; %s",
		e.Service, e.Until.UTC().Format(time.RFC3339), e.Advice)
}

// ErrAway is what a Coordinator returns while it is out of reach: each machine goes on with a share of the rate.
var ErrAway = errors.New("the machines cannot be coordinated at the moment")

// A Coordinator shares rates among machines. Its methods may be called concurrently. They fail with ErrAway or with the
// context's error.
type Coordinator interface {
	// Take waits until the named rate admits one more request of all machines together.
	Take(ctx context.Context, name string, perSecond float64, burst int) error
	// Delay makes the next requests at the named rate later by d, because one was written so late. Where that fails
	// nothing is delayed.
	Delay(ctx context.Context, name string, d time.Duration)
	// Peers returns how many processes share the named rate, this one included, as far as was last known.
	Peers(name string) int
	// Available reports whether the coordination works at the moment.
	Available() bool
}

// SetRate changes the configured rate. A rate that refusals have lowered stays as it is where the new one is higher,
// and recovers up to it.
func (l *Limiter) SetRate(perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if perSecond == l.limits.PerSecond {
		return
	}
	l.limits.PerSecond = perSecond
	l.credit = 0
	if l.file != nil && l.Members != nil {
		l.join(time.Now())
	}
	l.wake()
}

// Rate returns how many requests a second the limiter allows now: the configured rate, or a lower one after refusals.
func (l *Limiter) Rate() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rate()
}

// Acquire waits until a request may be sent. The caller must end the slot with Done, Refused or Abandon. Acquire returns
// a *BannedError where no request may be sent, or the context's error. The coordinator is nil where machines share
// nothing.
func (l *Limiter) Acquire(ctx context.Context, machines Coordinator) (*Slot, error) {
	select {
	case l.acquiring <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s := &Slot{limiter: l, machines: machines, acquiring: true}
	err := l.wait(ctx, s)
	if err != nil || !l.limits.Exact {
		s.release()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// wait waits until the slot's request may be sent.
func (l *Limiter) wait(ctx context.Context, s *Slot) error {
	for {
		coordinated := s.machines != nil && s.machines.Available()
		peers := 1
		if s.machines != nil {
			peers = max(1, s.machines.Peers(l.name))
		}
		l.mu.Lock()
		l.peers = peers
		wait, err := l.admit(s, coordinated && !s.coordinated)
		perSecond, burst, changed := l.pace(time.Now()), l.allowedBurst(), l.changed
		l.mu.Unlock()
		switch {
		case err != nil:
			return err
		case !s.begun.IsZero():
			return ctx.Err()
		case wait > 0:
			s.coordinated = false // the place among the machines is too old then
			err = sleep(ctx, wait, changed)
		default:
			err = s.machines.Take(ctx, l.name, perSecond, burst)
			s.coordinated = err == nil
			if errors.Is(err, ErrAway) {
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
}

// admit begins the slot's request where it may be sent. Otherwise it returns how long to wait, 0 where only the place
// among the machines is missing. The caller holds the lock.
func (l *Limiter) admit(s *Slot, machinesFirst bool) (wait time.Duration, err error) {
	if !machinesFirst && !s.coordinated && l.spendCredit() {
		l.underWay++
		s.begun = time.Now()
		return 0, nil
	}
	l.look(func(now time.Time) bool {
		if now.Before(l.Banned) {
			err = &BannedError{Until: l.Banned}
			return true
		}
		l.recover(now)
		if l.Since.IsZero() {
			l.Since = now
		}
		wait = l.Paused.Sub(now)
		switch {
		case wait > 0:
		case l.underWay+l.othersUnderWay() >= l.window(now):
			if wait = time.Hour; l.othersUnderWay() > 0 { // else the end of this process's own wakes it
				wait = l.lookAgain()
			}
		case machinesFirst:
		case s.coordinated:
			wait = 0
			l.begin(s, now)
		default:
			if wait = l.take(now); wait <= 0 {
				l.begin(s, now)
			}
		}
		if s.begun.IsZero() && l.waiting.IsZero() {
			l.waiting = now
		}
		return !s.begun.IsZero()
	})
	if l.file != nil {
		wait = min(wait, lookEvery)
	}
	return max(0, wait), err
}

// begin counts a request as under way. The caller holds the lock.
func (l *Limiter) begin(s *Slot, now time.Time) {
	l.underWay++
	l.writing = l.limits.Exact
	l.waiting = time.Time{}
	s.begun = now
}

// limit is how many requests a second may be sent. The caller holds the lock.
func (l *Limiter) limit(now time.Time) float64 { return l.pace(now) / margin / float64(l.peers) }

// nextAt is when a request may be sent. The caller holds the lock.
func (l *Limiter) nextAt(now time.Time) time.Time {
	limit, burst := l.limit(now), float64(l.allowedBurst())
	if l.TokensAt.IsZero() {
		l.Tokens = burst
	} else {
		l.Tokens = min(burst, l.Tokens+max(0, now.Sub(l.TokensAt).Seconds())*limit)
	}
	l.TokensAt = now
	return now.Add(time.Duration((1 - l.Tokens) / limit * float64(time.Second)))
}

// take takes a token if there is one: then it returns 0, else how long to wait. The caller holds the lock.
func (l *Limiter) take(now time.Time) (wait time.Duration) {
	next := l.nextAt(now)
	switch wait = next.Sub(now); {
	case wait <= 0 && l.othersWrite():
		wait = l.lookAgain()
	case wait <= 0 && l.earlier() > 0:
		// Another process has waited for longer. It gets a moment to take the token.
		wait = next.Add(l.grace(now)).Sub(now)
	}
	if wait > 0 {
		return wait
	}
	l.Tokens--
	if n := l.block(); n > 0 {
		l.Tokens = max(0, l.Tokens-float64(n))
		l.credit, l.creditUntil = n, now.Add(creditTime)
	}
	return 0
}

// sleep waits for a while, or until wake is closed, or for the context to end.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lookEvery and lookOften are how often a process that waits reads what others have changed: whether they were refused,
// and whether one more request may be under way.
const (
	lookEvery = 250 * time.Millisecond
	lookOften = 20 * time.Millisecond
)

// lookAgain is how long a process waits until a request of another process may have ended. It is longer where responses
// take longer. The caller holds the lock.
func (l *Limiter) lookAgain() time.Duration {
	return min(lookEvery, max(lookOften, l.Latency/16))
}

// paused reports whether no request may be sent at the moment. The caller holds the lock.
func (l *Limiter) paused(now time.Time) bool { return now.Before(l.Paused) || now.Before(l.Banned) }

// wake makes all who wait look again. The caller holds the lock.
func (l *Limiter) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// ShareThrough shares the limiter's state with the processes that use the same name in the same file, and with the
// machines that use it with the same Coordinator. The file is nil where processes share nothing. ShareThrough comes
// before the first request.
func (l *Limiter) ShareThrough(file *File, name string) {
	l.file, l.name = file, name
}

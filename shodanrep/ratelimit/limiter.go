package ratelimit

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

const (
	// margin makes the rate a little slower than configured. Requests that are sent exactly a second apart can arrive less
	// than a second apart, which TestAKeptPaceIsNotRefusedByAStrictService and figures 5 and 9 would show.
	margin = 1.03
	// LongestWait is the longest pause, requested by the service, that is waited for, and the longest time of pauses in a
	// row. A longer one is a ban: a row that says until when is of more use than a query that hangs for an hour. See
	// TestALongPauseIsNotWaitedForButSaid and TestPausesWithoutEndAreNotWaitedFor.
	LongestWait = time.Minute
	// LongestBan is the longest pause or ban, whatever a service says or the cache has: a date in the year 2199 must not
	// turn a service off. A service that means it says so again. See TestABanInTheFileIsCutToSixHours.
	LongestBan = 6 * time.Hour
	// longestInterval bounds the interval of a rate: that of a very low one is no time.Duration.
	longestInterval = 365 * 24 * time.Hour
)

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
	// acquiring holds the one request of this process that waits for its slot or, where the limiter is exact, has one and
	// is not yet written.
	acquiring chan struct{}

	mu sync.Mutex
	state
	sharing
	underWay int           // requests of this process
	latency  time.Duration // of a response, a moving average; 0 before the first
	changed  chan struct{} // closed and replaced when a request ends or the state changes
}

// New returns a limiter for one service.
func New(limits Limits) *Limiter {
	return &Limiter{
		limits: limits, state: newState(), changed: make(chan struct{}), acquiring: make(chan struct{}, 1),
	}
}

// ShareThrough shares the limiter's state with the processes that use the same name in the same file, and with the
// machines that use it with the same Coordinator. The file is nil where processes share nothing. ShareThrough comes
// before the first request.
func (l *Limiter) ShareThrough(file *File, name string) {
	l.file, l.name, l.id = file, name, rand.Text()
}

// SetRate changes the configured rate. A rate that refusals have lowered stays as it is where the new one is higher,
// and recovers up to it.
func (l *Limiter) SetRate(perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limits.PerSecond = perSecond
	l.localTokens = 0
	l.wake()
}

// Rate returns how many requests a second the limiter allows now: the configured rate, or a lower one after refusals.
func (l *Limiter) Rate() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rate(time.Now())
}

// Pause lets nothing go for a while, because the service is unavailable and says for how long.
func (l *Limiter) Pause(pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.update(func(now time.Time) {
		l.pause(now, pause)
		if pause > LongestWait {
			l.Unavailable = later(l.Unavailable, now.Add(min(pause, LongestBan)))
		}
	})
	l.wake()
}

// Ban keeps to a ban that is known from elsewhere, such as an earlier process.
func (l *Limiter) Ban(until time.Time) { l.ban(until, nil) }

// BanUnavailable is Ban for a service that is unavailable until then.
func (l *Limiter) BanUnavailable(until time.Time) { l.ban(until, &l.Unavailable) }

// BanClientRefused is Ban for a service that refuses this client.
func (l *Limiter) BanClientRefused(until time.Time) { l.ban(until, &l.ClientRefused) }

// ban notes a ban, and the same time as that of its reason if it is not the number of requests.
func (l *Limiter) ban(until time.Time, reason *time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !until.After(l.Banned) {
		return
	}
	l.update(func(now time.Time) {
		until := earlier(until, now.Add(LongestBan))
		l.Banned = later(l.Banned, until)
		if reason != nil {
			*reason = later(*reason, until)
		}
	})
	l.wake()
}

// pause lets nothing go for a while from now on. The caller holds the lock.
func (l *Limiter) pause(now time.Time, pause time.Duration) {
	until := now.Add(min(pause, LongestBan))
	l.Paused = later(l.Paused, until)
	if pause > LongestWait {
		l.Banned = later(l.Banned, until)
	}
}

// wake makes all who wait look again. The caller holds the lock.
func (l *Limiter) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
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

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

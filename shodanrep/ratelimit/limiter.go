package ratelimit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// margin makes the rate a little slower than configured. Requests that are sent exactly a second apart can arrive less
	// than a second apart, which TestAKeptPaceIsNotRefusedByAStrictService and figures 5 and 9 would show.
	margin = 1.03
	// longestWait is the longest pause, requested by the service, that is waited for. A longer one is a ban: a row that
	// says until when is of more use than a query that hangs for an hour. See TestALongPauseIsNotWaitedForButSaid.
	longestWait = time.Minute
	// LongestBan is the longest pause or ban, whatever a service says or the cache has: a date in the year 2199 must not
	// turn a service off. A service that means it says so again. See TestABanInTheFileIsCutToSixHours.
	LongestBan = 6 * time.Hour
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

// A BannedError says that a service must not be sent requests before Until.
type BannedError struct {
	Service string
	Advice  string // what the user can do
	Until   time.Time
	// Unavailable says that the service asked for the pause because it is unavailable, and not because of the requests.
	Unavailable bool
	// ClientRefused says that the service refuses this client, as with HTTP 403, and does not say that it is for the number
	// of requests: it may also be a proxy or a firewall that refuses. Refusal is its response, if it is known.
	ClientRefused bool
	Refusal       string
}

// Error says until when no request is sent, and what the user can do.
func (e *BannedError) Error() string {
	if e.Unavailable {
		return fmt.Sprintf("%s is unavailable: no request is sent before %s, unless a new process is started after `shodanrep cache clear`",
			e.Service, e.Until.UTC().Format(time.RFC3339))
	}
	if e.ClientRefused {
		refusal := e.Refusal
		if refusal == "" {
			refusal = e.Service + " refuses requests from here"
		}
		return fmt.Sprintf("%s: no request is sent before %s, unless a new process is started after `shodanrep cache clear`; "+
			"check whether a proxy or firewall blocks %s, or the service has banned this address", refusal, e.Until.UTC().Format(time.RFC3339), e.Service)
	}
	return fmt.Sprintf("%s refuses further requests as too many: no request is sent before %s, unless a new process is started after `shodanrep cache clear`; %s",
		e.Service, e.Until.UTC().Format(time.RFC3339), e.Advice)
}

// Pause lets nothing go for a while, because the service is unavailable and says for how long.
func (l *Limiter) Pause(pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.update(func(now time.Time) {
		l.pause(now, pause)
		if pause > longestWait {
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
	if pause > longestWait {
		l.Banned = later(l.Banned, until)
	}
}

// wake makes all who wait look again. The caller holds the lock.
func (l *Limiter) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Acquire waits until a request may be sent. The caller must end the slot with Done, Refused or Abandon. Acquire
// returns a *BannedError where no request may be sent, or the context's error. The coordinator is nil where machines
// share nothing.
func (l *Limiter) Acquire(ctx context.Context, machines Coordinator) (*Slot, error) {
	select {
	case l.acquiring <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s := &Slot{limiter: l, machines: machines, acquiring: true}
	err := s.wait(ctx)
	if err != nil || !l.limits.Exact {
		s.release()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// wait waits until the slot's request may be sent.
func (s *Slot) wait(ctx context.Context) error {
	l := s.limiter
	local := s.machines == nil // whether this process decides by itself
	for {
		l.mu.Lock()
		wait, err := l.admit(s, local)
		now := time.Now()
		perSecond, burst, changed := l.pace(now), l.burst(now), l.changed
		l.mu.Unlock()
		switch {
		case err != nil:
			return err
		case !s.begun.IsZero():
			return nil
		case wait > 0:
			local, s.coordinated = s.machines == nil, false // the place among the machines is too old then
			err = sleep(ctx, wait, changed)
		default:
			local, err = s.takeAmongMachines(ctx, perSecond, burst)
		}
		if err != nil {
			return err
		}
	}
}

// takeAmongMachines waits for the slot's place in the rate of all machines. It reports whether they are out of reach.
func (s *Slot) takeAmongMachines(ctx context.Context, perSecond float64, burst int) (away bool, err error) {
	l := s.limiter
	peers, err := s.machines.Take(ctx, l.name, perSecond, burst)
	away = errors.Is(err, ErrAway)
	if err != nil && !away {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away = away; away {
		l.peers = max(l.peers, peers)
	} else {
		l.peers = peers
	}
	s.coordinated = !away
	return away, nil
}

// admit begins the slot's request where it may be sent. Otherwise it returns how long to wait, 0 where only the place
// among the machines is missing. The caller holds the lock.
func (l *Limiter) admit(s *Slot, local bool) (wait time.Duration, err error) {
	if local && l.spendLocal() {
		l.underWay++
		s.begun = time.Now()
		return 0, nil
	}
	l.update(func(now time.Time) {
		if now.Before(l.Banned) {
			err = &BannedError{Until: l.Banned, Unavailable: !l.Unavailable.Before(l.Banned), ClientRefused: !l.ClientRefused.Before(l.Banned)}
			return
		}
		if l.Since.IsZero() {
			l.Since = now
		}
		wait = l.Paused.Sub(now)
		if others, _, _ := l.others(); wait <= 0 && l.underWay+others >= l.window(now) {
			if wait = pollEvery; others > 0 { // else the end of an own one ends the wait
				wait = pollOften
			}
		}
		if wait <= 0 && local {
			wait = l.take(now)
		}
		switch {
		case wait <= 0 && (local || s.coordinated):
			l.underWay++
			l.writing = l.limits.Exact
			l.waiting = time.Time{}
			s.begun = now
		case l.waiting.IsZero():
			l.waiting = now
		}
	})
	if l.file != nil {
		wait = min(wait, pollEvery)
	}
	return max(0, wait), err
}

// take takes a token if there is one: then it returns 0, else how long to wait. The caller holds the lock.
func (l *Limiter) take(now time.Time) (wait time.Duration) {
	limit := l.pace(now) / margin
	if l.away {
		limit /= float64(max(1, l.peers))
	}
	interval := func(n float64) time.Duration { return time.Duration(n / limit * float64(time.Second)) }
	tokens := float64(l.burst(now))
	if !l.TokensAt.IsZero() {
		tokens = min(tokens, l.Tokens+now.Sub(l.TokensAt).Seconds()*limit)
	}
	wait = interval(1 - tokens)
	_, waitLonger, writing := l.others()
	if waitLonger {
		// Another process has waited for longer. It gets a moment to take the token.
		wait = l.TokensAt.Add(interval(1 - l.Tokens + grace)).Sub(now)
	}
	if writing {
		wait = max(wait, pollOften)
	}
	if wait > 0 {
		return wait
	}
	l.Tokens, l.TokensAt = tokens-1, now
	l.takeLocal(now)
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

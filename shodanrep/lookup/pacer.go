package lookup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
)

// margin makes the pace a little slower than allowed: requests that leave exactly a second apart can arrive less than a
// second apart.
const margin = 1.03

// limits is how careful a pacer is with a service.
type limits struct {
	perSecond float64
	burst     int
	// bannedAfter is how many refusals in a row, each after a pause, are taken for a ban, and banTime how long one is
	// taken to last where the service does not say.
	bannedAfter int
	banTime     time.Duration
	// windowed bounds how many requests are under way at once, see minWindow.
	windowed bool
	// exact counts a request from the moment when it is written, and not from when it may begin: setting a connection up
	// takes its time, and the next request, which has one, would come too soon after.
	exact bool
}

// A pacer lets requests to one service go at a pace that the service allows. It starts at the configured rate, halves
// it when the service refuses a request as one too many, recovers slowly, and knows a ban. Where processes share a file
// the state is that of all of them together, see update.
type pacer struct {
	limits
	mu sync.Mutex
	rateState
	sharing
	underWay int           // requests of this process
	peers    int           // among how many processes the rate is divided, which do not share the state
	room     chan struct{} // closed and made anew whenever a request ends or the state changes
	// line has one place, for whoever waits to send the next request of this process.
	line chan struct{}
}

func newPacer(l limits) *pacer {
	return &pacer{
		limits: l, rateState: newRateState(), peers: 1, room: make(chan struct{}), line: make(chan struct{}, 1),
	}
}

// A BannedError says that a service must not be asked before Until.
type BannedError struct {
	Service string
	Advice  string // what the user can do
	Until   time.Time
}

// Error says until when nothing is asked.
func (e *BannedError) Error() string {
	return fmt.Sprintf("%s refuses further requests as too many: it is not asked again before %s, unless a new process is started after `shodanrep cache clear`; %s",
		e.Service, e.Until.UTC().Format(time.RFC3339), e.Advice)
}

// configure changes the configured rate, when a connection is added, changed or removed. A pace that refusals have
// lowered stays as it is where the new rate is higher, and recovers up to it.
func (p *pacer) configure(perSecond float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if perSecond == p.perSecond {
		return
	}
	p.perSecond = perSecond
	p.credit = 0
	if p.file != nil && p.Members != nil {
		p.join(time.Now())
	}
	p.wake()
}

// A turn is a request's place in the pace that all machines with the same Redis keep together.
type turn struct {
	coordinator cache.Coordinator
	name        string
}

// among reports whether machines keep the rate together at the moment.
func (t turn) among() bool { return t.coordinator != nil && t.coordinator.Available() }

// peers is among how many processes the rate has to be divided while Redis is away.
func (t turn) peers() int {
	if t.coordinator == nil {
		return 1
	}
	return max(1, t.coordinator.Peers(t.name))
}

// errHeld says that a request that waited for its turn may not go after all: the service refused another meanwhile.
var errHeld = errors.New("the service has to be left alone for a moment")

// start waits until a request may go; the caller must then call done or refused with what came of it, or leave. It
// returns a BannedError where the service must not be asked, or the context's error. Where the pace is exact the
// request still has to wait for its turn, see departure.depart.
func (p *pacer) start(ctx context.Context, t turn) (*departure, error) {
	d := &departure{pacer: p, turn: t}
	err := d.line(ctx)
	for err == nil {
		among := t.among()
		if err = p.enter(ctx, d, !among && !p.exact); err != nil {
			break
		}
		switch {
		case among:
			if err = d.depart(ctx); err == nil {
				d.end()
				return d, nil
			}
		case p.exact:
			if err = p.approach(ctx, t); err == nil {
				return d, nil
			}
		default:
			d.end()
			return d, nil
		}
		p.leave()
		if errors.Is(err, errHeld) {
			err = nil
		}
	}
	d.end()
	return nil, err
}

// connectAhead is how long before its turn a request gets itself a connection, where the pace is exact. A service closes
// one on which nothing comes for long.
const connectAhead = 2 * time.Second

// approach waits until the next turn is near.
func (p *pacer) approach(ctx context.Context, t turn) error {
	for {
		p.mu.Lock()
		p.peers = t.peers()
		var near time.Duration
		p.update(func(now time.Time) {
			p.wait(now)
			// Those who have waited for longer come first.
			ahead := time.Duration(float64(p.earlier()) / p.limit(now) * float64(time.Second))
			near = p.next(now).Add(ahead - connectAhead).Sub(now)
		})
		if near > 0 && p.shared() { // another may give up its turn
			near = min(near, lookEvery)
		}
		p.mu.Unlock()
		if near <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, near, nil); err != nil {
			return err
		}
	}
}

// limit is how many requests a second may be sent. The caller holds the lock.
func (p *pacer) limit(now time.Time) float64 { return p.pace(now) / margin / float64(p.peers) }

// next is when a request may be sent. The caller holds the lock.
func (p *pacer) next(now time.Time) time.Time {
	limit, burst := p.limit(now), float64(p.allowedBurst())
	if p.TokensAt.IsZero() {
		p.Tokens = burst
	} else {
		p.Tokens = min(burst, p.Tokens+max(0, now.Sub(p.TokensAt).Seconds())*limit)
	}
	p.TokensAt = now
	interval := func(n float64) time.Duration { return time.Duration(n / limit * float64(time.Second)) }
	at := now.Add(interval(1 - p.Tokens))
	if p.exact {
		if written := p.Written.Add(interval(1)); written.After(at) {
			return written
		}
	}
	return at
}

// take takes a turn if it has come: then it returns 0, else how long to wait. The caller holds the lock.
func (p *pacer) take(now time.Time) (wait time.Duration) {
	next := p.next(now)
	if wait = next.Sub(now); wait <= 0 && p.earlier() > 0 {
		// Another process has waited for longer. It gets a moment to take its turn.
		wait = next.Add(p.grace(now)).Sub(now)
	}
	if wait > 0 {
		p.wait(now)
		return wait
	}
	p.Tokens--
	p.waiting = time.Time{}
	if p.exact {
		p.Written = now
	}
	if n := p.block(); n > 0 {
		p.Tokens = max(0, p.Tokens-float64(n))
		p.credit, p.creditUntil = n, now.Add(creditTime)
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

// lookEvery and lookOften are how often a process that waits looks what others have changed: whether they were refused,
// and whether there is room for one more request under way.
const (
	lookEvery = 250 * time.Millisecond
	lookOften = 20 * time.Millisecond
)

// lookAgain is how long a process waits that has no room for one more request until one of another process may have been
// answered. It looks less often where responses take longer. The caller holds the lock.
func (p *pacer) lookAgain() time.Duration {
	return min(lookEvery, max(lookOften, p.Latency/16))
}

// enter waits until one more request may be under way and, where it is to take it, for its turn. The caller has the
// line's place.
func (p *pacer) enter(ctx context.Context, d *departure, take bool) error {
	for {
		p.mu.Lock()
		p.peers = d.turn.peers()
		if take && p.spendCredit() {
			d.begun = time.Now()
			p.underWay++
			p.mu.Unlock()
			return nil
		}
		var (
			wait    time.Duration
			entered bool
			until   time.Time
		)
		p.look(func(now time.Time) bool {
			if now.Before(p.Banned) {
				until = p.Banned
				return true
			}
			p.recover(now)
			if p.Since.IsZero() {
				p.Since = now
			}
			wait = p.Paused.Sub(now)
			switch {
			case wait > 0:
			case p.underWay+p.othersUnderWay() >= p.window(now):
				if wait = time.Hour; p.othersUnderWay() > 0 { // else the end of this process's own wakes it
					wait = p.lookAgain()
				}
			case take:
				wait = p.take(now)
				fallthrough
			default:
				if entered = wait <= 0; entered {
					p.underWay++
					d.begun = now
				}
			}
			if !entered {
				p.wait(now)
			}
			return entered
		})
		if !take {
			d.begun = time.Time{}
		}
		room := p.room
		if p.shared() {
			wait = min(wait, lookEvery)
		}
		p.mu.Unlock()
		switch {
		case !until.IsZero():
			return &BannedError{Until: until}
		case entered:
			return nil
		}
		if err := sleep(ctx, wait, room); err != nil {
			return err
		}
	}
}

// wait waits for the pace to allow a request: for that of all machines together, or, where there is none or it is away,
// for the one that this process keeps. The caller has the line's place.
func (d *departure) wait(ctx context.Context) error {
	p := d.pacer
	if d.turn.coordinator != nil {
		p.mu.Lock()
		perSecond, burst := p.pace(time.Now()), p.allowedBurst()
		p.mu.Unlock()
		err := d.turn.coordinator.Take(ctx, d.turn.name, perSecond, burst)
		if !errors.Is(err, cache.ErrAway) {
			return err
		}
	}
	for {
		p.mu.Lock()
		p.peers = d.turn.peers()
		var wait time.Duration
		held := false
		p.update(func(now time.Time) {
			if held = p.held(now); !held {
				wait = p.take(now)
			}
		})
		if wait > 0 && p.shared() {
			wait = min(wait, lookEvery)
		}
		p.mu.Unlock()
		switch {
		case held:
			return errHeld
		case wait <= 0:
			return ctx.Err()
		}
		if err := sleep(ctx, wait, nil); err != nil {
			return err
		}
	}
}

// held reports whether nothing may go at the moment. The caller holds the lock.
func (p *pacer) held(now time.Time) bool { return now.Before(p.Paused) || now.Before(p.Banned) }

// leave ends a request that start had let go.
func (p *pacer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underWay--
	if !p.fast() {
		p.update(func(time.Time) {})
	}
	p.wake()
}

// wake lets all who wait look again. The caller holds the lock.
func (p *pacer) wake() {
	close(p.room)
	p.room = make(chan struct{})
}

// share makes the state that of all processes that share the file. It comes before the first request.
func (p *pacer) share(file *ratelimit.File, name string) {
	p.file, p.record = file, name
}

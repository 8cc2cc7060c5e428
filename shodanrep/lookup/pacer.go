package lookup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup/cache"
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
// it when the service refuses a request as one too many, recovers slowly, and knows a ban.
type pacer struct {
	limits
	mu       sync.Mutex
	limiter  *rate.Limiter
	current  float64       // the pace now
	ceiling  float64       // recovery ends here
	changed  time.Time     // when current was last raised or lowered
	paused   time.Time     // nothing goes before this
	banned   time.Time     // nothing is asked before this at all
	refusal  time.Time     // when the last one came
	refusals int           // in a row
	latency  time.Duration // how long an answer takes, a moving average
	underWay int
	least    int           // how many may be under way whatever the pace
	since    time.Time     // when asking began, or may go on after the last refusal
	lowered  time.Time     // when the ceiling came to be what it is
	patience time.Duration // how long it stays so, see forgiveness
	peers    int           // among how many processes the pace is divided
	room     chan struct{} // closed and made anew whenever a request ends or the pace changes
	// line has one place, for whoever waits for the limiter. It lets go of several who wait at intervals of the pace that
	// was when they came, and when the pace rises the next one would come too soon after them.
	line    chan struct{}
	written time.Time // when the last request was, where the pace is exact
}

func newPacer(l limits) *pacer {
	return &pacer{
		limits: l, limiter: rate.NewLimiter(rate.Limit(l.perSecond/margin), l.burst),
		current: l.perSecond, ceiling: l.perSecond, patience: forgiveness, peers: 1, least: minWindow,
		room: make(chan struct{}), line: make(chan struct{}, 1),
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
	if p.ceiling == p.perSecond || perSecond < p.ceiling {
		if p.current == p.perSecond || perSecond < p.current {
			p.set(perSecond)
		}
		p.ceiling = perSecond
	}
	p.perSecond = perSecond
	p.wake()
}

// set changes the pace. The caller holds the lock.
func (p *pacer) set(perSecond float64) {
	p.current, p.changed = perSecond, time.Now()
}

// A turn is a request's place in the pace that all machines with the same Redis keep together.
type turn struct {
	coordinator cache.Coordinator
	name        string
}

// errHeld says that a request that waited for its turn may not go after all: the service refused another meanwhile.
var errHeld = errors.New("the service has to be left alone for a moment")

// start waits until a request may go; the caller must then call done or refused with what came of it, or leave. It
// returns a BannedError where the service must not be asked, or the context's error. Where the pace is exact the
// request still has to wait for its turn, see departure.depart.
func (p *pacer) start(ctx context.Context, t turn) (*departure, error) {
	for {
		if err := p.enter(ctx); err != nil {
			return nil, err
		}
		d := &departure{pacer: p, turn: t}
		err := d.line(ctx)
		switch amongMachines := t.coordinator != nil && t.coordinator.Available(); {
		case err != nil:
		case !p.exact || amongMachines:
			err = d.depart(ctx)
			d.end()
		default:
			if err = p.approach(ctx); err != nil {
				d.end()
			}
		}
		if err == nil {
			return d, nil
		}
		p.leave()
		if !errors.Is(err, errHeld) {
			return nil, err
		}
	}
}

// connectAhead is how long before its turn a request gets itself a connection, where the pace is exact. A service closes
// one on which nothing comes for long.
const connectAhead = 2 * time.Second

// approach waits until the next turn is near.
func (p *pacer) approach(ctx context.Context) error {
	p.mu.Lock()
	near := p.next().Add(-connectAhead)
	p.mu.Unlock()
	return waitUntil(ctx, near)
}

// limit is how many requests a second this process may send. The caller holds the lock.
func (p *pacer) limit() float64 { return p.pace(time.Now()) / margin / float64(p.peers) }

// next is when a request may be written again, where the pace is exact. The caller holds the lock.
func (p *pacer) next() time.Time {
	return p.written.Add(time.Duration(float64(time.Second) / p.limit()))
}

// waitUntil waits for a moment, or for the context to end.
func waitUntil(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter waits until one more request may be under way.
func (p *pacer) enter(ctx context.Context) error {
	for {
		p.mu.Lock()
		now := time.Now()
		if now.Before(p.banned) {
			until := p.banned
			p.mu.Unlock()
			return &BannedError{Until: until}
		}
		p.recover(now)
		if p.since.IsZero() {
			p.since = now
		}
		pause, room := p.paused.Sub(now), p.room
		if pause <= 0 && p.underWay < p.window(now) {
			p.underWay++
			p.mu.Unlock()
			return nil
		}
		p.mu.Unlock()
		var wake <-chan time.Time
		if pause > 0 {
			timer := time.NewTimer(pause)
			defer timer.Stop()
			wake = timer.C
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-room:
		}
	}
}

// wait waits for the pace to allow a request: for that of all machines together, or, where there is none or it is away,
// for this process's own share. The caller has the line's place.
func (p *pacer) wait(ctx context.Context, t turn) error {
	peers := 1
	if t.coordinator != nil {
		p.mu.Lock()
		perSecond, burst := p.pace(time.Now()), p.limiter.Burst()
		p.mu.Unlock()
		err := t.coordinator.Take(ctx, t.name, perSecond, burst)
		if !errors.Is(err, cache.ErrAway) {
			return err
		}
		peers = max(1, t.coordinator.Peers(t.name))
	}
	p.mu.Lock()
	p.peers = peers
	p.limiter.SetLimit(rate.Limit(p.limit()))
	next := p.next()
	p.mu.Unlock()
	if err := p.limiter.Wait(ctx); err != nil || !p.exact {
		return err
	}
	return waitUntil(ctx, next)
}

// leave ends a request that start had let go.
func (p *pacer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underWay--
	p.wake()
}

// wake lets all who wait look again. The caller holds the lock.
func (p *pacer) wake() {
	close(p.room)
	p.room = make(chan struct{})
}

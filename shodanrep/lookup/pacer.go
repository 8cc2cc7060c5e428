package lookup

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup/cache"
)

const (
	// margin makes the pace a little slower than allowed: requests that leave exactly a second apart can arrive less
	// than a second apart.
	margin = 1.03
	// ceilingShare is how near the rate that was refused last a recovering pace may come.
	ceilingShare = 0.75
	// recovery is the share of the configured rate that a slowed pace wins back in a second without a refusal.
	recovery = 0.02
	// minRate is the slowest pace, in requests a second, that refusals lead to.
	minRate = 0.1
	// firstPause is how long nothing is asked after a refusal; each further one in a row doubles it.
	firstPause = time.Second
	maxPause   = 30 * time.Second
	// longestWait is the longest pause, asked for by the service, that is waited for. A longer one is a ban: a row that
	// says until when is of more use than a query that hangs for an hour.
	longestWait = time.Minute
	// forgiveness is how long after the last refusal a pace that was refused may be tried again; each time doubles it.
	forgiveness = 10 * time.Minute
	// leastWindow, latencyShare and minWindow bound how many requests may be under way at once, in time's worth, in
	// answers' times and in number, where the service can ban: as many refusals as are under way can come at one moment,
	// and a service may count them.
	leastWindow  = 100 * time.Millisecond
	latencyShare = 1.25
	minWindow    = 4
	// ramp is how long it takes from minWindow to all that the pace needs under way, at the start and after a refusal.
	ramp = 10 * time.Second
	// rampedPace is the fastest pace, in requests a second, that begins so. A faster one somebody has set on purpose, for
	// a service that is known to bear it.
	rampedPace = 100
)

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
	since    time.Time     // when asking began, or may go on after the last refusal
	lowered  time.Time     // when the ceiling came to be what it is
	patience time.Duration // how long it stays so, see forgiveness
	peers    int           // among how many processes the pace is divided
	room     chan struct{} // closed and made anew whenever a request ends or the pace changes
	// line has one place, for whoever waits for the limiter. It lets go of several who wait at intervals of the pace that
	// was when they came, and when the pace rises the next one would come too soon after them.
	line chan struct{}
}

func newPacer(l limits) *pacer {
	return &pacer{
		limits: l, limiter: rate.NewLimiter(rate.Limit(l.perSecond/margin), l.burst),
		current: l.perSecond, ceiling: l.perSecond, patience: forgiveness, peers: 1,
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
	return fmt.Sprintf("%s refuses further requests as too many: it is not asked again before %s; %s", e.Service, e.Until.UTC().Format(time.RFC3339), e.Advice)
}

// tighten makes sure that the pace is no faster than perSecond: connections that share a service share its pacer, and
// the most careful of them decides.
func (p *pacer) tighten(perSecond float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if perSecond < p.perSecond {
		p.perSecond = perSecond
		p.set(min(p.current, perSecond))
		p.ceiling = min(p.ceiling, perSecond)
	}
}

// set changes the pace. The caller holds the lock.
func (p *pacer) set(perSecond float64) {
	p.current, p.changed = perSecond, time.Now()
	p.limiter.SetLimit(rate.Limit(perSecond / margin / float64(p.peers)))
}

// A turn is a request's place in the pace that all machines with the same Redis keep together.
type turn struct {
	coordinator cache.Coordinator
	name        string
}

// wait waits for the pace to allow a request: for that of all machines together, or, where there is none or it is away,
// for this process's own share.
func (p *pacer) wait(ctx context.Context, t turn) error {
	peers := 1
	if t.coordinator != nil {
		p.mu.Lock()
		perSecond, burst := p.current, p.limiter.Burst()
		p.mu.Unlock()
		err := t.coordinator.Take(ctx, t.name, perSecond, burst)
		if !errors.Is(err, cache.ErrAway) {
			return err
		}
		peers = max(1, t.coordinator.Peers(t.name))
	}
	p.mu.Lock()
	if peers != p.peers {
		p.peers = peers
		p.set(p.current)
	}
	p.mu.Unlock()
	select {
	case p.line <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.line }()
	return p.limiter.Wait(ctx)
}

// window is how many requests may be under way. The caller holds the lock.
func (p *pacer) window(now time.Time) int {
	if p.refusals > 0 {
		return 1 // after a refusal one request finds out whether the service answers again
	}
	if !p.windowed {
		return math.MaxInt
	}
	share := 1.0
	if p.perSecond <= rampedPace {
		share = min(1, now.Sub(p.since).Seconds()/ramp.Seconds())
	}
	return max(minWindow, int(share*p.current*max(leastWindow.Seconds(), latencyShare*p.latency.Seconds())))
}

// start waits until a request may go; the caller must then call done with what came of it. It returns a BannedError
// where the service must not be asked, or the context's error.
func (p *pacer) start(ctx context.Context, t turn) (begun time.Time, err error) {
	for {
		p.mu.Lock()
		now := time.Now()
		if now.Before(p.banned) {
			until := p.banned
			p.mu.Unlock()
			return time.Time{}, &BannedError{Until: until}
		}
		p.recover(now)
		if p.since.IsZero() {
			p.since = now
		}
		pause, room := p.paused.Sub(now), p.room
		if pause <= 0 && p.underWay < p.window(now) {
			p.underWay++
			p.mu.Unlock()
			break
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
			return time.Time{}, ctx.Err()
		case <-wake:
		case <-room:
		}
	}
	if err := p.wait(ctx, t); err != nil {
		p.leave()
		return time.Time{}, err
	}
	// A refusal may have come while this one waited for its turn: the pause is for it too.
	p.mu.Lock()
	now := time.Now()
	held := now.Before(p.paused) || now.Before(p.banned)
	p.mu.Unlock()
	if held {
		p.leave()
		return p.start(ctx, t)
	}
	return now, nil
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

// recover raises a lowered pace by what the time since the last change has earned. The caller holds the lock.
func (p *pacer) recover(now time.Time) {
	if p.refusals > 0 {
		return
	}
	if p.ceiling < p.perSecond && now.Sub(p.lowered) > p.patience {
		p.lowered = now
		p.patience *= 2
		if p.ceiling /= ceilingShare; p.ceiling >= p.perSecond {
			p.ceiling = p.perSecond
			p.limiter.SetBurst(p.burst)
		}
	}
	if p.current >= p.ceiling {
		return
	}
	if earned := now.Sub(p.changed).Seconds() * recovery * p.perSecond; earned > 0.05*p.current {
		p.set(min(p.ceiling, p.current+earned))
	}
}

// done reports that a request that began at the given moment was answered, whatever the answer, or failed.
func (p *pacer) done(begun time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underWay--
	took := time.Since(begun)
	p.latency += (took - p.latency) / 8
	if begun.After(p.refusal) { // one that left before says nothing of whether the service answers again
		p.refusals = 0
	}
	p.wake()
}

// refused reports that a request was one too many. It returns the moment before which nothing goes, and whether that
// is a ban.
func (p *pacer) refused(begun time.Time, retryAfter time.Duration) (until time.Time, ban bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.wake()
	p.underWay--
	now := time.Now()
	if !begun.After(p.refusal) {
		// It left before the last refusal slowed the pace down, and says nothing new.
		p.holdFor(now, retryAfter)
		return p.paused, now.Before(p.banned)
	}
	p.refusals++
	p.refusal = now
	pause := max(min(firstPause<<(p.refusals-1), maxPause), retryAfter)
	if p.refusals >= p.bannedAfter {
		pause = max(p.banTime, retryAfter)
		p.banned = now.Add(pause)
	}
	p.holdFor(now, pause)
	if now.Before(p.banned) {
		return p.banned, true
	}
	p.since, p.lowered = p.paused, now
	p.ceiling = max(minRate, min(p.ceiling, p.current*ceilingShare))
	p.set(max(minRate, p.current/2))
	p.limiter.SetBurst(1)
	return p.paused, false
}

// hold lets nothing go for a while, as a service asks that has a pause of its own.
func (p *pacer) hold(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holdFor(time.Now(), pause)
	p.wake()
}

// holdFor lets nothing go for a while from now on. The caller holds the lock.
func (p *pacer) holdFor(now time.Time, pause time.Duration) {
	until := now.Add(pause)
	if until.After(p.paused) {
		p.paused = until
	}
	if pause > longestWait && until.After(p.banned) {
		p.banned = until
	}
}

// ban sets a ban that is known from elsewhere: another process, an earlier run.
func (p *pacer) ban(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.banned) {
		p.banned = until
		p.wake()
	}
}

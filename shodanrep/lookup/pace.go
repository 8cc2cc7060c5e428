package lookup

import (
	"math"
	"time"
)

const (
	// ceilingShare is how near the rate that was refused last a recovering pace may come.
	ceilingShare = 0.75
	// lateShare lowers that for each further request that was refused because it was under way by then: the more there
	// are, the more the pace was above what the service allows.
	lateShare = 0.9
	// soon is how shortly after a pause a refusal says that half the pace was still far too much. Then it is quartered.
	soon = 3 * time.Second
	// steady is after how long without a refusal one says little of the pace, at a service that does not ban: another
	// program may have used the key, or a request been late.
	steady = time.Minute
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
	// longestBan is the longest pause or ban, whatever a service says or the cache has: a date in the year 2199 must not
	// turn a service off. A service that means it says so again.
	longestBan = 6 * time.Hour
	// forgiveness is how long after the last refusal a pace that was refused may be tried again; each time doubles it.
	forgiveness = 10 * time.Minute
	// leastWindow, latencyShare and minWindow bound how many requests may be under way at once, in time's worth, in
	// answers' times and in number, where the service can ban: as many refusals as are under way can come at one moment,
	// and a service may count them.
	leastWindow  = 100 * time.Millisecond
	latencyShare = 1.25
	minWindow    = 4
	// ramp is after how many answers' times one more may be under way, from minWindow on at the start, and from one on after
	// a refusal. A service that lets come some at once refuses only when those are spent, and then all that is under way
	// too much. Growing by one in so many answers' times that is about the root of 2/ramp times what came at once, however
	// long an answer takes. More than fewWindow come ramp times as slowly: few services mind that many refusals.
	ramp      = 8
	fewWindow = 8
	// rampedPace is the fastest pace, in requests a second, that begins so. A faster one somebody has set on purpose, for
	// a service that is known to bear it.
	rampedPace = 100
)

// window is how many requests may be under way. The caller holds the lock.
func (p *pacer) window(now time.Time) int {
	if p.refusals > 0 {
		return 1 // after a refusal one request finds out whether the service answers again
	}
	if !p.windowed {
		return math.MaxInt
	}
	full := p.current * max(leastWindow.Seconds(), latencyShare*p.latency.Seconds())
	if p.perSecond <= rampedPace {
		grown := float64(p.least)
		if p.latency > 0 {
			grown += float64(now.Sub(p.since)) / float64(ramp*p.latency)
		}
		if grown > fewWindow {
			grown = fewWindow + (grown-fewWindow)/ramp
		}
		full = min(full, grown)
	}
	return max(p.least, int(full))
}

// pace is how fast requests go. Where few may be under way and answers are slow that is less than current, and going
// evenly at less keeps them from coming in bunches that a service refuses. The caller holds the lock.
func (p *pacer) pace(now time.Time) float64 {
	if !p.windowed || p.perSecond > rampedPace || p.latency == 0 {
		return p.current
	}
	return max(minRate, min(p.current, float64(p.window(now))/p.latency.Seconds()))
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
	p.took(time.Since(begun))
	if begun.After(p.refusal) { // one that left before says nothing of whether the service answers again
		p.refusals = 0
	}
	p.wake()
}

// took notes how long an answer took. The caller holds the lock.
func (p *pacer) took(d time.Duration) {
	if p.latency == 0 {
		p.latency = d
	}
	p.latency += (d - p.latency) / 8
}

// refused reports that a request was one too many. It returns the moment before which nothing goes, and whether that
// is a ban.
func (p *pacer) refused(begun time.Time, retryAfter time.Duration) (until time.Time, ban bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.wake()
	p.underWay--
	now := time.Now()
	retryAfter = min(retryAfter, longestBan)
	p.took(now.Sub(begun))
	if !begun.After(p.refusal) {
		// It left before the last refusal slowed the pace down, which need not be slowed again for it.
		if p.windowed {
			p.ceiling = max(minRate, p.ceiling*lateShare)
		}
		p.holdFor(now, retryAfter)
		return p.paused, now.Before(p.banned)
	}
	pace := p.current
	if p.limiter.Burst() == 1 { // else it may have been the burst that was too much
		pace = p.pace(now)
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
	slower := 2.0
	if p.windowed && p.least == 1 && now.Sub(p.since) < soon {
		slower = 4
	}
	if p.windowed || now.Sub(p.since) < steady {
		p.ceiling = max(minRate, min(p.ceiling, pace*ceilingShare))
		p.lowered = now
	}
	p.since, p.least = p.paused, 1
	p.set(max(minRate, pace/slower))
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
	until := now.Add(min(pause, longestBan))
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
	if latest := time.Now().Add(longestBan); until.After(latest) {
		until = latest
	}
	if until.After(p.banned) {
		p.banned = until
		p.wake()
	}
}

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

// configured is the rate that the service is sent at most: the lowest that a process with requests has. The caller holds
// the lock.
func (p *pacer) configured() float64 {
	perSecond := p.perSecond
	for _, m := range p.Members {
		perSecond = min(perSecond, m.PerSecond)
	}
	return perSecond
}

// highest is the rate at which recovery ends. The caller holds the lock.
func (p *pacer) highest() float64 {
	if p.Ceiling == 0 {
		return p.configured()
	}
	return min(p.Ceiling, p.configured())
}

// rate is the rate now: the configured one, or what refusals made of it. The caller holds the lock.
func (p *pacer) rate() float64 {
	if p.Current == 0 {
		return p.highest()
	}
	return min(p.Current, p.highest())
}

// set changes the rate. The caller holds the lock.
func (p *pacer) set(perSecond float64, now time.Time) {
	p.Current, p.Changed = perSecond, now
}

// allowedBurst is how many requests may go at once: after a refusal that is one until the rate has recovered. The caller
// holds the lock.
func (p *pacer) allowedBurst() int {
	if p.Ceiling > 0 {
		return 1
	}
	return p.burst
}

// window is how many requests may be under way. The caller holds the lock.
func (p *pacer) window(now time.Time) int {
	if p.Refusals > 0 {
		return 1 // after a refusal one request finds out whether the service answers again
	}
	if !p.windowed {
		return math.MaxInt
	}
	full := p.rate() * max(leastWindow.Seconds(), latencyShare*p.Latency.Seconds())
	if p.configured() <= rampedPace {
		grown := float64(p.MinWindow)
		if p.Latency > 0 {
			grown += float64(now.Sub(p.Since)) / float64(ramp*p.Latency)
		}
		if grown > fewWindow {
			grown = fewWindow + (grown-fewWindow)/ramp
		}
		full = min(full, grown)
	}
	return max(p.MinWindow, int(full))
}

// pace is how fast requests go. Where few may be under way and answers are slow that is less than the rate, and going
// evenly at less keeps them from coming in bunches that a service refuses. The caller holds the lock.
func (p *pacer) pace(now time.Time) float64 {
	if !p.windowed || p.configured() > rampedPace || p.Latency == 0 {
		return p.rate()
	}
	return max(minRate, min(p.rate(), float64(p.window(now))/p.Latency.Seconds()))
}

// recover raises a lowered rate by what the time since the last change has earned. The caller holds the lock.
func (p *pacer) recover(now time.Time) {
	if p.Refusals > 0 {
		return
	}
	if p.Ceiling > 0 && now.Sub(p.LoweredAt) > p.Patience {
		p.LoweredAt = now
		p.Patience = min(2*p.Patience, maxForgiveness)
		if p.Ceiling /= ceilingShare; p.Ceiling >= p.configured() {
			p.Ceiling = 0
		}
	}
	if p.Current == 0 {
		return
	}
	if earned := now.Sub(p.Changed).Seconds() * recovery * p.configured(); p.Current < p.highest() && earned > 0.05*p.Current {
		p.set(min(p.highest(), p.Current+earned), now)
	}
	if p.Ceiling == 0 && p.Current >= p.highest() {
		p.Current = 0
	}
}

// done reports that a request that began at the given moment was answered, whatever the answer, or failed.
func (p *pacer) done(begun time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underWay--
	latency := time.Since(begun)
	if p.fast() { // the next look into the file tells the others
		p.took(latency)
		p.latencyAhead = true
	} else {
		p.update(func(time.Time) {
			p.took(latency)
			if begun.After(p.Refusal) { // one that left before says nothing of whether the service answers again
				p.Refusals = 0
			}
		})
	}
	p.wake()
}

// took notes how long an answer took. The caller holds the lock.
func (p *pacer) took(d time.Duration) {
	if p.Latency == 0 {
		p.Latency = d
	}
	p.Latency += (d - p.Latency) / 8
}

// refused reports that a request was one too many. It returns the moment before which nothing goes, and whether that
// is a ban.
func (p *pacer) refused(begun time.Time, retryAfter time.Duration) (until time.Time, ban bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underWay--
	p.update(func(now time.Time) {
		p.refuse(now, begun, min(retryAfter, longestBan))
		until, ban = p.Paused, now.Before(p.Banned)
		if ban {
			until = p.Banned
		}
	})
	p.credit = 0
	p.wake()
	return until, ban
}

// refuse slows the rate down for a refusal. The caller holds the lock.
func (p *pacer) refuse(now, begun time.Time, retryAfter time.Duration) {
	p.took(now.Sub(begun))
	if !begun.After(p.Refusal) {
		// It left before the last refusal slowed the pace down, which need not be slowed again for it.
		if p.windowed {
			p.Ceiling = max(minRate, p.highest()*lateShare)
		}
		p.holdFor(now, retryAfter)
		return
	}
	pace := p.rate()
	if p.allowedBurst() == 1 { // else it may have been the burst that was too much
		pace = p.pace(now)
	}
	p.Refusals++
	p.Refusal = now
	pause := max(min(firstPause<<min(p.Refusals-1, 10), maxPause), retryAfter)
	if p.Refusals >= p.bannedAfter {
		pause = max(p.banTime, retryAfter)
		p.Banned = now.Add(pause)
	}
	p.holdFor(now, pause)
	if now.Before(p.Banned) {
		return
	}
	slower := 2.0
	if p.windowed && p.MinWindow == 1 && now.Sub(p.Since) < soon {
		slower = 4
	}
	if p.windowed || now.Sub(p.Since) < steady {
		p.Ceiling = max(minRate, min(p.highest(), pace*ceilingShare))
		p.LoweredAt = now
	}
	p.Since, p.MinWindow = p.Paused, 1
	p.set(max(minRate, pace/slower), now)
	p.Tokens = min(p.Tokens, 1)
}

// hold lets nothing go for a while, as a service asks that has a pause of its own.
func (p *pacer) hold(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.update(func(now time.Time) { p.holdFor(now, pause) })
	p.credit = 0
	p.wake()
}

// holdFor lets nothing go for a while from now on. The caller holds the lock.
func (p *pacer) holdFor(now time.Time, pause time.Duration) {
	until := now.Add(min(pause, longestBan))
	if until.After(p.Paused) {
		p.Paused = until
	}
	if pause > longestWait && until.After(p.Banned) {
		p.Banned = until
	}
}

// ban sets a ban that is known from elsewhere: another process, an earlier run.
func (p *pacer) ban(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if latest := time.Now().Add(longestBan); until.After(latest) {
		until = latest
	}
	if !until.After(p.Banned) {
		return
	}
	p.update(func(time.Time) {
		if until.After(p.Banned) {
			p.Banned = until
		}
	})
	p.wake()
}

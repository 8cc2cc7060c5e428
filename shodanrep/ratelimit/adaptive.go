package ratelimit

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
	// LongestBan is the longest pause or ban, whatever a service says or the cache has: a date in the year 2199 must not
	// turn a service off. A service that means it says so again.
	LongestBan = 6 * time.Hour
	// ceilingTTL is how long after the last refusal a pace that was refused may be tried again; each time doubles it.
	ceilingTTL = 10 * time.Minute
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
func (l *Limiter) configured() float64 {
	perSecond := l.limits.PerSecond
	for _, m := range l.Members {
		perSecond = min(perSecond, m.PerSecond)
	}
	return perSecond
}

// highest is the rate at which recovery ends. The caller holds the lock.
func (l *Limiter) highest() float64 {
	if l.Ceiling == 0 {
		return l.configured()
	}
	return min(l.Ceiling, l.configured())
}

// rate is the rate now: the configured one, or what refusals made of it. The caller holds the lock.
func (l *Limiter) rate() float64 {
	if l.Current == 0 {
		return l.highest()
	}
	return min(l.Current, l.highest())
}

// set changes the rate. The caller holds the lock.
func (l *Limiter) set(perSecond float64, now time.Time) {
	l.Current, l.Changed = perSecond, now
}

// allowedBurst is how many requests may go at once: after a refusal that is one until the rate has recovered. The caller
// holds the lock.
func (l *Limiter) allowedBurst() int {
	if l.Ceiling > 0 {
		return 1
	}
	return l.limits.Burst
}

// window is how many requests may be under way. The caller holds the lock.
func (l *Limiter) window(now time.Time) int {
	if l.Refusals > 0 {
		return 1 // after a refusal one request finds out whether the service answers again
	}
	if !l.limits.Adaptive {
		return math.MaxInt
	}
	full := l.rate() * max(leastWindow.Seconds(), latencyShare*l.Latency.Seconds())
	if l.configured() <= rampedPace {
		grown := float64(l.MinWindow)
		if l.Latency > 0 {
			grown += float64(now.Sub(l.Since)) / float64(ramp*l.Latency)
		}
		if grown > fewWindow {
			grown = fewWindow + (grown-fewWindow)/ramp
		}
		full = min(full, grown)
	}
	return max(l.MinWindow, int(full))
}

// pace is how fast requests go. Where few may be under way and answers are slow that is less than the rate, and going
// evenly at less keeps them from coming in bunches that a service refuses. The caller holds the lock.
func (l *Limiter) pace(now time.Time) float64 {
	if !l.limits.Adaptive || l.configured() > rampedPace || l.Latency == 0 {
		return l.rate()
	}
	return max(minRate, min(l.rate(), float64(l.window(now))/l.Latency.Seconds()))
}

// recover raises a lowered rate by what the time since the last change has earned. The caller holds the lock.
func (l *Limiter) recover(now time.Time) {
	if l.Refusals > 0 {
		return
	}
	if l.Ceiling > 0 && now.Sub(l.LoweredAt) > l.CeilingTTL {
		l.LoweredAt = now
		l.CeilingTTL = min(2*l.CeilingTTL, maxCeilingTTL)
		if l.Ceiling /= ceilingShare; l.Ceiling >= l.configured() {
			l.Ceiling = 0
		}
	}
	if l.Current == 0 {
		return
	}
	if earned := now.Sub(l.Changed).Seconds() * recovery * l.configured(); l.Current < l.highest() && earned > 0.05*l.Current {
		l.set(min(l.highest(), l.Current+earned), now)
	}
	if l.Ceiling == 0 && l.Current >= l.highest() {
		l.Current = 0
	}
}

// done reports that a request that began at the given moment was answered, whatever the answer, or failed.
func (l *Limiter) done(begun time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay--
	latency := time.Since(begun)
	if l.fast() { // the next look into the file tells the others
		l.recordLatency(latency)
		l.latencyAhead = true
	} else {
		l.update(func(time.Time) {
			l.recordLatency(latency)
			if begun.After(l.Refusal) { // one that left before says nothing of whether the service answers again
				l.Refusals = 0
			}
		})
	}
	l.wake()
}

// recordLatency notes how long an answer took. The caller holds the lock.
func (l *Limiter) recordLatency(d time.Duration) {
	if l.Latency == 0 {
		l.Latency = d
	}
	l.Latency += (d - l.Latency) / 8
}

// refused reports that a request was one too many. It returns the moment before which nothing goes, and whether that
// is a ban.
func (l *Limiter) refused(begun time.Time, retryAfter time.Duration) (until time.Time, ban bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay--
	l.update(func(now time.Time) {
		l.applyRefusal(now, begun, min(retryAfter, LongestBan))
		until, ban = l.Paused, now.Before(l.Banned)
		if ban {
			until = l.Banned
		}
	})
	l.credit = 0
	l.wake()
	return until, ban
}

// applyRefusal slows the rate down for a refusal. The caller holds the lock.
func (l *Limiter) applyRefusal(now, begun time.Time, retryAfter time.Duration) {
	l.recordLatency(now.Sub(begun))
	if !begun.After(l.Refusal) {
		// It left before the last refusal slowed the pace down, which need not be slowed again for it.
		if l.limits.Adaptive {
			l.Ceiling = max(minRate, l.highest()*lateShare)
		}
		l.pauseFor(now, retryAfter)
		return
	}
	pace := l.rate()
	if l.allowedBurst() == 1 { // else it may have been the burst that was too much
		pace = l.pace(now)
	}
	l.Refusals++
	l.Refusal = now
	pause := max(min(firstPause<<min(l.Refusals-1, 10), maxPause), retryAfter)
	if l.Refusals >= l.limits.BannedAfter {
		pause = max(l.limits.BanTime, retryAfter)
		l.Banned = now.Add(pause)
	}
	l.pauseFor(now, pause)
	if now.Before(l.Banned) {
		return
	}
	slower := 2.0
	if l.limits.Adaptive && l.MinWindow == 1 && now.Sub(l.Since) < soon {
		slower = 4
	}
	if l.limits.Adaptive || now.Sub(l.Since) < steady {
		l.Ceiling = max(minRate, min(l.highest(), pace*ceilingShare))
		l.LoweredAt = now
	}
	l.Since, l.MinWindow = l.Paused, 1
	l.set(max(minRate, pace/slower), now)
	l.Tokens = min(l.Tokens, 1)
}

// Pause lets nothing go for a while, as a service asks that has a pause of its own.
func (l *Limiter) Pause(pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.update(func(now time.Time) { l.pauseFor(now, pause) })
	l.credit = 0
	l.wake()
}

// pauseFor lets nothing go for a while from now on. The caller holds the lock.
func (l *Limiter) pauseFor(now time.Time, pause time.Duration) {
	until := now.Add(min(pause, LongestBan))
	if until.After(l.Paused) {
		l.Paused = until
	}
	if pause > longestWait && until.After(l.Banned) {
		l.Banned = until
	}
}

// Ban sets a ban that is known from elsewhere: another process, an earlier run.
func (l *Limiter) Ban(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if latest := time.Now().Add(LongestBan); until.After(latest) {
		until = latest
	}
	if !until.After(l.Banned) {
		return
	}
	l.update(func(time.Time) {
		if until.After(l.Banned) {
			l.Banned = until
		}
	})
	l.wake()
}

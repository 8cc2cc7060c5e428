package ratelimit

import (
	"math"
	"time"
)

// The rate follows additive increase and multiplicative decrease (AIMD), as TCP's congestion control does: a refusal
// halves it, and it wins back a fixed amount for every second without one. What the services count and when they ban is
// not documented. The numbers here were chosen by the tests that each one names, which run against services that allow
// from a fifth to nine tenths of the configured rate, answer in 0 to 3 s, and ban after eight or ten refusals.
const (
	// decrease divides the rate at a refusal, increase is the share of the configured rate that it wins back in a second.
	// See TestLimiter and TestALongListAgainstALowerLimitEndsWithoutABan.
	decrease = 2
	increase = 0.02
	// minRate is the slowest rate that refusals lead to, in requests a second: a lookup every ten seconds still ends. See
	// TestLimiter.
	minRate = 0.1
	// ceilingShare is how near the rate that was refused last a recovering rate may come, for ceilingTTL after the
	// refusal: others may have used up a part of the limit. Each time that it was too soon doubles that. See
	// TestLimiter.
	ceilingShare = 0.75
	ceilingTTL   = 10 * time.Minute
	// lateShare lowers the ceiling for each further refusal of a request that was under way by then: the more there are,
	// the more the rate was above what the service allows. See TestInternetDBToldMoreThanItAllowsDoesNotBan.
	lateShare = 0.9
	// steadyAfter is after how long without a refusal one says little of the rate, at a service that does not ban: another
	// program may have used the key, or a request been late. See TestALateRefusalDoesNotSlowASteadyPaceForLong.
	steadyAfter = time.Minute
	// firstPause is how long nothing is sent after a refusal. Each further one in a row doubles it, up to the time of a
	// ban. See TestLimiter.
	firstPause = time.Second

	// minWindow is how many requests may be under way at first, where the service can ban: as many refusals as are
	// under way can come at one moment, and a service may count them. One more may be for every rampAfter responses'
	// times, and above fewWindow for every rampAfter times as many. A service that allows a burst refuses only when
	// that is spent, and then all that is under way too much: that is about the root of 2/rampAfter times the burst,
	// however long a response takes. See TestHowManyRequestsMayBeUnderWay,
	// TestInternetDBToldUpToFiveTimesWhatItAllowsDoesNotBan and figure 5.
	minWindow = 4
	rampAfter = 8
	fewWindow = 8
	// windowShare is how many of the requests that the rate allows within a response's time may be under way: a quarter
	// more, since not all responses take the same. See TestHowManyRequestsMayBeUnderWay.
	windowShare = 1.25
	// maxRamped is the highest configured rate, in requests a second, that begins so. A higher one somebody has set on
	// purpose, for a service that is known to bear it. See TestHowManyRequestsMayBeUnderWay.
	maxRamped = 100
)

// configured is the rate that the service is sent at most: the lowest that a process with requests has. The caller
// holds the lock.
func (l *Limiter) configured() float64 {
	perSecond := l.limits.PerSecond
	for _, m := range l.Members {
		perSecond = min(perSecond, m.PerSecond)
	}
	return perSecond
}

// limited reports whether a refusal still bounds the rate, and allows no burst. The caller holds the lock.
func (l *Limiter) limited(now time.Time) bool {
	return l.Ceiling > 0 && now.Sub(l.Refusal) <= l.CeilingTTL
}

// highest is the rate at which recovery ends. The caller holds the lock.
func (l *Limiter) highest(now time.Time) float64 {
	if !l.limited(now) {
		return l.configured()
	}
	return min(l.Ceiling, l.configured())
}

// rate is the configured rate, or what refusals made of it. The caller holds the lock.
func (l *Limiter) rate(now time.Time) float64 {
	switch {
	case l.Lowered == 0:
		return l.highest(now)
	case l.Refusals > 0:
		return min(l.Lowered, l.highest(now))
	}
	return min(l.Lowered+now.Sub(l.Refusal).Seconds()*increase*l.configured(), l.highest(now))
}

// burst is how many requests may be sent at once. The caller holds the lock.
func (l *Limiter) burst(now time.Time) int {
	if l.limited(now) {
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
	first := float64(minWindow)
	if !l.Refusal.IsZero() {
		first = 1
	}
	full := l.rate(now) * windowShare * l.latency.Seconds()
	if l.configured() <= maxRamped {
		ramped := first
		if l.latency > 0 {
			ramped += float64(now.Sub(l.Since)) / float64(rampAfter*l.latency)
		}
		if ramped > fewWindow {
			ramped = fewWindow + (ramped-fewWindow)/rampAfter
		}
		full = min(full, ramped)
	}
	return int(max(first, full))
}

// pace is how fast requests are sent. Where few may be under way and responses are slow that is less than the rate, and
// going evenly at less keeps them from coming in bunches that a service refuses. The caller holds the lock.
func (l *Limiter) pace(now time.Time) float64 {
	rate := l.rate(now)
	if !l.limits.Adaptive || l.configured() > maxRamped || l.latency == 0 {
		return rate
	}
	return max(minRate, min(rate, float64(l.window(now))/l.latency.Seconds()))
}

// applyRefusal lowers the rate for a refusal of a request that began at the given time. The caller holds the lock.
func (l *Limiter) applyRefusal(now, begun time.Time, retryAfter time.Duration) {
	if !begun.After(l.Refusal) {
		// It was sent before the last refusal lowered the rate, which need not be lowered again for it.
		if l.limits.Adaptive {
			l.Ceiling = max(minRate, l.highest(now)*lateShare)
		}
		l.pause(now, retryAfter)
		return
	}
	rate := l.rate(now)
	if l.burst(now) == 1 { // else it may have been the burst that was too much
		rate = l.pace(now)
	}
	ceiling := max(minRate, min(l.highest(now), rate*ceilingShare))
	if l.Ceiling > 0 && !l.limited(now) {
		l.Ceiling, l.CeilingTTL = 0, min(2*l.CeilingTTL, LongestBan)
	}
	// A refusal of the one request that finds out whether the service answers again says nothing of how fast it may be
	// sent others: the ceiling stays, as TCP's threshold does where a segment times out again (RFC 5681, equation 4).
	if isFirst := l.Refusals == 0; isFirst && (l.limits.Adaptive || now.Sub(l.Since) < steadyAfter) {
		l.Ceiling = ceiling
	}
	l.Lowered = max(minRate, rate/decrease)
	l.Refusals++
	l.Refusal = now
	if l.Refusals >= l.limits.BannedAfter {
		l.Banned = now.Add(min(max(l.limits.BanTime, retryAfter), LongestBan))
	}
	l.pause(now, max(min(firstPause<<min(l.Refusals-1, 10), l.limits.BanTime), retryAfter))
	l.Since = later(l.Paused, l.Banned)
}

// applyClientRefusal is applyRefusal for a refusal that does not say that it is for the number of requests. A service may
// say so of one that it bans for it, so only the reason of the ban differs. The caller holds the lock.
func (l *Limiter) applyClientRefusal(now, begun time.Time, retryAfter time.Duration) {
	banned := l.Banned
	if l.applyRefusal(now, begun, retryAfter); l.Banned.After(banned) {
		l.ClientRefused = l.Banned
	}
}

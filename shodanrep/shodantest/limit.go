package shodantest

import "time"

// caller is the client of a rate limit: a key of the REST API, or everyone for the other services.
type caller struct{ service, key string }

// bucket is a token bucket that counts time instead of tokens: a request costs one interval. Unlike fractions of
// tokens, whole nanoseconds add up exactly.
type bucket struct {
	saved time.Duration
	at    time.Time // when saved was last updated
}

// take reports whether one more request is within the limit, and counts it if so.
func (b *bucket) take(limit rate, now time.Time) bool {
	full := time.Duration(limit.burst) * limit.interval
	if b.at.IsZero() {
		b.saved = full
		b.at = now
	} else if passed := now.Sub(b.at); passed > 0 { // two requests may get here in a different order than they arrived
		b.saved = min(full, b.saved+passed)
		b.at = now
	}
	if b.saved < limit.interval {
		return false
	}
	b.saved -= limit.interval
	return true
}

// allow reports whether a request is within the service's limit.
func (s *Simulator) allow(c *call) bool {
	s.limits.Lock()
	defer s.limits.Unlock()
	if c.Service == InternetDB && c.Time.Before(s.limits.banned) {
		return false
	}
	limit, limited := s.rates[c.Service]
	if !limited {
		return true
	}
	who := caller{c.Service, c.Key}
	b := s.limits.buckets[who]
	if b == nil {
		b = &bucket{}
		s.limits.buckets[who] = b
	}
	if b.take(limit, c.Time) {
		return true
	}
	if c.Service == InternetDB && s.banAfter > 0 {
		if s.limits.strikes++; s.limits.strikes >= s.banAfter {
			s.limits.strikes, s.limits.banned = 0, c.Time.Add(s.banFor)
			s.limits.bans++
		}
	}
	return false
}

// Bans returns how often InternetDB has banned the client.
func (s *Simulator) Bans() int {
	s.limits.Lock()
	defer s.limits.Unlock()
	return s.limits.bans
}

// Credits returns how many query credits a key has left.
func (s *Simulator) Credits(key string) int {
	a, _ := s.account(key)
	return a.credits
}

func (s *Simulator) known(key string) bool {
	_, ok := s.account(key)
	return ok
}

func (s *Simulator) account(key string) (account, bool) {
	s.limits.Lock()
	defer s.limits.Unlock()
	if a := s.limits.accounts[key]; a != nil {
		return *a, true
	}
	return account{}, false
}

// spend takes a query credit from a key, and reports whether it had one.
func (s *Simulator) spend(key string) bool {
	s.limits.Lock()
	defer s.limits.Unlock()
	a := s.limits.accounts[key]
	if a.credits <= 0 {
		return false
	}
	a.credits--
	return true
}

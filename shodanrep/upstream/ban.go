package upstream

import (
	"errors"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
)

// unavailableBan is the body of the entry of a ban whose service is unavailable.
const unavailableBan = "unavailable"

// banKey names the cache entry of a ban.
func (s *Service) banKey() cache.Key { return cache.Key{Service: s.ID, Target: "ban"} }

// saveBan caches a ban, if err is one, so that not even a new process sends a request before its end.
func (c *Client) saveBan(err error) bool {
	var banned *ratelimit.BannedError
	if !errors.As(err, &banned) {
		return false
	}
	ban := cache.Entry{Key: c.banKey(), CheckedAt: time.Now(), Expires: banned.Until}
	if banned.Unavailable {
		ban.Body = []byte(unavailableBan)
	}
	c.Cache.put(ban)
	return true
}

// applyBan keeps to a ban that is in the cache. A ban is no longer than ratelimit.LongestBan, whoever wrote the entry.
func (s *Service) applyBan(cached map[cache.Key]cache.Entry) {
	ban, ok := cached[s.banKey()]
	if !ok {
		return
	}
	until := ban.Expires
	if latest := ban.CheckedAt.Add(ratelimit.LongestBan); until.After(latest) {
		until = latest
	}
	if string(ban.Body) == unavailableBan {
		s.limiter.BanUnavailable(until)
	} else {
		s.limiter.Ban(until)
	}
}

// nameBan says which service a ban is by, and what to do about it: the rate limiter does not know.
func (s *Service) nameBan(err error) error {
	var banned *ratelimit.BannedError
	if errors.As(err, &banned) {
		return &ratelimit.BannedError{Service: s.Name, Advice: s.advice, Until: banned.Until, Unavailable: banned.Unavailable}
	}
	return err
}

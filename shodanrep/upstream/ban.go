package upstream

import (
	"errors"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
)

// The bodies of the entry of a ban that is not for too many requests: the service is unavailable, or refuses this client.
const (
	unavailableBan   = "unavailable"
	clientRefusedBan = "client refused"
)

// banKey names the cache entry of a ban.
func (s *Service) banKey() cache.Key { return cache.Key{Service: s.ID, Target: "ban"} }

// saveBan caches a ban, if err is one, so that not even a new process sends a request before its end.
func (c *Client) saveBan(err error) bool {
	var banned *ratelimit.BannedError
	if !errors.As(err, &banned) {
		return false
	}
	ban := cache.Entry{Key: c.banKey(), CheckedAt: time.Now(), Expires: banned.Until}
	switch {
	case banned.Unavailable:
		ban.Body = []byte(unavailableBan)
	case banned.ClientRefused:
		ban.Body = []byte(clientRefusedBan)
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
	switch string(ban.Body) {
	case unavailableBan:
		s.limiter.BanUnavailable(until)
	case clientRefusedBan:
		s.limiter.BanClientRefused(until)
	default:
		s.limiter.Ban(until)
	}
}

// nameBan says which service a ban is by, and what to do about it: the rate limiter does not know.
func (s *Service) nameBan(err error) error {
	var banned *ratelimit.BannedError
	if errors.As(err, &banned) {
		named := *banned
		named.Service, named.Advice = s.Name, s.advice
		return &named
	}
	return err
}

package lookup

import (
	"context"
	"net/netip"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// negativeShare is which part of the time that an answer is kept a negative one is: an address that comes to be
// indexed should be seen soon.
const negativeShare = 4

// longestMaxAge is how long a response is kept at most because its service says so (Cache-Control).
const longestMaxAge = 30 * 24 * time.Hour

// fly asks a service for the addresses of some keys and keeps the answers. Where machines share a cache, the first to
// have a question asks it, and the others wait for its answer.
func (e *Engine) fly(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, how manner, land func(cache.Key, outcome)) {
	if e.coordinator == nil || !e.coordinator.Available() {
		e.flyAlone(ctx, s, keys, addrs, how, land)
		return
	}
	for len(keys) > 0 {
		own, others, release := e.lease(ctx, keys)
		// Between the look into the cache and the lease another may have answered.
		own = e.landKept(ctx, s, own, addrs, land)
		if len(own) > 0 {
			e.flyAlone(ctx, s, own, addrs, how, land)
			_ = e.store.flush(context.WithoutCancel(ctx)) // what is released must be there for those who waited for it
		}
		release()
		for _, key := range others {
			if e.coordinator.WaitFor(ctx, key) != nil && ctx.Err() != nil {
				land(key, outcome{err: ctx.Err()})
			}
		}
		if ctx.Err() != nil {
			return
		}
		// What is not there now the other machine has failed to get, and it is this one's turn.
		keys = e.landKept(ctx, s, others, addrs, land)
	}
}

// leaseTime is how long others wait for a machine that has the same question. One that is gone keeps nobody waiting
// for longer.
const leaseTime = time.Minute

// lease tells the questions that are this machine's to ask from those that another is asking. The caller must call
// release when its own are answered.
func (e *Engine) lease(ctx context.Context, keys []cache.Key) (own, others []cache.Key, release func()) {
	var releases []func()
	for _, key := range keys {
		done, got, err := e.coordinator.Lease(ctx, key, leaseTime)
		if err == nil && !got {
			others = append(others, key)
			continue
		}
		own = append(own, key)
		if done != nil {
			releases = append(releases, done)
		}
	}
	return own, others, func() {
		for _, done := range releases {
			done()
		}
	}
}

// landKept lands the flights whose answers the cache has, and returns the others.
func (e *Engine) landKept(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, land func(cache.Key, outcome)) []cache.Key {
	if len(keys) == 0 {
		return nil
	}
	kept := e.cachedHosts(ctx, keys, s.banKey())
	var missing []cache.Key
	for _, key := range keys {
		if entry, ok := kept[key]; ok {
			if o, ok := s.read(addrs[key], entry); ok {
				land(key, o)
				continue
			}
		}
		missing = append(missing, key)
	}
	return missing
}

// A manner is how addresses are requested.
type manner struct {
	opts  shodan.HostOptions
	tried int // how often they have been requested before, in larger requests
}

// flyAlone is fly without regard to other machines.
func (e *Engine) flyAlone(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, how manner, land func(cache.Key, outcome)) {
	if len(keys) > 1 {
		e.flyBulk(ctx, s, keys, addrs, how, land)
		return
	}
	addr := addrs[keys[0]]
	host, err := ask(ctx, e, s, e.effort(1, how.tried), func(ctx context.Context) (*shodan.Host, error) {
		return s.host(ctx, addr, how.opts)
	})
	if s.plan != nil && ctx.Err() == nil {
		e.learn(s.plan, addr, err)
	}
	if shodan.IsKind(err, shodan.NotFound) {
		err = nil
	}
	land(keys[0], e.conclude(s, keys[0], host, err))
}

// read makes an outcome of what the cache has, and reports whether it could be read.
func (s *service) read(addr netip.Addr, entry cache.Entry) (outcome, bool) {
	if len(entry.Body) == 0 {
		return outcome{checkedAt: entry.CheckedAt, expires: entry.Expires}, true
	}
	parse := shodan.ParseHost
	if s.source == InternetDB {
		parse = shodan.ParseInternetDB
	}
	host, err := parse(entry.Body)
	// An entry is checked like a response: another program or an earlier version may have written it.
	if err != nil || host.Addr != addr {
		return outcome{}, false
	}
	return outcome{host: host, checkedAt: entry.CheckedAt, expires: entry.Expires}, true
}

// conclude makes an outcome of an answer, and keeps what is worth it: hosts and their absence, never an error, and a
// ban, so that not even a new process asks before its end.
func (e *Engine) conclude(s *service, key cache.Key, host *shodan.Host, err error) outcome {
	now := checkTime()
	o := outcome{host: host, err: err, checkedAt: now}
	switch {
	case e.keepBan(s, err), err != nil:
	case host == nil:
		o.expires = now.Add(e.cfg.CacheTTL / negativeShare)
		e.store.put(cache.Entry{Key: key, CheckedAt: now, Expires: o.expires})
	default:
		age := e.cfg.CacheTTL
		if host.MaxAge > 0 {
			age = min(host.MaxAge, longestMaxAge)
		}
		o.expires = now.Add(age)
		e.store.put(cache.Entry{Key: key, Body: host.Raw, CheckedAt: now, Expires: o.expires})
	}
	return o
}

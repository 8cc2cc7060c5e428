package upstream

import (
	"context"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// negativeShare is which part of the usual time a negative response is cached: an address that comes to be indexed should
// be seen soon.
const negativeShare = 4

// placesOf returns where the response to a key may be cached, the best place first.
func (c *Client) placesOf(key callKey, f fetcher) []cache.Key {
	if c.NoCache {
		return nil
	}
	return f.cached(key)
}

// fromCache returns the results that are in the cache. It also applies a ban that is there.
func (c *Client) fromCache(ctx context.Context, keys []callKey, f fetcher) (results []Result) {
	lookup := make([]cache.Key, 1, 2*len(keys)+1)
	lookup[0] = c.banKey()
	for _, key := range keys {
		lookup = append(lookup, c.placesOf(key, f)...)
	}
	entries, now := c.Cache.get(ctx, lookup), time.Now()
	c.applyBan(entries)
	if len(lookup) == 1 {
		return nil // the responses are of the moment, or the cache is not to be used
	}
	for i, key := range keys {
		for _, at := range c.placesOf(key, f) {
			entry, ok := entries[at]
			if !ok {
				continue
			}
			if entry, ok = withTTL(entry, f.ttl(len(entry.Body) == 0), now); !ok {
				continue
			}
			value, ok := f.read(key, entry)
			if !ok {
				continue
			}
			r := Result{Index: i, Value: value, CheckedAt: entry.CheckedAt, FreshUntil: entry.Expires, FromCache: true}
			if len(entry.Body) == 0 {
				r.Err = &shodan.Error{Service: c.Name, Kind: shodan.NotFound, Message: "it said so at " + entry.CheckedAt.UTC().Format(time.RFC3339)}
			}
			results = append(results, r)
			break
		}
	}
	return results
}

// withTTL returns an entry that expires after ttl at the latest, and reports whether it may be used now. 0 is no limit.
func withTTL(entry cache.Entry, ttl time.Duration, now time.Time) (cache.Entry, bool) {
	if ttl == 0 {
		return entry, true
	}
	if latest := entry.CheckedAt.Add(ttl); entry.Expires.After(latest) {
		entry.Expires = latest
	}
	return entry, now.Before(entry.Expires)
}

// finishCached finishes the calls whose results are in the cache by now, and returns the others.
func (c *Client) finishCached(ctx context.Context, group []*call, f fetcher) (rest []*call) {
	if len(group) == 0 {
		return nil
	}
	keys := make([]callKey, len(group))
	for i, open := range group {
		keys[i] = open.key
	}
	found := make(map[int]bool)
	for _, r := range c.fromCache(ctx, keys, f) {
		found[r.Index] = true
		c.calls.finish(group[r.Index], r)
	}
	for i, open := range group {
		if !found[i] {
			rest = append(rest, open)
		}
	}
	return rest
}

// saveResponse caches a response, also that there is none, but no error and no body longer than cache.MaxBody. Times are
// in whole microseconds, as caches and PostgreSQL keep them: a fresh response has the time that it has once it is cached.
func (c *Client) saveResponse(key cache.Key, r response) Result {
	result := Result{Value: r.value, Err: r.err, CheckedAt: time.Now().Truncate(time.Microsecond)}
	switch {
	case c.saveBan(r.err), r.age == 0, c.NoCache:
		return result
	case shodan.IsKind(r.err, shodan.NotFound):
		r.age, r.body = r.age/negativeShare, nil
	case r.err != nil, len(r.body) > cache.MaxBody:
		return result
	}
	result.FreshUntil = result.CheckedAt.Add(r.age)
	c.Cache.put(cache.Entry{Key: key, Body: r.body, CheckedAt: result.CheckedAt, Expires: result.FreshUntil})
	return result
}

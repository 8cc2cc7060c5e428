package upstream

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// negativeShare is which part of the usual time a negative response is cached: an address that comes to be indexed
	// should be seen soon.
	negativeShare = 4
	// maxCachedBody is the longest body that is cached, in bytes. SQLite needs several times as much memory to store one,
	// and it would push thousands of other responses out of the cache.
	maxCachedBody = 8 << 20
	// leaseTime is how long others wait for a machine that requests the same. If it ends without a response they wait no
	// longer.
	leaseTime = time.Minute
)

// Options are how one connection uses a service.
type Options struct {
	Cache          *BufferedCache
	PerSecond      float64 // the rate that is configured
	MaxConcurrency int     // requests in flight at once
	Timeout        time.Duration
	CacheTTL       time.Duration
	// RefreshBefore is the time before which cached responses about addresses are too old. It may be zero.
	RefreshBefore time.Time
	// CacheMaxAge is the age from which cached responses about addresses are not used. 0 is no limit.
	CacheMaxAge time.Duration
	BulkLookup  string // "auto", "on" or "off"
	// Observe gets each response about an address that the service has just sent, also that it has nothing. It returns
	// at once. It may be nil.
	Observe func(Observation)
	Logger  hclog.Logger
}

// An Observation is what a service has just said of an address.
type Observation struct {
	Target    string       // the address
	Host      *shodan.Host // nil where the service has nothing; it is shared, and not to be changed
	CheckedAt time.Time
	Past      bool // the banners are those of all times
}

// A Client is how one connection uses a service.
type Client struct {
	*Service
	Options
	slots       chan struct{}         // one for each request in flight
	coordinator ratelimit.Coordinator // of the machines that share the cache; nil where none do
}

// NewClient makes a client of a service.
func NewClient(s *Service, o Options) *Client {
	c := &Client{Service: s, Options: o, slots: make(chan struct{}, o.MaxConcurrency)}
	c.coordinator, _ = o.Cache.store.(ratelimit.Coordinator)
	return c
}

// A response is what a request returned for one key.
type response struct {
	value any
	body  []byte
	err   error
	age   time.Duration // how long to cache it, 0 for not at all
}

// A fetcher requests and reads the responses of one kind.
type fetcher interface {
	// next returns how many calls the next request may be for, and whether it has to be the only one in flight. An error
	// is the result of all calls that are not in flight.
	next() (size int, alone bool, err error)
	// fetch sends one request for a group's calls. It returns how to request them again where the request failed
	// because it was for many.
	fetch(ctx context.Context, group []*call) ([]response, *regroup)
	// cached returns where the response to a key may be cached, the best place first.
	cached(key callKey) []cache.Key
	// read reads what is cached, and reports whether it may be used. An empty body is a negative response.
	read(key callKey, entry cache.Entry) (value any, ok bool)
}

// do gets the responses to some keys: it joins the calls for them that others have in flight, takes from the cache what
// is there, and fetches the rest. Done gets the results as they come, each once. Results are missing where the context
// ends before.
func (c *Client) do(ctx context.Context, keys []callKey, f fetcher, done func([]Result)) {
	if len(keys) == 0 {
		return
	}
	w := c.calls.join(keys)
	defer c.calls.leave(w)
	cached := c.fromCache(ctx, keys, f)
	if len(f.cached(keys[0])) > 0 {
		c.Cache.store.Count(int64(len(cached)), int64(len(keys)-len(cached)))
	}
	if cached = c.calls.resolve(w, cached); len(cached) > 0 {
		done(cached)
	}
	for {
		results, open, queued, groups := c.calls.take(w)
		if len(results) > 0 {
			done(results)
		}
		if !open {
			return
		}
		var slots chan<- struct{} // nil, and never ready, where no request may be sent
		var size int
		if queued {
			n, alone, err := f.next()
			if err != nil {
				done(c.calls.abort(w, err))
				continue
			}
			if size = n; !alone || groups == 0 {
				slots = c.slots
			}
		}
		select {
		case slots <- struct{}{}:
			if g, begun := c.calls.begin(w, size); g != nil {
				go c.run(g, begun, f)
			} else {
				<-c.slots
			}
		case <-w.wake:
		case <-ctx.Done():
			return
		}
	}
}

// fromCache returns the results that are in the cache. It also applies a ban that is there.
func (c *Client) fromCache(ctx context.Context, keys []callKey, f fetcher) (results []Result) {
	lookup := make([]cache.Key, 1, 2*len(keys)+1)
	lookup[0] = c.banKey()
	for _, key := range keys {
		lookup = append(lookup, f.cached(key)...)
	}
	entries := c.Cache.get(ctx, lookup)
	c.applyBan(entries)
	if len(lookup) == 1 {
		return nil // the responses are of the moment
	}
	for i, key := range keys {
		for _, at := range f.cached(key) {
			entry, ok := entries[at]
			if !ok {
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

// run gets the results of a group, and frees its slot. Where machines share a cache, the first that needs a response
// requests it, and the others wait for it.
func (c *Client) run(g *group, own []*call, f fetcher) {
	defer func() { <-c.slots }()
	defer g.cancel()
	coordinated := c.coordinator != nil && c.coordinator.Available() && len(f.cached(own[0].key)) > 0
	if coordinated {
		leased, others, release := c.lease(g.ctx, own)
		defer func() {
			release()
			c.awaitOthers(g.ctx, others, f)
		}()
		own = c.finishCached(g.ctx, leased, f) // another machine may have cached the response before the lease
	}
	if len(own) > 0 {
		responses, again := f.fetch(g.ctx, own)
		if again != nil {
			c.calls.requeue(own, *again)
		}
		for i, r := range responses {
			result := c.saveResponse(own[i].key.Key, r)
			c.observe(own[i].key, result)
			c.calls.finish(own[i], result)
		}
	}
	if coordinated {
		_ = c.Cache.Flush(context.WithoutCancel(g.ctx)) // what is released must be there for those who wait for it
	}
}

// observe reports a response about an address.
func (c *Client) observe(key callKey, r Result) {
	isHost := key.valueType == "" // the other responses are those of Get
	if c.Observe == nil || !isHost || r.Err != nil && !shodan.IsKind(r.Err, shodan.NotFound) {
		return
	}
	host, _ := r.Value.(*shodan.Host)
	c.Observe(Observation{Target: key.Target, Host: host, CheckedAt: r.CheckedAt, Past: key.Options == optionHistory})
}

// lease divides calls into those that this machine is to request and those that another is requesting. The caller must
// call release when its own have results.
func (c *Client) lease(ctx context.Context, group []*call) (own, others []*call, release func()) {
	var releases []func()
	for _, leased := range group {
		end, got, err := c.coordinator.Lease(ctx, leased.key.Key.String(), leaseTime)
		if err == nil && !got {
			others = append(others, leased)
			continue
		}
		own = append(own, leased)
		if end != nil {
			releases = append(releases, end)
		}
	}
	return own, others, func() {
		for _, end := range releases {
			end()
		}
	}
}

// awaitOthers gets the results of calls that other machines are requesting. What is not in the cache then they have
// failed to get, and this machine requests it.
func (c *Client) awaitOthers(ctx context.Context, others []*call, f fetcher) {
	for _, other := range others {
		_ = c.coordinator.WaitFor(ctx, other.key.Key.String()) // if it fails, the response is not there
	}
	if others = c.finishCached(ctx, others, f); len(others) > 0 {
		c.calls.requeue(others, others[0].regroup)
	}
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

// saveResponse caches a response, also that there is none, but no error and no body longer than maxCachedBody. Times are
// in whole microseconds, as caches and PostgreSQL keep them: a fresh response has the time that it has once it is cached.
func (c *Client) saveResponse(key cache.Key, r response) Result {
	result := Result{Value: r.value, Err: r.err, CheckedAt: time.Now().Truncate(time.Microsecond)}
	switch {
	case c.saveBan(r.err), r.age == 0:
		return result
	case shodan.IsKind(r.err, shodan.NotFound):
		r.age, r.body = r.age/negativeShare, nil
	case r.err != nil, len(r.body) > maxCachedBody:
		return result
	}
	result.FreshUntil = result.CheckedAt.Add(r.age)
	c.Cache.put(cache.Entry{Key: key, Body: r.body, CheckedAt: result.CheckedAt, Expires: result.FreshUntil})
	return result
}

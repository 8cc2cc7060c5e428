package upstream

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// leaseTime is how long others wait for a machine that requests the same. If it ends without a response they wait no
// longer.
const leaseTime = time.Minute

// Options are how one connection uses a service.
type Options struct {
	Cache *BufferedCache
	// NoCache says that no response is read from the cache or written to it. Bans are.
	NoCache        bool
	PerSecond      float64 // the rate that is configured
	MaxConcurrency int     // requests in flight at once
	Timeout        time.Duration
	CacheTTL       time.Duration
	// RefreshBefore is the time before which cached responses about addresses are too old. It may be zero.
	RefreshBefore time.Time
	// CacheMaxAge is the age from which cached responses about addresses are not used. 0 is no limit.
	CacheMaxAge time.Duration
	BulkLookup  string // "auto", "on" or "off"
	KeyOrigin   string // where the API key is from, for the error of one that is refused; may be empty
	// Observe gets each response about an address that the service has just sent, also that it has nothing. It returns
	// at once. It may be nil.
	Observe func(Observation)
	Logger  hclog.Logger
}

// An Observation is what a service has just said of an address.
type Observation struct {
	Addr      netip.Addr
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
	// ttl returns how long this client uses a cached response, 0 if only the entry says so. Another connection, or the same
	// one before its configuration changed, may have cached it for longer.
	ttl(negative bool) time.Duration
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
	if len(c.placesOf(keys[0], f)) > 0 {
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

// run gets the results of a group, and frees its slot. Where machines share a cache, the first that needs a response
// requests it, and the others wait for it.
func (c *Client) run(g *group, own []*call, f fetcher) {
	defer func() { <-c.slots }()
	defer g.cancel()
	release := func() {}
	if c.coordinator != nil && c.coordinator.Available() && len(c.placesOf(own[0].key, f)) > 0 {
		leased, others, end := c.lease(g.ctx, own)
		defer c.awaitOthers(g.ctx, others, f)
		release = func() {
			_ = c.Cache.Flush(context.WithoutCancel(g.ctx)) // what is released must be there for those who wait for it
			end()
		}
		own = c.finishCached(g.ctx, leased, f) // another machine may have cached the response before the lease
	}
	var results []Result
	if len(own) > 0 {
		responses, again := f.fetch(g.ctx, own)
		if again != nil {
			c.calls.requeue(own, *again)
		}
		for i, r := range responses {
			result := c.saveResponse(own[i].key.Key, r)
			c.observe(own[i].key, result)
			results = append(results, result)
		}
	}
	release() // before the results: the process may end with the last of them
	for i, result := range results {
		c.calls.finish(own[i], result)
	}
}

// Drain waits until no request is in flight, or until the context ends. Their callers must have gone, which cancels them.
func (c *Client) Drain(ctx context.Context) {
	for range cap(c.slots) {
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
		case <-ctx.Done():
			return
		}
	}
}

// observe reports a response about an address.
func (c *Client) observe(key callKey, r Result) {
	if c.Observe == nil || !key.addr.IsValid() || r.Err != nil && !shodan.IsKind(r.Err, shodan.NotFound) {
		return
	}
	host, _ := r.Value.(*shodan.Host)
	c.Observe(Observation{Addr: key.addr, Host: host, CheckedAt: r.CheckedAt, Past: key.Options == optionHistory})
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

// rateCoordinator returns what the machines share the rate of the service through, nil if nothing. A client without a
// coordinator uses that of another in force: the requests of both count, and both are this machine's.
func (c *Client) rateCoordinator() ratelimit.Coordinator {
	if c.coordinator != nil {
		return c.coordinator
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for other := range c.rates {
		if other.coordinator != nil {
			return other.coordinator
		}
	}
	return nil
}

// SetInForce says whether a connection is configured to use the client. The slowest rate of the clients in force is the
// rate of the service. Requests of the others keep to it too.
func (c *Client) SetInForce(inForce bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !inForce {
		delete(c.rates, c)
	} else if c.rates == nil {
		c.rates = map[*Client]float64{c: c.PerSecond}
	} else {
		c.rates[c] = c.PerSecond
	}
	if len(c.rates) > 0 {
		c.limiter.SetRate(slices.Min(slices.Collect(maps.Values(c.rates))))
	}
}

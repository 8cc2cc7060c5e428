package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// bulkSize is how many addresses go into one bulk request.
	bulkSize = 100
	// bulkTries is how often a bulk request is sent, and halfTries how often one of its halves, where it failed for a
	// reason that is not the key's. What is left of maxTries is for each address alone.
	bulkTries = 3
	halfTries = 1
	// addressesPerTimeout is after how many addresses in a request the time that it may take grows by another timeout: the
	// hosts of a hundred addresses can be tens of megabytes.
	addressesPerTimeout = 25
	// maxAge is how long a response is cached at most because its service says so (Cache-Control).
	maxAge = 30 * 24 * time.Hour
)

// errBulkRefused says that many addresses in one request are not for this key.
var errBulkRefused = errors.New(`bulk_lookup is "on", and Shodan refuses many addresses in one request with this key: set it to "auto" or "off"`)

// whole requests all but the history. Such a response has the summary too.
var whole shodan.HostOptions

// Hosts say how addresses are looked up.
type Hosts struct {
	Options shodan.HostOptions
	// OrWhole says that a cached response with the banners will do where the summary is looked up.
	OrWhole bool
	// Refused returns why the key must not be used, or nil. It may be nil where the service has no keys.
	Refused func() error
	// Ready is called with nil when it is known that the key may be used, or that this will not be known soon, and with an
	// error where the key is wrong. It may be called more than once.
	Ready func(error)
}

// Hosts looks up addresses, and calls done with the results as they come. Values are of the type *shodan.Host.
// Results are missing where the context ends before.
func (c *Client) Hosts(ctx context.Context, addrs []netip.Addr, how Hosts, done func([]Result)) {
	keys := make([]callKey, len(addrs))
	for i, addr := range addrs {
		keys[i] = callKey{Key: c.hostKey(addr.String(), how.Options), addr: addr}
	}
	if ready := how.Ready; ready != nil {
		how.Ready = func(err error) { ready(c.nameKey(err)) }
	}
	c.do(ctx, keys, &hostFetcher{client: c, Hosts: how}, func(results []Result) {
		for i := range results {
			results[i].Err = c.nameKey(results[i].Err)
		}
		done(results)
	})
}

// nameKey says in the error of a refused key where this client's key is from. The service does not know: clients with
// the same key share it.
func (c *Client) nameKey(err error) error {
	var failure *shodan.Error
	if c.KeyOrigin == "" || !errors.As(err, &failure) || failure.Kind != shodan.BadKey {
		return err
	}
	named := *failure
	named.KeyOrigin = c.KeyOrigin
	return &named
}

// optionHistory is the option of a request for the banners of all times.
const optionHistory = "history"

// hostKey names the response about an address.
func (s *Service) hostKey(addr string, opts shodan.HostOptions) cache.Key {
	key := cache.Key{Service: s.ID, Target: addr}
	switch {
	case s.plan == nil: // InternetDB knows no options
	case opts.History:
		key.Options = optionHistory
	case opts.Minify:
		key.Options = "minify"
	}
	return key
}

// A hostFetcher fetches hosts: what is known of addresses.
type hostFetcher struct {
	client *Client
	Hosts
	probed   atomic.Bool           // a request failed for a reason that says nothing of the key
	wrongKey atomic.Pointer[error] // the key was refused while it was not known to be good
}

// next lets the first request find out alone what the key may do, where that is not known: of 32 requests with a key
// that is refused 31 would be too many.
func (f *hostFetcher) next() (size int, alone bool, err error) {
	p := f.client.plan
	if p == nil {
		return 1, false, nil
	}
	if err := f.Refused(); err != nil {
		return 0, false, err
	}
	if err := f.wrongKey.Load(); err != nil {
		return 0, false, *err
	}
	size = bulkSize
	bulkAllowed, bulkRefused := p.bulk()
	if mode := f.client.BulkLookup; mode == "off" || mode == "auto" && bulkRefused {
		size = 1
	}
	if allowed, _ := p.known(); f.probed.Load() || allowed && (size == 1 || bulkAllowed) {
		f.Ready(nil)
		return size, false, nil
	}
	return size, true, nil
}

func (f *hostFetcher) cached(key callKey) []cache.Key {
	if full := f.client.hostKey(key.Target, whole); f.OrWhole && full != key.Key {
		return []cache.Key{full, key.Key}
	}
	return []cache.Key{key.Key}
}

// ttl is by the client's configuration, unless InternetDB has data: then it says itself how long that is good.
func (f *hostFetcher) ttl(negative bool) time.Duration {
	switch {
	case negative:
		return f.client.CacheTTL / negativeShare
	case f.client.plan == nil:
		return 0
	}
	return f.client.CacheTTL
}

// read checks an entry like a response: another program or an earlier version may have written it.
func (f *hostFetcher) read(key callKey, entry cache.Entry) (any, bool) {
	if maxAge := f.client.CacheMaxAge; entry.CheckedAt.Before(f.client.RefreshBefore) || maxAge > 0 && time.Since(entry.CheckedAt) >= maxAge {
		return nil, false
	}
	if len(entry.Body) == 0 {
		return nil, true
	}
	host, err := f.client.parse(entry.Body)
	if err != nil || host.Addr != key.addr {
		return nil, false
	}
	host.SortBanners()
	return host, true
}

func (f *hostFetcher) fetch(ctx context.Context, group []*call) ([]response, *regroup) {
	addrs := make([]netip.Addr, len(group))
	for i, open := range group {
		addrs[i] = open.key.addr
	}
	tries := group[0].tries
	if len(addrs) > 1 {
		return f.fetchBulk(ctx, addrs, tries)
	}
	c := f.client
	known := true
	if c.plan != nil {
		known, _ = c.plan.known()
	}
	host, err := retry(ctx, c, effort{tries: maxTries - tries, timeout: c.Timeout}, func(ctx context.Context) (*shodan.Host, error) {
		return c.host(ctx, addrs[0], f.Options)
	})
	if c.plan != nil && ctx.Err() == nil {
		c.learn(addrs[0], err)
		f.learn(known, err)
	}
	return []response{c.hostResponse(host, err)}, nil
}

// fetchBulk requests several addresses in one request. Those that the response lacks are not indexed.
func (f *hostFetcher) fetchBulk(ctx context.Context, addrs []netip.Addr, tries int) ([]response, *regroup) {
	c := f.client
	known, _ := c.plan.known()
	most := effort{tries: bulkTries, timeout: c.Timeout + c.Timeout/addressesPerTimeout*time.Duration(len(addrs))}
	if tries > 0 {
		most.tries = halfTries
	}
	hosts, err := retry(ctx, c, most, func(ctx context.Context) (map[netip.Addr]*shodan.Host, error) {
		return c.hosts(ctx, addrs, f.Options)
	})
	err, split := c.judgeBulk(err)
	switch {
	case errors.Is(err, errBulkRefused) && c.BulkLookup != "on":
		return nil, &regroup{size: 1}
	case split && ctx.Err() == nil:
		c.Logger.Warn("a bulk lookup failed: its addresses are requested again in smaller requests", "addresses", len(addrs), "error", err)
		f.probed.Store(true)
		if tries == 0 {
			return nil, &regroup{size: (len(addrs) + 1) / 2, tries: bulkTries}
		}
		return nil, &regroup{size: 1, tries: bulkTries + halfTries}
	case ctx.Err() == nil:
		f.learn(known, err)
	}
	responses := make([]response, len(addrs))
	for i, addr := range addrs {
		responses[i] = c.hostResponse(hosts[addr], err)
	}
	return responses, nil
}

// learn notes what a response says of the key, of which it may have been known before that it is good.
func (f *hostFetcher) learn(known bool, err error) {
	switch {
	case shodan.IsKind(err, shodan.BadKey):
		if !known {
			f.wrongKey.Store(&err)
			f.Ready(err)
		}
	case err != nil && !IsRefusal(err):
		f.probed.Store(true)
	}
}

// hostResponse is the response about one address.
func (c *Client) hostResponse(host *shodan.Host, err error) response {
	r := response{err: err, age: c.CacheTTL}
	switch {
	case err != nil:
	case host == nil:
		r.err = &shodan.Error{Service: c.Name, Kind: shodan.NotFound}
	default:
		host.SortBanners() // before it is shared
		r.value, r.body = host, host.Raw
		if host.MaxAge > 0 {
			r.age = min(host.MaxAge, maxAge)
		}
	}
	return r
}

// judgeBulk decides what follows from the response to a bulk request: nil where it is one, errBulkRefused, or another
// error, and whether smaller requests may do better.
func (c *Client) judgeBulk(err error) (result error, split bool) {
	allowed, _ := c.plan.bulk()
	var failure *shodan.Error
	switch {
	case err == nil:
		c.plan.learnBulk(true)
		return nil, false
	case IsRefusal(err), c.BulkLookup != "on" && !allowed && isOdd(err):
		c.plan.learnBulk(false)
		return fmt.Errorf("%w (%v)", errBulkRefused, err), false
	case allowed && shodan.IsKind(err, shodan.NotFound):
		return nil, false // nothing is indexed of any of them
	}
	split = errors.As(err, &failure) && !errors.Is(err, errDown) && !shodan.IsKind(err, shodan.BadKey, shodan.Limited)
	return err, split
}

// isOdd reports whether a bulk lookup returned what is neither hosts, nor a failure that passes. What a lesser plan
// gets is not documented: so it is any of these, unless bulk lookups have worked before or the user says that the
// plan has them. Then only a refusal in so many words is one.
func isOdd(err error) bool {
	return errors.Is(err, shodan.ErrUnexpected) || shodan.IsKind(err, shodan.Invalid, shodan.NotFound)
}

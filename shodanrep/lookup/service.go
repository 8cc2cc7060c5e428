package lookup

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// tries is how often one look-up is asked where there is no answer or none that can be read.
	// Where a fifth of all requests fails, so does one look-up in 15,000.
	tries = 6
	// refusalTries is how often it is asked again because it was one request too many. Each waits for the pace to allow it.
	refusalTries = 8
	// firstDelay is how long the second try waits; each further one waits twice as long, more or less, up to maxDelay.
	firstDelay = 250 * time.Millisecond
	maxDelay   = 2 * time.Second
	// downAfter is how many look-ups in a row have to fail, each after all its tries, before a service is taken to be
	// down, and downTime how long it is then not asked. Thousands of addresses would otherwise each wait for nothing.
	downAfter = 20
	downTime  = 10 * time.Second
)

// A service is one of Shodan's, as this process uses it: all connections that ask it in the same way share its pace,
// its questions under way, and what is known of the key's plan.
type service struct {
	source  Source
	name    string // for people
	store   string // Key.Service of its answers
	advice  string // what to do about a ban
	limiter *ratelimit.Limiter
	rates   map[*Engine]float64 // of the engines in force, guarded by shared
	flights

	host  func(ctx context.Context, addr netip.Addr, opts shodan.HostOptions) (*shodan.Host, error)
	hosts func(ctx context.Context, addrs []netip.Addr, opts shodan.HostOptions) (map[netip.Addr]*shodan.Host, error)
	get   shodan.Getter

	health health
	plan   *plan // what the API key may do; nil where the service has no keys
	spent  spent
}

func newInternetDB(cfg Config, client *http.Client) *service {
	c := &shodan.InternetDB{BaseURL: cfg.InternetDBURL, UserAgent: cfg.UserAgent, HTTP: withinBudget(client.Transport)}
	return &service{
		source: InternetDB, name: "InternetDB", store: "internetdb " + cfg.InternetDBURL,
		advice: `look up fewer addresses at once, or ask the REST API (source = "shodan")`,
		// An hour, after some rapid hundreds of requests, is what people report of InternetDB.
		limiter: ratelimit.New(ratelimit.Limits{PerSecond: cfg.InternetDBRequestsPerSecond, Burst: internetDBBurst, BannedAfter: 4, BanTime: time.Hour, Adaptive: true}),
		host: func(ctx context.Context, addr netip.Addr, _ shodan.HostOptions) (*shodan.Host, error) {
			return c.Host(ctx, addr)
		},
	}
}

func newREST(cfg Config, client *http.Client) *service {
	c := &shodan.Client{BaseURL: cfg.APIURL, Key: cfg.APIKey, UserAgent: cfg.UserAgent, HTTP: withinBudget(ratelimit.Transport{Next: client.Transport})}
	return &service{
		source: Shodan, name: "Shodan", store: "shodan " + cfg.APIURL + " " + cfg.keyID(),
		advice: "another program may be using the API key",
		// The REST API does not ban; a minute is what another program with the same key may take to end.
		limiter: ratelimit.New(ratelimit.Limits{PerSecond: cfg.RequestsPerSecond, Burst: 1, BannedAfter: 6, BanTime: time.Minute, Exact: true}),
		host:    c.Host,
		hosts:   c.Hosts,
		get:     c.Get,
		plan:    &plan{},
	}
}

// withinBudget makes a client whose large responses wait for their share of memory.
func withinBudget(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: budgeted{transport, responses}}
}

func newCVEDB(cfg Config, client *http.Client) *service {
	c := &shodan.CVEDB{BaseURL: cfg.CVEDBURL, UserAgent: cfg.UserAgent, HTTP: withinBudget(client.Transport)}
	return &service{
		source: cveDB, name: "CVEDB", store: "cvedb " + cfg.CVEDBURL,
		advice: "ask for fewer CVEs at once",
		// Nothing is known of its limits, so it is treated as InternetDB is by default.
		limiter: ratelimit.New(ratelimit.Limits{PerSecond: cveDBPerSecond, Burst: cveDBBurst, BannedAfter: 4, BanTime: time.Hour, Adaptive: true}),
		get:     c.Get,
	}
}

func newExploits(cfg Config, client *http.Client) *service {
	c := &shodan.Exploits{BaseURL: cfg.ExploitsURL, Key: cfg.APIKey, UserAgent: cfg.UserAgent, HTTP: &http.Client{Transport: ratelimit.Transport{Next: client.Transport}}}
	return &service{
		source: exploits, name: "Shodan's exploit search", store: "exploits " + cfg.ExploitsURL + " " + cfg.keyID(),
		advice: "another program may be using the API key",
		// Its own limit is not known, so it is used as the REST API is.
		limiter: ratelimit.New(ratelimit.Limits{PerSecond: cfg.RequestsPerSecond, Burst: 1, BannedAfter: 6, BanTime: time.Minute, Exact: true}),
		get:     c.Get,
	}
}

// key names the answer to a question about an address.
func (s *service) key(addr netip.Addr, opts shodan.HostOptions) cache.Key {
	key := cache.Key{Service: s.store, Target: addr.String()}
	switch {
	case s.source != Shodan: // it knows no options
	case opts.History:
		key.Options = "history"
	case opts.Minify:
		key.Options = "minify"
	}
	return key
}

// banKey names the entry that remembers a ban.
func (s *service) banKey() cache.Key {
	return cache.Key{Service: s.store, Target: "ban"}
}

// heedBan keeps to a ban that the cache knows of. A ban is no longer than ratelimit.LongestBan, whoever wrote the entry.
func (s *service) heedBan(kept map[cache.Key]cache.Entry) {
	if ban, ok := kept[s.banKey()]; ok {
		until := ban.Expires
		if latest := ban.CheckedAt.Add(ratelimit.LongestBan); until.After(latest) {
			until = latest
		}
		s.limiter.Ban(until)
	}
}

// keepBan keeps a ban, if err is one, so that not even a new process asks before its end.
func (e *Engine) keepBan(s *service, err error) bool {
	var banned *ratelimit.BannedError
	if !errors.As(err, &banned) {
		return false
	}
	e.store.put(cache.Entry{Key: s.banKey(), CheckedAt: time.Now(), Expires: banned.Until})
	return true
}

// An effort is how much is done for one lookup. The timeout is for the service's part: what the tries and the delays
// between them may take together, not the wait for a turn.
type effort struct {
	tries   int
	timeout time.Duration
}

// ask asks until there is an answer, or until asking again is no use.
func ask[T any](ctx context.Context, e *Engine, s *service, most effort, one func(context.Context) (T, error)) (T, error) {
	var none T
	if err := s.health.down(s.name); err != nil {
		return none, err
	}
	left, refusals := most.timeout, 0
	for try := 1; ; try++ {
		slot, err := s.limiter.Acquire(ctx, e.coordinator)
		if err != nil {
			return none, s.named(err)
		}
		answer, took, err := send(ctx, slot, left, one)
		s.spent.requests.Add(1)
		var failure *shodan.Error
		var last lastTry
		if errors.As(err, &failure) && failure.Kind == shodan.Limited {
			until, ban := slot.Refused(failure.RetryAfter)
			if ban {
				return none, s.named(&ratelimit.BannedError{Until: until})
			}
			if refusals++; refusals == refusalTries {
				return none, err
			}
			try-- // its turn was refused, not answered
			continue
		}
		if err != nil && ctx.Err() != nil {
			slot.Abandon()
			return none, ctx.Err()
		}
		slot.Done()
		switch {
		case err == nil:
			s.health.well()
			return answer, nil
		case errors.As(err, &last):
			s.health.failed(last.error)
			return none, last.error
		case errors.Is(err, context.DeadlineExceeded):
			err = &shodan.Error{Service: s.name, Err: fmt.Errorf("no answer within %v", most.timeout)}
		case failure == nil || failure.Kind != shodan.Unavailable:
			s.health.well() // it answers, only not as wished
			return none, err
		}
		if failure != nil && failure.RetryAfter > 0 {
			s.limiter.Pause(failure.RetryAfter)
		}
		left -= took
		delay := time.Duration(float64(min(maxDelay, firstDelay<<(try-1))) * (0.75 + rand.Float64()/2)) // so that failures do not come back in step
		if try == most.tries || left <= delay {
			s.health.failed(err)
			return none, err
		}
		left -= delay
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

// send sends one request, which may take so long. It returns how long it took.
func send[T any](ctx context.Context, slot *ratelimit.Slot, timeout time.Duration, one func(context.Context) (T, error)) (answer T, took time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ratelimit.WithSlot(ctx, slot))
	defer cancel(nil)
	clock := newStopwatch(timeout, func() { cancel(context.DeadlineExceeded) })
	part := &share{clock: clock}
	defer part.release()
	answer, err = one(context.WithValue(ctx, shareKey{}, part))
	clock.stop()
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		err = context.DeadlineExceeded
	}
	return answer, clock.used, err
}

// named completes a limiter's error, which does not know the service.
func (s *service) named(err error) error {
	var banned *ratelimit.BannedError
	if errors.As(err, &banned) {
		return &ratelimit.BannedError{Service: s.name, Advice: s.advice, Until: banned.Until}
	}
	return err
}

// health is how a service fares.
type health struct {
	mu     sync.Mutex
	inARow int // look-ups that failed since the last that was answered
	last   error
	until  time.Time
}

func (h *health) well() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inARow = 0
}

func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = err
	if h.inARow++; h.inARow >= downAfter {
		h.until = time.Now().Add(downTime)
	}
}

// errDown begins the error of a request that is not sent because the service is down.
var errDown = errors.New("not asked")

// down returns an error while the service is taken to be down.
func (h *health) down(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inARow < downAfter || !time.Now().Before(h.until) {
		return nil
	}
	return fmt.Errorf("%w: the last %d look-ups failed, the newest with: %w; %s is asked again from %s on", errDown, h.inARow, h.last, name, h.until.UTC().Format(time.RFC3339))
}

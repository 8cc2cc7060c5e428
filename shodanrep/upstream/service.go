// Package upstream sends requests to Shodan's services. All who need the same response share one request. It caches
// responses, keeps within the rate limits, tries again what fails, and leaves a service alone that is down or bans us.
package upstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// InternetDBBurst is how many requests may be sent to InternetDB at once before its rate counts: the addresses of an
// alert or a small rule set are then looked up in parallel.
const InternetDBBurst = 100

const (
	// CVEDBPerSecond is the rate of requests to CVEDB, and cveDBBurst how many may be sent at once. Nothing is known of
	// its limits, so it is treated as InternetDB is by default.
	CVEDBPerSecond = 10
	cveDBBurst     = 20
)

// A Service is one of Shodan's services, as this process uses it. All clients with the same address and key share its
// rate limit, its requests in flight, and what is known of the key's plan.
type Service struct {
	Name   string // for people
	ID     string // names the service, its address and the key in caches and shared rate limits
	advice string // what to do about a ban

	host  func(ctx context.Context, addr netip.Addr, opts shodan.HostOptions) (*shodan.Host, error)
	hosts func(ctx context.Context, addrs []netip.Addr, opts shodan.HostOptions) (map[netip.Addr]*shodan.Host, error)
	parse func(body []byte) (*shodan.Host, error)
	get   shodan.Getter

	calls   calls
	limiter *ratelimit.Limiter
	breaker breaker
	plan    *plan // what the API key may do; nil where the service has no keys

	requests, credits atomic.Int64

	mu    sync.Mutex
	rates map[*Client]float64
}

// Endpoint is where a service is, and how it is requested.
type Endpoint struct {
	URL, Key, UserAgent string
	Transport           http.RoundTripper
}

// keyID stands for the API key in caches: different keys may see different things, and the key itself is in no cache.
func (e Endpoint) keyID() string {
	sum := sha256.Sum256([]byte(e.Key))
	return hex.EncodeToString(sum[:6])
}

// NewInternetDB makes the service InternetDB.
func NewInternetDB(e Endpoint) *Service {
	c := &shodan.InternetDB{BaseURL: e.URL, UserAgent: e.UserAgent, HTTP: withinBudget(e.Transport)}
	return &Service{
		Name: "InternetDB", ID: "internetdb " + e.URL,
		advice: `look up fewer addresses at once, or ask the REST API (source = "shodan")`,
		host: func(ctx context.Context, addr netip.Addr, _ shodan.HostOptions) (*shodan.Host, error) {
			return c.Host(ctx, addr)
		},
		parse: shodan.ParseInternetDB,
		// An hour, after some rapid hundreds of requests, is what people report of InternetDB.
		limiter: ratelimit.New(ratelimit.Limits{Burst: InternetDBBurst, BannedAfter: 4, BanTime: time.Hour, Adaptive: true}),
	}
}

// NewREST makes the service that Shodan's REST API is with a key.
func NewREST(e Endpoint) *Service {
	c := &shodan.Client{BaseURL: e.URL, Key: e.Key, UserAgent: e.UserAgent, HTTP: withinBudget(ratelimit.Transport{Next: e.Transport})}
	return &Service{
		Name: "Shodan", ID: "shodan " + e.URL + " " + e.keyID(),
		advice: "another program may be using the API key",
		host:   c.Host, hosts: c.Hosts, parse: shodan.ParseHost, get: c.Get,
		plan: &plan{},
		// The REST API does not ban. A minute is what another program with the same key may take to end.
		limiter: ratelimit.New(ratelimit.Limits{Burst: 1, BannedAfter: 6, BanTime: time.Minute, Exact: true}),
	}
}

// NewCVEDB makes the service CVEDB.
func NewCVEDB(e Endpoint) *Service {
	c := &shodan.CVEDB{BaseURL: e.URL, UserAgent: e.UserAgent, HTTP: withinBudget(e.Transport)}
	return &Service{
		Name: "CVEDB", ID: "cvedb " + e.URL,
		advice:  "ask for fewer CVEs at once",
		get:     c.Get,
		limiter: ratelimit.New(ratelimit.Limits{Burst: cveDBBurst, BannedAfter: 4, BanTime: time.Hour, Adaptive: true}),
	}
}

// NewExploits makes the service that Shodan's search for exploits is with a key.
func NewExploits(e Endpoint) *Service {
	c := &shodan.Exploits{BaseURL: e.URL, Key: e.Key, UserAgent: e.UserAgent, HTTP: withinBudget(ratelimit.Transport{Next: e.Transport})}
	return &Service{
		Name: "Shodan's exploit search", ID: "exploits " + e.URL + " " + e.keyID(),
		advice: "another program may be using the API key",
		get:    c.Get,
		// Its limit is not known, so it is used as the REST API is.
		limiter: ratelimit.New(ratelimit.Limits{Burst: 1, BannedAfter: 6, BanTime: time.Minute, Exact: true}),
	}
}

// withinBudget makes a client whose large responses wait for their share of memory.
func withinBudget(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: budgeted{transport, responses}}
}

// ShareRateLimit shares the rate limit with the processes that use the same file, nil for none, and with the machines
// that share the clients' cache. It comes before the first request.
func (s *Service) ShareRateLimit(file *ratelimit.File) { s.limiter.ShareThrough(file, s.ID) }

// Rate returns how many requests a second the service may be sent now.
func (s *Service) Rate() float64 { return s.limiter.Rate() }

// Requests returns how many requests this process has sent, the refused and repeated ones included.
func (s *Service) Requests() int64 { return s.requests.Load() }

// Credits returns how many query credits they cost.
func (s *Service) Credits() int64 { return s.credits.Load() }

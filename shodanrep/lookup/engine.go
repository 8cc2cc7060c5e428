package lookup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/dataset"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

// Config configures an Engine. All fields must be set unless their comment says otherwise. The plugin has the defaults.
type Config struct {
	APIKey                      string // may be empty
	APIKeyOrigin                string // where the key is from, for errors; may be empty
	Source                      Source
	DataFiles                   []string      // may be empty
	DataWindow                  time.Duration // no limit if zero
	InternetDBFile              string        // may be empty
	APILookupLimit              int
	BulkLookup                  string // "auto", "on" or "off"
	RequestsPerSecond           float64
	InternetDBRequestsPerSecond float64
	MaxConcurrency              int
	Timeout                     time.Duration
	Cache                       string // "on", "memory", "off", a path or a redis:// address
	CacheMaxSize                int64  // bytes
	CacheTTL                    time.Duration
	HistoryStore                string        // "on", "off" or nothing, a path or a postgres:// address
	HistoryKeep                 time.Duration // 400 days if zero
	HistoryMaxSize              int64         // bytes, 1 GB if zero
	APIURL                      string
	InternetDBURL               string
	CVEDBURL                    string
	ExploitsURL                 string
	UserAgent                   string
	// RefreshBefore is the time before which responses about addresses in the cache are too old, whatever their
	// expiry says. It may be zero.
	RefreshBefore time.Time
	// CacheMaxAge is the age from which responses about addresses in the cache are not used. 0 is no limit.
	CacheMaxAge time.Duration
	Logger      hclog.Logger
	// RateLimitDir is the folder of the file through which processes share rate limits, pauses and bans. If it is empty
	// that is the cache's folder, or else the user's cache directory. An engine with a Transport then shares none.
	RateLimitDir string
	// Transport is for tests: an engine with one shares nothing with other engines. Otherwise it is nil.
	Transport http.RoundTripper
}

// An Engine looks addresses up for one connection. It shares with all others of the process what belongs to a service
// and not to a connection: the rate limit, the requests in flight, the cache.
type Engine struct {
	cfg        Config
	cache      *upstream.BufferedCache
	history    *history.Store // nil if it is off
	internetDB *upstream.Client
	cveDB      *upstream.Client
	rest       *upstream.Client // nil without a key
	exploits   *upstream.Client // nil without a key
	dataset    *dataset.Dataset // nil without files
	// file is used in place of the service InternetDB. It is nil if there is none.
	file *internetdbfile.File
}

// shared is what the engines of a process have in common.
var shared struct {
	sync.Mutex
	services  map[string]*upstream.Service
	caches    map[string]*upstream.BufferedCache
	histories map[string]*history.Store
	transport http.RoundTripper
}

// New makes an Engine. It reads the index of the dataset, building it where it is missing, and sends no request.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	e := &Engine{cfg: cfg, file: NewInternetDBFile(cfg)}
	e.history = e.openHistory()
	e.connect(e.openCache(ctx))
	if len(cfg.DataFiles) > 0 {
		var err error
		if e.dataset, err = openDataset(ctx, cfg); err != nil {
			e.SetInForce(false)
			return nil, err
		}
	}
	return e, nil
}

// connect makes the clients of the services.
func (e *Engine) connect(cache *upstream.BufferedCache) {
	cache.Allow(e.cfg.CacheTTL)
	e.cache = cache
	client := func(newService func(upstream.Endpoint) *upstream.Service, url string, perSecond float64, source Source) *upstream.Client {
		return upstream.NewClient(e.service(newService, url), upstream.Options{
			Cache: cache, PerSecond: perSecond, MaxConcurrency: e.cfg.MaxConcurrency, Timeout: e.cfg.Timeout,
			CacheTTL: e.cfg.CacheTTL, RefreshBefore: e.cfg.RefreshBefore, CacheMaxAge: e.cfg.CacheMaxAge, BulkLookup: e.cfg.BulkLookup, Logger: e.cfg.Logger,
			Observe: e.observe(source), KeyOrigin: e.cfg.APIKeyOrigin,
		})
	}
	e.internetDB = client(upstream.NewInternetDB, e.cfg.InternetDBURL, e.cfg.InternetDBRequestsPerSecond, InternetDB)
	e.cveDB = client(upstream.NewCVEDB, e.cfg.CVEDBURL, upstream.CVEDBPerSecond, "")
	if e.cfg.APIKey != "" {
		e.rest = client(upstream.NewREST, e.cfg.APIURL, e.cfg.RequestsPerSecond, Shodan)
		e.exploits = client(upstream.NewExploits, e.cfg.ExploitsURL, e.cfg.RequestsPerSecond, "")
	}
	e.SetInForce(true)
}

// service returns the service that all engines with the same address and key share.
func (e *Engine) service(newService func(upstream.Endpoint) *upstream.Service, url string) *upstream.Service {
	endpoint := upstream.Endpoint{URL: url, Key: e.cfg.APIKey, UserAgent: e.cfg.UserAgent, Transport: e.cfg.Transport}
	if e.cfg.Transport != nil {
		s := newService(endpoint)
		s.ShareRateLimit(e.rateLimits())
		return s
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.services == nil {
		shared.transport = newTransport()
		shared.services = map[string]*upstream.Service{}
	}
	endpoint.Transport = shared.transport
	own := newService(endpoint)
	if s := shared.services[own.ID]; s != nil {
		return s
	}
	own.ShareRateLimit(e.rateLimits())
	shared.services[own.ID] = own
	return own
}

// openCache returns the cache that all engines with the same location share.
func (e *Engine) openCache(ctx context.Context) *upstream.BufferedCache {
	open := func() *upstream.BufferedCache {
		return upstream.NewBufferedCache(cache.Open(ctx, e.cfg.Cache, cache.Options{MaxBytes: e.cfg.CacheMaxSize, Logger: e.cfg.Logger}))
	}
	if e.cfg.Transport != nil {
		return open()
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.caches == nil {
		shared.caches = map[string]*upstream.BufferedCache{}
	}
	if shared.caches[e.cfg.Cache] == nil {
		shared.caches[e.cfg.Cache] = open()
	}
	return shared.caches[e.cfg.Cache]
}

// SetInForce says whether a connection is configured to use the engine. Connections with the same key, or without one,
// share the rate limit of a service, and the slowest rate among the engines in force decides. A new engine is in force.
// Queries that still run in one that is not keep to the rates of the others.
func (e *Engine) SetInForce(inForce bool) {
	for _, client := range []*upstream.Client{e.internetDB, e.cveDB, e.rest, e.exploits} {
		client.SetInForce(inForce)
	}
}

// CheckKey returns an error if there is no API key. The error names what needs one, such as a table.
func (e *Engine) CheckKey(what string) error {
	if e.rest == nil {
		return fmt.Errorf("%s needs an API key: set api_key in the connection, or SHODAN_API_KEY, to the key shown at https://account.shodan.io", what)
	}
	return nil
}

// newTransport returns a transport that keeps a connection for each of many parallel lookups.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 512, 256
	t.Proxy = Proxy
	return t
}

// CheckSource returns an error if a source cannot be used. It says what is missing.
func (e *Engine) CheckSource(source Source) error {
	switch {
	case !slices.Contains([]Source{"", Auto, Dataset, Shodan, InternetDB}, source):
		return fmt.Errorf("%q is no source: use dataset, shodan or internetdb, or leave source out to let the plugin choose", source)
	case source == Shodan && e.rest == nil:
		return fmt.Errorf(`source "shodan" needs an API key: set api_key in the connection, or SHODAN_API_KEY, or use source "internetdb", which needs none`)
	case source == Dataset && e.dataset == nil:
		return fmt.Errorf(`source "dataset" needs files: set data_files in the connection to what "shodan download" wrote`)
	}
	return nil
}

// CheckSearch returns an error if nothing can be searched. It says what is needed.
func (e *Engine) CheckSearch(source Source) error {
	if err := e.CheckSource(source); err != nil {
		return err
	}
	if source == InternetDB {
		return fmt.Errorf(`InternetDB cannot be searched: leave source out, or use source "shodan" or "dataset"`)
	}
	if e.rest == nil && e.dataset == nil {
		return fmt.Errorf(`finding related hosts needs an API key whose plan allows searches, or a dataset: set api_key (or SHODAN_API_KEY), or data_files to what "shodan download" wrote`)
	}
	return nil
}

// CheckBanners returns an error if addresses can be looked up in InternetDB only. It says what is needed.
func (e *Engine) CheckBanners(source Source) error {
	if err := e.CheckSource(source); err != nil {
		return err
	}
	if source == "" || source == Auto {
		source = e.cfg.Source
	}
	if source == InternetDB || e.rest == nil && e.dataset == nil {
		return fmt.Errorf(`InternetDB has no banners, so this needs an API key or a dataset: set api_key (or SHODAN_API_KEY), or data_files to what "shodan download" wrote, and leave source out`)
	}
	return nil
}

// Dataset returns the connection's dataset, brought up to date with its files, or nil if it has none.
func (e *Engine) Dataset(ctx context.Context) (*dataset.Dataset, error) {
	if e.dataset == nil {
		return nil, nil
	}
	if err := e.dataset.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("data_files: %w", err)
	}
	return e.dataset, nil
}

// Spending is what this process has requested of a service so far, over all connections with the same key.
type Spending struct {
	Requests int64 // the refused and repeated ones included
	Credits  int64 // query credits, of searches and the like
}

// Spent returns what was requested of the REST API with this engine's key.
func (e *Engine) Spent() Spending {
	if e.rest == nil {
		return Spending{}
	}
	return Spending{Requests: e.rest.Requests(), Credits: e.rest.Credits()}
}

// Requests returns how many requests this process has sent to the services that the engine uses.
func (e *Engine) Requests() int64 {
	n := e.internetDB.Requests() + e.cveDB.Requests()
	if e.rest != nil {
		n += e.rest.Requests()
	}
	return n
}

// drainTime is how long Close waits for requests that were cancelled. Other machines wait for the leases that these have.
const drainTime = time.Second

// Close writes what is not yet written, and closes the dataset. No lookup may be in progress, and the engine must not be
// used afterwards.
func (e *Engine) Close() error {
	e.SetInForce(false)
	ctx, cancel := context.WithTimeout(context.Background(), waitlimit.Of(drainTime))
	defer cancel()
	for _, client := range []*upstream.Client{e.rest, e.internetDB, e.cveDB} {
		client.Drain(ctx)
	}
	err := e.cache.Flush(context.Background())
	if e.dataset != nil {
		err = errors.Join(err, e.dataset.Close())
	}
	if e.file != nil {
		err = errors.Join(err, e.file.Close())
	}
	if e.cfg.Transport != nil {
		err = errors.Join(err, e.cache.Close(), e.history.Close()) // they are this engine's alone
	}
	return err
}

// Shutdown closes the caches and histories that the engines of the process share, after the engines.
func Shutdown() {
	shared.Lock()
	defer shared.Unlock()
	var closing sync.WaitGroup // each file waits for its disk
	for _, cache := range shared.caches {
		closing.Go(func() { _ = cache.Close() })
	}
	for _, history := range shared.histories {
		closing.Go(func() { _ = history.Close() }) // a failure is logged
	}
	closing.Wait()
	shared.caches, shared.histories = nil, nil
}

package lookup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"

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
	// NoCache says that no response is read from the cache or written to it. What processes and machines share beside it
	// still is: rates and bans.
	NoCache        bool
	CacheMaxSize   int64 // bytes
	CacheTTL       time.Duration
	HistoryStore   string        // "on", "off" or nothing, a path or a postgres:// address
	HistoryKeep    time.Duration // 400 days if zero
	HistoryMaxSize int64         // bytes, 1 GB if zero
	APIURL         string
	InternetDBURL  string
	CVEDBURL       string
	ExploitsURL    string
	UserAgent      string
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
			Cache: cache, NoCache: e.cfg.NoCache, PerSecond: perSecond, MaxConcurrency: e.cfg.MaxConcurrency, Timeout: e.cfg.Timeout,
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

// clients returns the clients of all services that the engine uses.
func (e *Engine) clients() []*upstream.Client {
	if e.cfg.APIKey == "" {
		return []*upstream.Client{e.internetDB, e.cveDB}
	}
	return []*upstream.Client{e.internetDB, e.cveDB, e.rest, e.exploits}
}

// SetInForce says whether a connection is configured to use the engine. Connections with the same key, or without one,
// share the rate limit of a service, and the slowest rate among the engines in force decides. A new engine is in force.
// Queries that still run in one that is not keep to the rates of the others.
func (e *Engine) SetInForce(inForce bool) {
	for _, client := range e.clients() {
		client.SetInForce(inForce)
	}
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
	var n int64
	for _, client := range e.clients() {
		n += client.Requests()
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
	for _, client := range e.clients() {
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

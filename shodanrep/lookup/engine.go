package lookup

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/dataset"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

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
	e.history = openHistory(cfg)
	e.connect(openCache(ctx, cfg))
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
		return upstream.NewClient(sharedService(e.cfg, newService, url), upstream.Options{
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

// DataFiles describes the data files as they are now. The Engine must have some.
func (e *Engine) DataFiles(ctx context.Context) (DataFileStats, error) {
	if err := e.dataset.Refresh(ctx); err != nil {
		return DataFileStats{}, fmt.Errorf("data_files: %w", err)
	}
	return DataFileStats{e.dataset.Stats(), e.dataset.Omissions()}, nil
}

// History returns the store of what was looked up before, nil where history_store is "off". A nil store has no states.
func (e *Engine) History() *history.Store { return e.history }

// recordFailure records that a service did not answer about an address, in the history.
func (e *Engine) recordFailure(addr netip.Addr, source Source, err error) {
	if e.history != nil && !errors.Is(err, context.Canceled) {
		e.history.RecordFailure(addr, string(source), err.Error(), time.Now())
	}
}

// observe returns what records the responses of a service about addresses, nil where nothing is recorded.
func (e *Engine) observe(source Source) func(upstream.Observation) {
	if e.history == nil {
		return nil
	}
	return func(o upstream.Observation) {
		e.history.Record(history.Observation{
			Addr: o.Addr, Source: string(source), Host: o.Host, CheckedAt: o.CheckedAt, Past: o.Past,
		})
	}
}

// CheckKey returns an error if there is no API key. The error names what needs one, such as a table.
func (e *Engine) CheckKey(what string) error {
	if e.rest == nil {
		return fmt.Errorf("%s needs an API key: set api_key in the connection, or SHODAN_API_KEY, to the key shown at https://account.shodan.io", what)
	}
	return nil
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

// Batch begins a batch for a list of size different addresses. The size decides whether Auto uses the REST API.
// The batch ends with its context.
func (e *Engine) Batch(ctx context.Context, size int) *Batch {
	b := &Batch{
		engine: e, ctx: ctx, size: size, window: semaphore.NewWeighted(2 * chunkSize), progress: ProgressFrom(ctx),
		items: map[Question]*item{}, ready: make(chan struct{}),
	}
	if b.progress == nil {
		b.progress = newLoggedProgress(e.cfg.Logger, size)
	}
	return b
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

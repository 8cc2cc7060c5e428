package lookup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/dataset"
)

// internetDBBurst is how many requests may go to InternetDB before its pace is kept: the addresses of an alert or a
// small rule set are then looked up at once.
const internetDBBurst = 100

// Config is how an Engine looks up. All of it must be set, but for what says otherwise; the plugin has the defaults.
type Config struct {
	APIKey                      string // may be empty
	Source                      Source
	DataFiles                   []string // may be empty
	APILookupLimit              int
	BulkLookup                  string // "auto", "on" or "off"
	RequestsPerSecond           float64
	InternetDBRequestsPerSecond float64
	MaxConcurrency              int
	Timeout                     time.Duration
	Cache                       string // "on", "memory", "off", a path or a redis:// address
	CacheMaxSize                int64  // bytes
	CacheTTL                    time.Duration
	APIURL                      string
	InternetDBURL               string
	CVEDBURL                    string
	ExploitsURL                 string
	UserAgent                   string
	// RefreshBefore is the time before which responses about addresses in the cache are too old, whatever their
	// expiry says. It may be zero.
	RefreshBefore time.Time
	Logger        hclog.Logger
	// RateLimitDir is the folder of the file through which processes share rate limits, pauses and bans. Where it is empty
	// that is the cache's folder, or else the user's cache directory; an engine with a Transport then shares none.
	RateLimitDir string
	// Transport is nil but in tests: then nothing is shared with other engines.
	Transport http.RoundTripper
}

// keyID stands for the API key where answers are kept: different keys may see different things, and the key itself is
// in no cache.
func (c Config) keyID() string {
	sum := sha256.Sum256([]byte(c.APIKey))
	return hex.EncodeToString(sum[:6])
}

// An Engine looks addresses up for one connection. It shares with all others of the process what belongs to a service
// and not to a connection: the pace, the questions under way, the memory of answers.
type Engine struct {
	cfg        Config
	internetDB *service
	rest       *service // nil without a key
	cveDB      *service
	exploits   *service // nil without a key
	store      *keeper
	// coordinator is what machines that share a cache share beside it; nil where the cache is this machine's own.
	coordinator cache.Coordinator
	dataset     *dataset.Dataset // nil without files
	slots       map[Source]chan struct{}
}

// shared is what the engines of a process have in common.
var shared struct {
	sync.Mutex
	services map[string]*service
	stores   map[string]*keeper
	client   *http.Client
}

// New makes an Engine. It reads the index of the dataset, building it where it is missing, and asks no service.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	e := &Engine{cfg: cfg, slots: map[Source]chan struct{}{
		Shodan: make(chan struct{}, cfg.MaxConcurrency), InternetDB: make(chan struct{}, cfg.MaxConcurrency),
		cveDB: make(chan struct{}, cfg.MaxConcurrency), exploits: make(chan struct{}, cfg.MaxConcurrency),
	}}
	e.internetDB = e.service(newInternetDB)
	e.cveDB = e.service(newCVEDB)
	if cfg.APIKey != "" {
		e.rest = e.service(newREST)
		e.exploits = e.service(newExploits)
	}
	e.InForce()
	e.store = e.keeper(ctx)
	e.store.allow(cfg.CacheTTL)
	e.coordinator, _ = e.store.store.(cache.Coordinator)
	if len(cfg.DataFiles) > 0 {
		var err error
		e.dataset, err = dataset.Open(ctx, dataset.Options{Files: cfg.DataFiles, Dir: cache.Dir(cfg.Cache), Logger: cfg.Logger})
		if err != nil {
			e.Retire()
			return nil, fmt.Errorf("data_files: %w", err)
		}
	}
	return e, nil
}

// service returns the service that all engines with the same address and key share.
func (e *Engine) service(make func(Config, *http.Client) *service) *service {
	if e.cfg.Transport != nil {
		s := make(e.cfg, &http.Client{Transport: e.cfg.Transport})
		s.limiter.ShareThrough(e.rateLimits(), s.store)
		return s
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.client == nil {
		shared.client = &http.Client{Transport: newTransport()}
		shared.services = map[string]*service{}
	}
	own := make(e.cfg, shared.client)
	if s := shared.services[own.store]; s != nil {
		return s
	}
	own.limiter.ShareThrough(e.rateLimits(), own.store)
	shared.services[own.store] = own
	return own
}

// keeper returns the memory of answers that all engines with the same cache share.
func (e *Engine) keeper(ctx context.Context) *keeper {
	open := func() *keeper {
		return newKeeper(cache.Open(ctx, e.cfg.Cache, cache.Options{MaxBytes: e.cfg.CacheMaxSize, Logger: e.cfg.Logger}))
	}
	if e.cfg.Transport != nil {
		return open()
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.stores == nil {
		shared.stores = map[string]*keeper{}
	}
	if shared.stores[e.cfg.Cache] == nil {
		shared.stores[e.cfg.Cache] = open()
	}
	return shared.stores[e.cfg.Cache]
}

// CheckKey returns an error where there is no API key, which says that what needs one.
func (e *Engine) CheckKey(what string) error {
	if e.rest == nil {
		return fmt.Errorf("%s needs an API key: set api_key in the connection, or SHODAN_API_KEY, to the key shown at https://account.shodan.io", what)
	}
	return nil
}

// newTransport returns a transport that keeps a connection for each of many look-ups side by side.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 512, 256
	return t
}

// CheckSource returns an error where a source cannot be asked, which says what is missing.
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

// Dataset returns the connection's dataset, brought up to date with its files, or nil where it has none.
func (e *Engine) Dataset(ctx context.Context) (*dataset.Dataset, error) {
	if e.dataset == nil {
		return nil, nil
	}
	if err := e.dataset.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("data_files: %w", err)
	}
	return e.dataset, nil
}

// Close writes what is not yet written, and lets go of the dataset. The engine must not be used afterwards.
func (e *Engine) Close() error {
	e.Retire()
	err := e.store.flush(context.Background())
	if e.dataset != nil {
		err = errors.Join(err, e.dataset.Close())
	}
	if e.cfg.Transport != nil {
		err = errors.Join(err, e.store.store.Close()) // it is this engine's alone
	}
	return err
}

// Shutdown closes the caches that the engines of the process share, after the engines.
func Shutdown() {
	shared.Lock()
	defer shared.Unlock()
	for _, store := range shared.stores {
		_ = store.flush(context.Background())
		_ = store.store.Close()
	}
	shared.stores = nil
}

package lookup

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
)

// shared is what the engines of a process have in common: services by their ID, caches and histories by their location.
// Each is a function that makes it the first time.
var shared struct {
	sync.Mutex
	services  map[string]func() *upstream.Service
	caches    map[string]func() *upstream.BufferedCache
	histories map[string]func() *history.Store
}

// sharedValue returns the value of a key in a map of shared, and makes it if it is missing. Others do not wait meanwhile: to
// find that a Redis cannot be reached takes seconds.
func sharedValue[T any](values *map[string]func() T, key string, newValue func() T) T {
	shared.Lock()
	if *values == nil {
		*values = map[string]func() T{}
	}
	value := (*values)[key]
	if value == nil {
		value = sync.OnceValue(newValue)
		(*values)[key] = value
	}
	shared.Unlock()
	return value()
}

// sharedService returns the service that all engines with the same address and key share.
func sharedService(cfg Config, newService func(upstream.Endpoint) *upstream.Service, url string) *upstream.Service {
	endpoint := upstream.Endpoint{URL: url, Key: cfg.APIKey, UserAgent: cfg.UserAgent, Transport: cfg.Transport}
	if cfg.Transport == nil {
		endpoint.Transport = sharedTransport()
	}
	own := newService(endpoint)
	share := func() *upstream.Service {
		own.ShareRateLimit(rateLimits(cfg))
		return own
	}
	if cfg.Transport != nil {
		return share()
	}
	return sharedValue(&shared.services, own.ID, share)
}

// openCache returns the cache that all engines with the same location share. Where it is not used, only machines share
// anything through it.
func openCache(ctx context.Context, cfg Config) *upstream.BufferedCache {
	location := cfg.Cache
	if cfg.NoCache && !cache.IsRedis(location) {
		location = "off"
	}
	open := func() *upstream.BufferedCache {
		return upstream.NewBufferedCache(cache.Open(ctx, location, cache.Options{MaxBytes: cfg.CacheMaxSize, Logger: cfg.Logger}))
	}
	if cfg.Transport != nil {
		return open()
	}
	return sharedValue(&shared.caches, location, open)
}

// openHistory returns the history that all engines with the same location share, nil where they have none.
func openHistory(cfg Config) *history.Store {
	if cfg.HistoryStore == "" || cfg.HistoryStore == "off" {
		return nil
	}
	open := func() *history.Store {
		return history.Open(history.Options{
			Location: cfg.HistoryStore, Keep: cfg.HistoryKeep, MaxBytes: cfg.HistoryMaxSize, Logger: cfg.Logger,
		})
	}
	if cfg.Transport != nil {
		return open()
	}
	return sharedValue(&shared.histories, cfg.HistoryStore, open)
}

// sharedTransport is the transport of all engines without one of their own.
var sharedTransport = sync.OnceValue(newTransport)

// newTransport returns a transport that keeps a connection for each of many parallel lookups.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 512, 256
	UseProxy(t)
	return t
}

// Shutdown closes the caches and histories that the engines of the process share, after the engines.
func Shutdown() {
	shared.Lock()
	defer shared.Unlock()
	var closing sync.WaitGroup // each file waits for its disk
	for _, cache := range shared.caches {
		closing.Go(func() { _ = cache().Close() })
	}
	for _, history := range shared.histories {
		closing.Go(func() { _ = history().Close() }) // a failure is logged
	}
	closing.Wait()
	shared.caches, shared.histories = nil, nil
}

// OpenRateLimits opens the file through which the processes of a machine share rate limits, pauses and bans: beside the
// cache, or else in the user's cache directory.
func OpenRateLimits(cacheLocation string) (*ratelimit.File, error) {
	folders := []string{cache.Dir(cacheLocation)}
	if path, err := cache.DefaultPath(); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	return ratelimit.Open(folders...)
}

// rateLimits returns the file through which an engine shares rate limits with other processes, nil where it shares
// none: in tests with a transport of their own, through Redis, and where no folder can be written.
func rateLimits(cfg Config) *ratelimit.File {
	var file *ratelimit.File
	var err error
	switch {
	case cfg.RateLimitDir != "":
		file, err = ratelimit.Open(cfg.RateLimitDir)
	case cfg.Transport != nil || cache.IsRedis(cfg.Cache):
		return nil
	default:
		file, err = OpenRateLimits(cfg.Cache)
	}
	if err != nil {
		cfg.Logger.Info("each process keeps the rate limits by itself", "error", err)
		return nil
	}
	return file
}

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

// service returns the service that all engines with the same address and key share.
func (e *Engine) service(newService func(upstream.Endpoint) *upstream.Service, url string) *upstream.Service {
	endpoint := upstream.Endpoint{URL: url, Key: e.cfg.APIKey, UserAgent: e.cfg.UserAgent, Transport: e.cfg.Transport}
	if e.cfg.Transport == nil {
		endpoint.Transport = sharedTransport()
	}
	own := newService(endpoint)
	share := func() *upstream.Service {
		own.ShareRateLimit(e.rateLimits())
		return own
	}
	if e.cfg.Transport != nil {
		return share()
	}
	return sharedValue(&shared.services, own.ID, share)
}

// openCache returns the cache that all engines with the same location share. Where it is not used, only machines share
// anything through it.
func (e *Engine) openCache(ctx context.Context) *upstream.BufferedCache {
	location := e.cfg.Cache
	if e.cfg.NoCache && !cache.IsRedis(location) {
		location = "off"
	}
	open := func() *upstream.BufferedCache {
		return upstream.NewBufferedCache(cache.Open(ctx, location, cache.Options{MaxBytes: e.cfg.CacheMaxSize, Logger: e.cfg.Logger}))
	}
	if e.cfg.Transport != nil {
		return open()
	}
	return sharedValue(&shared.caches, location, open)
}

// openHistory returns the history that all engines with the same location share, nil where the engine has none.
func (e *Engine) openHistory() *history.Store {
	if e.cfg.HistoryStore == "" || e.cfg.HistoryStore == "off" {
		return nil
	}
	open := func() *history.Store {
		return history.Open(history.Options{
			Location: e.cfg.HistoryStore, Keep: e.cfg.HistoryKeep, MaxBytes: e.cfg.HistoryMaxSize, Logger: e.cfg.Logger,
		})
	}
	if e.cfg.Transport != nil {
		return open()
	}
	return sharedValue(&shared.histories, e.cfg.HistoryStore, open)
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

// rateLimits returns the file through which the engine shares rate limits with other processes, nil where it shares
// none: in tests with a transport of their own, through Redis, and where no folder can be written.
func (e *Engine) rateLimits() *ratelimit.File {
	var file *ratelimit.File
	var err error
	switch {
	case e.cfg.RateLimitDir != "":
		file, err = ratelimit.Open(e.cfg.RateLimitDir)
	case e.cfg.Transport != nil || cache.IsRedis(e.cfg.Cache):
		return nil
	default:
		file, err = OpenRateLimits(e.cfg.Cache)
	}
	if err != nil {
		e.cfg.Logger.Info("each process keeps the rate limits by itself", "error", err)
		return nil
	}
	return file
}

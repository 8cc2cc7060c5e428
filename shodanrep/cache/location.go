package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
)

// Options configure a store. The zero value is useful.
type Options struct {
	// MaxBytes bounds the size of the store. It is 512 MB where it is not positive. Redis has a bound of its own
	// (maxmemory), and ignores this one.
	MaxBytes int64
	// Logger gets one warning where a store cannot be used and memory takes its place.
	Logger hclog.Logger
	// Now is the clock by which entries expire, time.Now where it is nil.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

const (
	dirVariable = "SHODANREP_CACHE_DIR" // names the folder of the cache, in place of the user's
	fileName    = "cache.sqlite"
)

// DefaultPath returns the file of the location "on": shodanrep/cache.sqlite in the user's cache directory, or cache.sqlite
// in the folder that SHODANREP_CACHE_DIR names.
func DefaultPath() (string, error) {
	if dir := os.Getenv(dirVariable); dir != "" {
		return filepath.Join(dir, fileName), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for the cache file: %w: set %s, or the cache to a path", err, dirVariable)
	}
	return filepath.Join(dir, "shodanrep", fileName), nil
}

// Dir returns the folder for files that belong to a cache on this machine. It is empty where the location stores nothing
// on disk, or where there is no such folder. It may not exist yet.
func Dir(location string) string {
	path, err := PathOf(location)
	if IsRedis(location) {
		path, err = DefaultPath()
	}
	if err != nil || path == "" {
		return ""
	}
	return filepath.Dir(path)
}

// PathOf returns the file of a valid location, empty where it has none.
func PathOf(location string) (string, error) {
	switch {
	case location == "memory", location == "off", IsRedis(location):
		return "", nil
	case location == "", location == "on":
		return DefaultPath()
	}
	path, err := homedir.Expand(location)
	if err != nil {
		return "", fmt.Errorf("no folder for the cache file %s: %w", location, err)
	}
	return path, nil
}

// IsRedis reports whether a location is an address of Redis.
func IsRedis(location string) bool {
	return strings.HasPrefix(location, "redis://") || strings.HasPrefix(location, "rediss://")
}

// notAPath matches an address of Redis without its slashes.
var notAPath = regexp.MustCompile(`(?i)^rediss?:`)

// CheckLocation returns an error where a location is invalid, such as a misspelled word or an unreadable address of Redis.
// It opens nothing.
func CheckLocation(location string) error {
	switch {
	case IsRedis(location):
		_, _, err := parseRedis(location)
		return err
	case location == "", location == "on", location == "memory", location == "off":
		return nil
	case strings.Contains(location, "://"), notAPath.MatchString(location):
		// The address may have a password in it, which would be the name of a file.
		return errors.New(`the cache cannot be at an address of that kind: want redis:// or rediss://`)
	case strings.ContainsFunc(location, unicode.IsControl):
		// "C:\temp" in a configuration has a tab in it.
		return fmt.Errorf(`the cache cannot be at %q: it has a control character; write / or \\ for each \ of a path`, location)
	case !strings.ContainsAny(location, `/\.`):
		return fmt.Errorf(`the cache cannot be at %q: want "on", "memory", "off", a path such as "./%s", or redis://…`,
			location, location)
	}
	return nil
}

// Open opens the store at a location: "on" or nothing for the default path, "memory", "off", a path, or an address that
// begins with redis:// or rediss://. It never fails a query: where the location cannot be used, now or later, it logs one
// warning and stores entries in memory until it can. The store of a redis:// address is a Coordinator too.
func Open(ctx context.Context, location string, opts Options) Store {
	opts = opts.withDefaults()
	switch location {
	case "memory":
		return newMemory(opts.MaxBytes, opts.Now)
	case "off":
		return Off{}
	}
	if IsRedis(location) {
		store, err := openRedis(ctx, location, redisPrefix, retryRedisAfter, opts)
		if err != nil {
			opts.Logger.Warn(inMemory, "error", err)
			return newMemory(min(opts.MaxBytes, fallbackBytes), opts.Now)
		}
		return store
	}
	path, err := PathOf(location)
	if err != nil {
		opts.Logger.Warn(inMemory, "error", err)
		return newMemory(min(opts.MaxBytes, fallbackBytes), opts.Now)
	}
	f := newFileStore(path, opts)
	return newFallback(ctx, f, f.path, retryFileAfter, opts)
}

// OpenStrict opens the store at a location as Open does, to inspect or clear it. Where the location cannot be used it
// fails: memory in its place would be empty, and clearing it would change nothing.
func OpenStrict(ctx context.Context, location string, opts Options) (Store, error) {
	opts = opts.withDefaults()
	if location == "memory" || location == "off" {
		return Open(ctx, location, opts), nil
	}
	var b backend
	if IsRedis(location) {
		store, err := newRedisStore(location, redisPrefix, opts)
		if err != nil {
			return nil, err
		}
		b = store
	} else {
		path, err := PathOf(location)
		if err != nil {
			return nil, err
		}
		b = newFileStore(path, opts)
	}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

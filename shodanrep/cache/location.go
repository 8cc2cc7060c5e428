package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/go-hclog"
)

// Options are what a store may be told. The zero value is good.
type Options struct {
	// MaxBytes bounds what the store takes up; DefaultMaxBytes where it is not positive. Redis has a bound of its own
	// (maxmemory), so it does not hold there.
	MaxBytes int64
	// Logger hears, once, that a store cannot be used and the memory takes its place.
	Logger hclog.Logger
	// Now is the clock that entries expire by, time.Now where it is nil.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
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
	dirVariable = "SHODANREP_CACHE_DIR" // the folder of the cache, in place of the user's
	fileName    = "cache.sqlite"
)

// DefaultPath is the file that the place "on" means: shodanrep/cache.sqlite in the user's cache directory, or
// cache.sqlite in the folder that SHODANREP_CACHE_DIR names.
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

// Dir is the folder where what goes with a cache can be kept on this machine; empty where the place keeps nothing on
// disk, or where there is no such folder. It need not exist.
func Dir(place string) string {
	path, err := pathOf(place)
	if IsRedis(place) {
		path, err = DefaultPath()
	}
	if err != nil || path == "" {
		return ""
	}
	return filepath.Dir(path)
}

// pathOf is the file that a place means, empty where it means none.
func pathOf(place string) (string, error) {
	switch {
	case place == "memory", place == "off", IsRedis(place):
		return "", nil
	case place == "", place == "on":
		return DefaultPath()
	}
	if rest, ok := strings.CutPrefix(place, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no folder for the cache file %s: %w", place, err)
		}
		place = home + rest
	}
	return place, nil
}

// IsRedis reports whether a place is an address of Redis.
func IsRedis(place string) bool {
	return strings.HasPrefix(place, "redis://") || strings.HasPrefix(place, "rediss://")
}

// CheckLocation says what is wrong with a place that cannot be meant, such as a misspelt word or an address of Redis that
// cannot be read. It opens nothing.
func CheckLocation(place string) error {
	switch {
	case IsRedis(place):
		_, _, err := parseRedis(place)
		return err
	case place == "", place == "on", place == "memory", place == "off":
		return nil
	case strings.Contains(place, "://"):
		// The address may have a password in it.
		return errors.New(`an address of that kind is no place for the cache: want redis:// or rediss://`)
	case strings.ContainsFunc(place, unicode.IsControl):
		// "C:\temp" in a configuration has a tab in it.
		return fmt.Errorf(`%q is no place for the cache: it has a control character; write / or \\ for each \ of a path`, place)
	case !strings.ContainsAny(place, `/\.`):
		return fmt.Errorf(`%q is no place for the cache: want "on", "memory", "off", a path such as "./%s", or redis://…`,
			place, place)
	}
	return nil
}

// Open opens the store at a place: "on" or nothing for the default path, "memory", "off", a path, or an address that
// begins with redis:// or rediss://. It never fails a query: where the place cannot be used, now or later, that is one
// warning and answers are kept in memory until it can. The store of a redis:// address is a Coordinator too.
func Open(ctx context.Context, place string, opts Options) Store {
	opts = opts.withDefaults()
	switch place {
	case "memory":
		return newMemory(opts.MaxBytes, opts.Now)
	case "off":
		return Off{}
	}
	if IsRedis(place) {
		store, err := OpenRedis(ctx, place, opts)
		if err != nil {
			opts.Logger.Warn(inMemory, "error", err)
			return newMemory(min(opts.MaxBytes, fallbackBytes), opts.Now)
		}
		return store
	}
	path, err := pathOf(place)
	if err != nil {
		opts.Logger.Warn(inMemory, "error", err)
		return newMemory(min(opts.MaxBytes, fallbackBytes), opts.Now)
	}
	f := newFileStore(path, opts)
	return newFallback(ctx, f, f.path, retryFileAfter, opts)
}

package lookup

import (
	"path/filepath"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
)

// OpenRateLimits opens the file through which the processes of a machine share rate limits, pauses and bans: beside the
// cache, or else in the user's cache directory.
func OpenRateLimits(cachePlace string) (*ratelimit.File, error) {
	folders := []string{cache.Dir(cachePlace)}
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

package shodanrep

import (
	"context"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// OpenCache opens the cache that a connection with these arguments uses, to inspect or clear it. It fails if the cache
// cannot be used, where lookups would go on in memory.
// The arguments are the text of the connection block's body, as Steampipe hands it to the plugin.
func OpenCache(ctx context.Context, name, arguments string, logger hclog.Logger) (*Cache, error) {
	s, err := parseSettings(name, arguments)
	if err != nil {
		return nil, err
	}
	store, err := cache.OpenStrict(ctx, s.Lookup.Cache, cache.Options{MaxBytes: s.Lookup.CacheMaxSize, Logger: logger})
	if err != nil {
		return nil, err
	}
	return &Cache{store, s.Lookup.Cache}, nil
}

// A Cache is the cache of a connection. Its Clear also forgets the rates, pauses and bans that the processes of this
// machine share: a ban that is cleared must not come back from there.
type Cache struct {
	cache.Store
	location string // of the cache
}

// IsOff reports whether the cache is off. Other than Stats it counts nothing, which takes long in a large cache.
func (c *Cache) IsOff() bool { return c.location == "off" }

// Clear deletes the entries about a target, or all.
func (c *Cache) Clear(ctx context.Context, target string) (int64, error) {
	n, err := c.Store.Clear(ctx, target)
	if err != nil || target != "" {
		return n, err
	}
	if limits, err := lookup.OpenRateLimits(c.location); err == nil { // where none can be opened none are shared
		return n, limits.Clear()
	}
	return n, nil
}

package shodanrep

import (
	"context"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup/cache"
)

// OpenCache opens the cache that a connection of the given arguments uses, for who wants to look into it or clear it.
// The arguments are the text of the connection block's body, as Steampipe hands it to the plugin.
func OpenCache(ctx context.Context, name, arguments string, logger hclog.Logger) (cache.Store, error) {
	s, err := parseSettings(name, arguments)
	if err != nil {
		return nil, err
	}
	return cache.Open(ctx, s.lookup.Cache, cache.Options{MaxBytes: s.lookup.CacheMaxSize, Logger: logger}), nil
}

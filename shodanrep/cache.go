package shodanrep

import (
	"context"
	"fmt"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup/cache"
)

// OpenCache opens the cache that a connection of the given arguments uses, for who wants to look into it or clear it.
// The arguments are the text of the connection block's body, as Steampipe hands it to the plugin.
func OpenCache(ctx context.Context, name, arguments string, logger hclog.Logger) (cache.Store, error) {
	file, diags := hclsyntax.ParseConfig([]byte(arguments), name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, fmt.Errorf("connection %s: %w", name, diags)
	}
	s, err := readSettings(&plugin.Connection{Name: name, Config: connectionBody{file.Body}})
	if err != nil {
		return nil, err
	}
	return cache.Open(ctx, s.lookup.Cache, cache.Options{MaxBytes: s.lookup.CacheMaxSize, Logger: logger}), nil
}

package shodanrep

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// CheckOptions are how a Checker looks up and scores, if not as its connection says.
type CheckOptions struct {
	Policy  string // a name or a file; the connection's if empty
	Source  string // dataset, shodan or internetdb; the connection's choice if empty
	NoCache bool   // neither read the cache nor write it
	Refresh bool   // do not read responses about addresses from the cache, but write new ones
	// CacheMaxAge is the age from which cached responses about addresses are not used, 0 for no limit but cache_ttl.
	CacheMaxAge time.Duration
	Logger      hclog.Logger
}

// NewChecker makes a Checker for a connection. The arguments are the text of the connection block's body.
func NewChecker(ctx context.Context, name, arguments string, o CheckOptions) (*scan.Checker, error) {
	s, err := parseSettings(name, arguments)
	if err != nil {
		return nil, err
	}
	s.Clock = clock
	if o.Policy != "" {
		if s.Policy, err = ReadPolicy(o.Policy); err != nil {
			return nil, err
		}
	}
	if o.NoCache {
		s.Lookup.Cache = "off"
	}
	if o.Refresh {
		s.Lookup.RefreshBefore = time.Now()
	}
	s.Lookup.CacheMaxAge = o.CacheMaxAge
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	return scan.NewChecker(ctx, name, s, lookup.Source(o.Source), o.Logger)
}

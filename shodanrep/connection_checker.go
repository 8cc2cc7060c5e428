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
	s, err := o.settings(name, arguments)
	if err != nil {
		return nil, err
	}
	s.Lookup.NoCache = o.NoCache
	if o.Refresh {
		s.Lookup.RefreshBefore = time.Now()
	}
	s.Lookup.CacheMaxAge = o.CacheMaxAge
	return scan.NewChecker(ctx, name, s, lookup.Source(o.Source), o.logger())
}

// settings reads the settings of a connection, with the policy of the options.
func (o CheckOptions) settings(name, arguments string) (s scan.Settings, err error) {
	if s, err = parseSettings(name, arguments); err != nil {
		return s, err
	}
	s.Clock = clock
	if o.Policy != "" {
		s.Policy, err = ReadPolicy(o.Policy)
	}
	return s, err
}

func (o CheckOptions) logger() hclog.Logger {
	if o.Logger == nil {
		return hclog.NewNullLogger()
	}
	return o.Logger
}

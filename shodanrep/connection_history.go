package shodanrep

import (
	"context"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// OpenHistory opens the history that a connection with these arguments records in, to inspect it. The arguments are the
// text of the connection block's body, as Steampipe hands it to the plugin.
func OpenHistory(name, arguments string, logger hclog.Logger) (*history.Store, error) {
	s, err := parseSettings(name, arguments)
	if err != nil {
		return nil, err
	}
	return history.Open(history.Options{
		Location: s.Lookup.HistoryStore, Keep: s.Lookup.HistoryKeep, MaxBytes: s.Lookup.HistoryMaxSize, Logger: logger,
	}), nil
}

// NewHistoryReader makes a reader of the history store of a connection, with the policy and the source of the options.
// It opens neither the cache nor the files of data_files.
func NewHistoryReader(ctx context.Context, name, arguments string, o CheckOptions) (*scan.HistoryReader, error) {
	s, err := o.settings(name, arguments)
	if err != nil {
		return nil, err
	}
	s.Lookup.Cache, s.Lookup.DataFiles = "off", nil
	return scan.NewHistoryReader(ctx, name, s, lookup.Source(o.Source), o.logger())
}

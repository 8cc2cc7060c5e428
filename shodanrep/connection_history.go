package shodanrep

import (
	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
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

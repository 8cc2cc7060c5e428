package lookup

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
)

// History returns the store of what was looked up before, nil where history_store is "off". A nil store has no states.
func (e *Engine) History() *history.Store { return e.history }

// recordFailure records that a service did not answer about an address, in the history.
func (e *Engine) recordFailure(addr netip.Addr, source Source, err error) {
	if e.history != nil && !errors.Is(err, context.Canceled) {
		e.history.RecordFailure(addr, string(source), err.Error(), time.Now())
	}
}

// observe returns what records the responses of a service about addresses, nil where nothing is recorded.
func (e *Engine) observe(source Source) func(upstream.Observation) {
	if e.history == nil {
		return nil
	}
	return func(o upstream.Observation) {
		e.history.Record(history.Observation{
			Addr: o.Addr, Source: string(source), Host: o.Host, CheckedAt: o.CheckedAt, Past: o.Past,
		})
	}
}

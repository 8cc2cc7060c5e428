package scan

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// A HistoryReader reads the history store of a connection, without SQL. It sends no request.
type HistoryReader struct {
	store    historyStore
	settings Settings
	source   lookup.Source
}

// NewHistoryReader makes a HistoryReader for a connection. With a source it reads only what that one responded. It
// returns an error if the connection has no history store. Call [Shutdown] at the end of the process.
func NewHistoryReader(ctx context.Context, connection string, settings Settings, source lookup.Source, logger hclog.Logger) (*HistoryReader, error) {
	engine, err := engineFor(ctx, connection, settings.Lookup, logger)
	if err != nil {
		return nil, err
	}
	store := engine.History()
	if store == nil {
		return nil, ConnectionError(connection, errHistoryOff)
	}
	return &HistoryReader{store, settings, source}, checkRecorded(source)
}

// Policy returns the name of the policy that computes the scores.
func (r *HistoryReader) Policy() string { return r.settings.Policy.Name }

// readAtOnce is how many addresses of a list are read at a time.
const readAtOnce = 1000

// failures reads the lookups that have failed since a time, of each address those that failed last.
func (r *HistoryReader) failures(ctx context.Context, since time.Time) (map[netip.Addr]*history.Failure, error) {
	found := map[netip.Addr]*history.Failure{}
	if !r.store.Records() {
		return nil, errHistoryUnusable
	}
	for f, err := range r.store.Failures(ctx, since) {
		if err != nil {
			return nil, fmt.Errorf("the history store: %w", err)
		}
		known := found[f.Addr]
		if (r.source == "" || string(r.source) == f.Source) && (known == nil || known.Last.Before(f.Last)) {
			found[f.Addr] = &f
		}
	}
	return found, nil
}

// Observations yields what the store has of addresses, in their order; an address that the store does not have too. If
// the list is nil it yields the addresses that were checked since a time, and then those whose lookups only failed. It
// knows the lookups that failed since that time.
func (r *HistoryReader) Observations(ctx context.Context, addresses []netip.Addr, since time.Time) iter.Seq2[*Observations, error] {
	s := New(r.settings, r.settings.Policy)
	s.policies[""] = r.settings.Policy
	var failures map[netip.Addr]*history.Failure
	observations := func(addr netip.Addr, states []history.State) *Observations {
		t := &Target{Address: addressOf(netip.PrefixFrom(addr, addr.BitLen())), Options: Options{Source: r.source}}
		return &Observations{Target: t, scan: s, states: states, failure: failures[addr.Unmap().WithZone("")]}
	}
	return func(yield func(*Observations, error) bool) {
		var err error
		if failures, err = r.failures(ctx, since); err != nil {
			yield(nil, err)
			return
		}
		if addresses == nil {
			for states, err := range readHistory(ctx, r.store, history.Filter{Since: since}) {
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(observations(states[0].Addr, states), nil) {
					return
				}
				delete(failures, states[0].Addr)
			}
			addresses = slices.SortedFunc(maps.Keys(failures), netip.Addr.Compare)
		}
		for some := range slices.Chunk(addresses, readAtOnce) {
			known := map[netip.Addr][]history.State{}
			for states, err := range readHistory(ctx, r.store, history.Filter{Addrs: some}) {
				if err != nil {
					yield(nil, err)
					return
				}
				known[states[0].Addr] = states
			}
			for _, addr := range some {
				if !yield(observations(addr, known[addr]), nil) {
					return
				}
			}
		}
	}
}

package scan

import (
	"context"
	"iter"
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

// Observations yields what the store has of addresses, in their order; an address that the store does not have too.
func (r *HistoryReader) Observations(ctx context.Context, addresses []netip.Addr) iter.Seq2[*Observations, error] {
	observations := r.observations()
	return func(yield func(*Observations, error) bool) {
		for some := range slices.Chunk(addresses, readAtOnce) {
			known, err := readList(ctx, r.store, history.Filter{Addrs: some}, true)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, addr := range some {
				if !yield(observations(addr, known[addr.Unmap().WithZone("")]), nil) {
					return
				}
			}
		}
	}
}

// AllObservations yields the addresses that were checked since a time, and then those whose lookups only failed since then.
// Wants chooses addresses, all if it is nil.
func (r *HistoryReader) AllObservations(ctx context.Context, since time.Time, wants func(netip.Addr) bool) iter.Seq2[*Observations, error] {
	observations := r.observations()
	return func(yield func(*Observations, error) bool) {
		var failed []netip.Addr
		for p, err := range readAll(ctx, r.store, history.Filter{Since: since, Wants: wants}, true) {
			if err != nil {
				yield(nil, err)
				return
			}
			o := observations(p.addr, p)
			if p.states == nil {
				if o.Failure() != nil {
					failed = append(failed, p.addr)
				}
				continue
			}
			if !yield(o, nil) {
				return
			}
		}
		r.Observations(ctx, failed)(yield)
	}
}

// observations returns the function that makes the Observations of an address.
func (r *HistoryReader) observations() func(netip.Addr, past) *Observations {
	s := New(r.settings, r.settings.Policy)
	s.policies[""] = r.settings.Policy
	return func(addr netip.Addr, p past) *Observations {
		t := &Target{Address: addressOf(netip.PrefixFrom(addr, addr.BitLen())), Options: Options{Source: r.source}}
		return &Observations{Target: t, scan: s, past: p}
	}
}

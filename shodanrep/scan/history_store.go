package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
)

// errHistoryOff is the error of a query that needs the history store, where a connection has none.
var errHistoryOff = errors.New(`the history store is off (history_store = "off"), so that nothing is known of the past: set history_store = "on", a path or a postgres:// address`)

// errHistoryUnusable is the error of a query whose history store could not even be named, which was a warning then.
var errHistoryUnusable = errors.New(`the history store cannot be used (a warning in the log says why), so that nothing is known of the past: set history_store to a path or a postgres:// address`)

// A historyStore is what is read of a history.Store.
type historyStore interface {
	Records() bool
	States(context.Context, history.Filter) iter.Seq2[history.State, error]
	Failures(context.Context, []netip.Addr, time.Time) iter.Seq2[history.Failure, error]
}

// A past is what the store has of an address.
type past struct {
	addr   netip.Addr
	states []history.State // of all sources, by source and time
	// failures are the lookups that have failed since the last response of their source, by source.
	failures []history.Failure
}

// readAll yields what a filter without addresses chooses, address by address: first those with states, and then those with
// failures only, whose states before its time are not read.
func readAll(ctx context.Context, store historyStore, filter history.Filter, forChanges bool) iter.Seq2[past, error] {
	return func(yield func(past, error) bool) {
		// The failures are read first: a response that comes meanwhile is among the states, and ends them.
		failures, err := readFailures(ctx, store, nil, filter.Since)
		if err != nil {
			yield(past{}, err)
			return
		}
		for states, err := range readHistory(ctx, store, filter, forChanges) {
			if err != nil {
				yield(past{}, err)
				return
			}
			addr := states[0].Addr
			if !yield(past{addr, states, failures[addr]}, nil) {
				return
			}
			delete(failures, addr)
		}
		for _, addr := range slices.SortedFunc(maps.Keys(failures), netip.Addr.Compare) {
			if filter.Wants != nil && !filter.Wants(addr) {
				continue
			}
			if !yield(past{addr: addr, failures: failures[addr]}, nil) {
				return
			}
		}
	}
}

// readList reads what the store has of the addresses of a filter: the states that it chooses, and all their failures.
func readList(ctx context.Context, store historyStore, filter history.Filter, forChanges bool) (map[netip.Addr]past, error) {
	known := make(map[netip.Addr]past, len(filter.Addrs))
	if len(filter.Addrs) == 0 {
		return known, nil
	}
	failures, err := readFailures(ctx, store, filter.Addrs, time.Time{})
	if err != nil {
		return nil, err
	}
	for addr, failures := range failures {
		known[addr] = past{addr: addr, failures: failures}
	}
	for states, err := range readHistory(ctx, store, filter, forChanges) {
		if err != nil {
			return nil, err
		}
		addr := states[0].Addr
		known[addr] = past{addr, states, failures[addr]}
	}
	return known, nil
}

// readFailures reads the lookups of addresses, or of all if there are none, that have failed since a time.
func readFailures(ctx context.Context, store historyStore, addrs []netip.Addr, since time.Time) (map[netip.Addr][]history.Failure, error) {
	if !store.Records() {
		return nil, errHistoryUnusable
	}
	found := map[netip.Addr][]history.Failure{}
	for f, err := range store.Failures(ctx, addrs, since) {
		if err != nil {
			return nil, fmt.Errorf("the history store: %w", err)
		}
		found[f.Addr] = append(found[f.Addr], f)
	}
	for _, failures := range found {
		slices.SortFunc(failures, func(a, b history.Failure) int { return cmp.Compare(a.Source, b.Source) })
	}
	return found, nil
}

// readHistory reads states and yields those of one address together, in order of their sources and times. If they are for
// changes, and the filter has a time from which on to read, it yields all states of an address that a source responded
// about for the first time since then: the response is a change of the host only if no other source responded before.
func readHistory(ctx context.Context, store historyStore, filter history.Filter, forChanges bool) iter.Seq2[[]history.State, error] {
	return func(yield func([]history.State, error) bool) {
		if !store.Records() {
			yield(nil, errHistoryUnusable)
			return
		}
		groups := groupStates(store.States(ctx, filter))
		if filter.Since.IsZero() || !forChanges {
			groups(yield)
			return
		}
		c := completer{ctx: ctx, store: store, yield: yield}
		for states, err := range groups {
			if err != nil {
				yield(nil, err)
				return
			}
			// With the states since a time comes the last one before it, if there is one.
			isFirst := states[0].Source == states[len(states)-1].Source && !states[0].LastChecked.Before(filter.Since)
			if !c.add(states, isFirst) {
				return
			}
		}
		c.flush()
	}
}

// groupStates yields the states of one address together.
func groupStates(all iter.Seq2[history.State, error]) iter.Seq2[[]history.State, error] {
	return func(yield func([]history.State, error) bool) {
		var current []history.State
		for state, err := range all {
			if err != nil {
				yield(nil, fmt.Errorf("the history store: %w", err))
				return
			}
			if len(current) > 0 && current[0].Addr != state.Addr {
				if !yield(current, nil) {
					return
				}
				current = nil
			}
			current = append(current, state)
		}
		if len(current) > 0 {
			yield(current, nil)
		}
	}
}

// completedAtOnce is of how many addresses a completer reads all states at a time.
const completedAtOnce = 500

// A completer yields states in order, and reads all states of some addresses before it does.
type completer struct {
	ctx     context.Context
	store   historyStore
	yield   func([]history.State, error) bool
	waiting [][]history.State
	read    []netip.Addr // the addresses to read all states of
}

// add adds the states of an address, and reports whether more are wanted.
func (c *completer) add(states []history.State, readAll bool) (more bool) {
	c.waiting = append(c.waiting, states)
	if readAll {
		c.read = append(c.read, states[0].Addr)
	}
	return len(c.waiting) < completedAtOnce || c.flush()
}

// flush yields what was added.
func (c *completer) flush() (more bool) {
	all := map[netip.Addr][]history.State{}
	if len(c.read) > 0 {
		for states, err := range groupStates(c.store.States(c.ctx, history.Filter{Addrs: c.read})) {
			if err != nil {
				c.yield(nil, err)
				return false
			}
			all[states[0].Addr] = states
		}
	}
	for _, states := range c.waiting {
		if whole := all[states[0].Addr]; whole != nil {
			states = whole
		}
		if !c.yield(states, nil) {
			return false
		}
	}
	c.waiting, c.read = nil, nil
	return true
}

package scan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
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
	Failures(context.Context, time.Time) iter.Seq2[history.Failure, error]
}

// readHistory reads states and yields those of one address together, in order of their sources and times. If the filter
// has a time from which on to read, it yields all states of an address that a source responded about for the first time
// since then: the response is a change of the host only if no other source responded before.
func readHistory(ctx context.Context, store historyStore, filter history.Filter) iter.Seq2[[]history.State, error] {
	return func(yield func([]history.State, error) bool) {
		if !store.Records() {
			yield(nil, errHistoryUnusable)
			return
		}
		groups := groupStates(store.States(ctx, filter))
		if filter.Since.IsZero() {
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

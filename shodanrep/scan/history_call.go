package scan

import (
	"context"
	"fmt"
	"iter"
	"net/netip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// This file has the methods of ListCall that read the history store.

// Observations yields what the history store has of the addresses of a call. Without addresses it yields the whole store.
// Bounds are those on the time of the rows, so that no more is read than the query needs; given says that the query names
// the address. No request is sent.
func (c *ListCall) Observations(ctx context.Context, bounds []Bound) iter.Seq2[*Observations, error] {
	return func(yield func(*Observations, error) bool) {
		if err := c.checkHistory(); err != nil {
			yield(nil, err)
			return
		}
		if c.Has("ip") {
			known, err := Once(c, "history", func() (map[netip.Addr][]history.State, error) { return c.statesOfList(ctx, bounds) })
			if err != nil {
				yield(nil, err)
				return
			}
			for _, t := range c.Targets() {
				if !yield(&Observations{Target: t, scan: c.Scan, states: known[t.Addr]}, nil) {
					return
				}
			}
			return
		}
		options := optionsOf(c.own)
		for states, err := range readHistory(ctx, c.engine.History(), historyFilter(bounds)) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, o := range options {
				t := &Target{Address: addressOf(netip.PrefixFrom(states[0].Addr, states[0].Addr.BitLen())), Options: o}
				if !yield(&Observations{Target: t, scan: c.Scan, states: states}, nil) {
					return
				}
			}
		}
	}
}

// checkHistory returns an error if the history store cannot answer a call.
func (c *ListCall) checkHistory() error {
	if c.engine.History() == nil {
		return fmt.Errorf("%s: %w", c.TableName(), errHistoryOff)
	}
	for _, source := range c.Texts("source") {
		if source == "" {
			return errEmptySource
		}
		if err := checkRecorded(lookup.Source(source)); err != nil {
			return err
		}
	}
	return c.severalLists()
}

// checkRecorded returns an error if a source, which may be empty, has no place in the history store.
func checkRecorded(source lookup.Source) error {
	if source == "" || source == lookup.Shodan || source == lookup.InternetDB {
		return nil
	}
	return fmt.Errorf(`source = %q: the history store has the responses of services: use "%s" or "%s"`, source, lookup.Shodan, lookup.InternetDB)
}

// statesOfList reads the states of all addresses of the scan.
func (c *ListCall) statesOfList(ctx context.Context, bounds []Bound) (map[netip.Addr][]history.State, error) {
	filter := historyFilter(bounds)
	for _, text := range c.AllTexts("ip") {
		if a := ParseAddress(text); a.Addr.IsValid() {
			filter.Addrs = append(filter.Addrs, a.Addr)
		}
	}
	known := make(map[netip.Addr][]history.State, len(filter.Addrs))
	if len(filter.Addrs) == 0 {
		return known, nil
	}
	for states, err := range readHistory(ctx, c.engine.History(), filter) {
		if err != nil {
			return nil, err
		}
		known[states[0].Addr] = states
	}
	return known, nil
}

// historyFilter returns what to read of the store for rows within bounds. The states after the bounds are read as well: a
// state is the newest only if none follows.
func historyFilter(bounds []Bound) history.Filter {
	since, _ := Span(bounds)
	return history.Filter{Since: since}
}

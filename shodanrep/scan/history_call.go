package scan

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// This file has the methods of ListCall that read the history store.

// A HistoryNeed is what a query needs of the history store.
type HistoryNeed struct {
	// Bounds are those on the time of the rows.
	Bounds []Bound
	// Hosts says that it needs the facts, which take most of the time.
	Hosts bool
	// Newest says that it needs to know which states are the newest, and what failed since then. Otherwise nothing after the
	// bounds is read.
	Newest bool
	// Changes says that it needs all that Observations.Changes uses: also the states of other sources, before the bounds.
	Changes bool
}

// Observations yields what the history store has of the addresses of a call. Without addresses it yields the whole store.
// It reads no more than is needed. No request is sent.
func (c *ListCall) Observations(ctx context.Context, need HistoryNeed) iter.Seq2[*Observations, error] {
	return func(yield func(*Observations, error) bool) {
		if err := c.checkHistory(); err != nil {
			yield(nil, err)
			return
		}
		if c.Has("ip") {
			known, err := Once(c, "history", func() (map[netip.Addr]past, error) { return c.pastOfList(ctx, need) })
			if err != nil {
				yield(nil, err)
				return
			}
			for _, t := range c.Targets() {
				if !yield(&Observations{Target: t, scan: c.Scan, past: known[t.Addr]}, nil) {
					return
				}
			}
			return
		}
		options := optionsOf(c.own)
		for p, err := range readAll(ctx, c.engine.History(), need.filter(c.Texts("source")), need.Changes) {
			if err != nil {
				yield(nil, err)
				return
			}
			if p.states == nil && len(need.Bounds) > 0 {
				return // only failures follow, and no row of those is within bounds
			}
			for _, o := range options {
				t := &Target{Address: addressOf(netip.PrefixFrom(p.addr, p.addr.BitLen())), Options: o}
				if !yield(&Observations{Target: t, scan: c.Scan, past: p}, nil) {
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
	return nil
}

// checkRecorded returns an error if a source, which may be empty, has no place in the history store.
func checkRecorded(source lookup.Source) error {
	if source == "" || source == lookup.Shodan || source == lookup.InternetDB {
		return nil
	}
	return fmt.Errorf(`source = %q: the history store has the responses of services: use "%s" or "%s"`, source, lookup.Shodan, lookup.InternetDB)
}

// pastOfList reads what the store has of all addresses of the scan.
func (c *ListCall) pastOfList(ctx context.Context, need HistoryNeed) (map[netip.Addr]past, error) {
	var addrs []netip.Addr
	for _, text := range c.AllTexts("ip") {
		if a := ParseAddress(text); a.Addr.IsValid() {
			addrs = append(addrs, a.Addr)
		}
	}
	filter := need.filter(c.AllTexts("source"))
	filter.Addrs = addrs
	return readList(ctx, c.engine.History(), filter, need.Changes)
}

// filter returns the filter of the states that are needed of sources, of all if there are none.
func (n HistoryNeed) filter(sources []string) history.Filter {
	f := history.Filter{WithoutHosts: !n.Hosts, WithoutBefore: !n.Changes}
	var end time.Time
	f.Since, end = Span(n.Bounds)
	if !n.Newest && !end.IsZero() {
		f.Until = end.Add(time.Second) // rows have whole seconds
	}
	if !n.Changes {
		f.Sources = sources
	}
	return f
}

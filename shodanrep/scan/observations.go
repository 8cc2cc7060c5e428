package scan

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// NotChecked is the status of an address that the history store has no response about. Package lookup does not know it:
// it looks up addresses, and the store is only read.
const NotChecked lookup.Status = "not_checked"

// Observations are what the history store has of an address, for one combination of the options of a query.
type Observations struct {
	*Target
	scan   *Scan
	states []history.State // of all sources, by source and time
	scored []*Observed     // of states, made when they are needed
}

// An Observed is a state of an address with its score by a policy. The score is as of the time when the state began, so
// that it stays the same as long as the store has the state.
type Observed struct {
	*Verdict
	// First and Last are when the state was first and last seen, and Checks how often. They are zero if the store has
	// no state; the status says why.
	First, Last time.Time
	Checks      int64
	// Newest says that no newer state of the address by the source is known.
	Newest bool
}

// observed scores a state.
func (o *Observations) observed(i int) *Observed {
	if o.scored == nil {
		o.scored = make([]*Observed, len(o.states))
	}
	if o.scored[i] != nil {
		return o.scored[i]
	}
	state := &o.states[i]
	answer := lookup.Answer{Status: lookup.NotIndexed, Source: lookup.Source(state.Source), Host: state.Host, CheckedAt: state.LastChecked}
	if state.Host != nil {
		answer.Status = lookup.Indexed
	}
	result := o.scan.NewResult(o.Target, answer)
	result.asOf = state.FirstChecked
	o.scored[i] = &Observed{
		Verdict: result.Verdict(), First: state.FirstChecked.Truncate(time.Second), Last: state.LastChecked.Truncate(time.Second), Checks: state.Checks,
		Newest: i+1 == len(o.states) || o.states[i+1].Source != state.Source,
	}
	return o.scored[i]
}

// wants reports whether the query wants states of a source.
func (o *Observations) wants(source string) bool { return o.Source == "" || string(o.Source) == source }

// States returns the states of the address by the source of the query that were last seen within bounds.
func (o *Observations) States(bounds []Bound) []*Observed {
	var found []*Observed
	for i := range o.states {
		if o.wants(o.states[i].Source) && Within(o.states[i].LastChecked.Truncate(time.Second), bounds) {
			found = append(found, o.observed(i))
		}
	}
	return found
}

// latest returns the index of the state that was seen last, by the source of the query, or -1.
func (o *Observations) latest() int {
	latest := -1
	for i := range o.states {
		if o.wants(o.states[i].Source) && (latest < 0 || !o.states[i].LastChecked.Before(o.states[latest].LastChecked)) {
			latest = i
		}
	}
	return latest
}

// LastChecked returns when the source of the query last responded about the address, zero if it never did.
func (o *Observations) LastChecked() time.Time {
	if latest := o.latest(); latest >= 0 {
		return o.states[latest].LastChecked.Truncate(time.Second)
	}
	return time.Time{}
}

// Latest returns the state that was seen last, by the source of the query. If the store has none it returns an Observed
// without times, whose status says why: the address is reserved, a network, wrong or not checked.
func (o *Observations) Latest() *Observed {
	latest := o.latest()
	switch {
	case latest >= 0:
		return o.observed(latest)
	case o.Network:
		return o.Without(NotAHost, "")
	case !o.Addr.IsValid():
		return o.Without(lookup.Failed, o.Problem)
	case lookup.IsReserved(o.Addr):
		return o.Without(lookup.Reserved, "")
	}
	return o.Without(NotChecked, "")
}

// Without returns an Observed that says that nothing is known of the address, and why.
func (o *Observations) Without(status lookup.Status, problem string) *Observed {
	return &Observed{Verdict: o.scan.NewResult(o.Target, lookup.Answer{Status: status, Error: problem}).Verdict()}
}

// A Change is a difference between two states of an address, with the scores of both by the same policy.
type Change struct {
	*Observed           // the state after the change
	Before    *Observed // nil if the address was not checked before
	history.Change
}

// Since is the bounds of what happened at a time or later.
func Since(at time.Time) []Bound { return []Bound{{">=", at.Truncate(time.Second)}} }

// ChangeKinds returns the kinds of change, see history.Kind.
func ChangeKinds() []string {
	var kinds []string
	for _, kind := range history.Kinds() {
		kinds = append(kinds, string(kind))
	}
	return kinds
}

// rank orders levels by how bad they are. What is not known is not bad.
func rank(level reputation.Level) int {
	return slices.Index([]reputation.Level{reputation.Medium, reputation.High, reputation.Critical}, level)
}

// OldLevel returns the level before the change, or nothing if the address was not checked before.
func (c *Change) OldLevel() reputation.Level {
	if c.Before == nil {
		return ""
	}
	return c.Before.Level()
}

// IsWorse reports whether the level is worse than before. An address that was not known counts as low before.
func (c *Change) IsWorse() bool { return rank(c.Level()) > rank(c.OldLevel()) }

// IsBetter reports whether the level is better than before. It needs a score: an address without data is not better.
func (c *Change) IsBetter() bool {
	return c.Level() != reputation.Unknown && rank(c.Level()) < rank(c.OldLevel())
}

// Changes returns the changes of the address by the source of the query that were seen within bounds, in order of time.
//
// The first response of a source about an address is a change only if no other source has responded about it before: a
// change of the source is not a change of the host.
func (o *Observations) Changes(bounds []Bound) []*Change {
	var found []*Change
	for i := range o.states {
		state := &o.states[i]
		if !o.wants(state.Source) || !Within(state.FirstChecked.Truncate(time.Second), bounds) {
			continue
		}
		var before *history.State
		var was *Observed
		if i > 0 && o.states[i-1].Source == state.Source {
			before, was = &o.states[i-1], o.observed(i-1)
		} else if o.knownBefore(state) {
			continue
		}
		is := o.observed(i)
		level := &Change{Observed: is, Before: was, Change: history.Change{Kind: history.Level, New: string(is.Level())}}
		if was != nil {
			level.Old = string(was.Level())
		}
		// A first response without data has no level to speak of.
		if level.Old != level.New && (was != nil || state.Host != nil) {
			found = append(found, level)
		}
		for _, change := range history.Compare(before, *state) {
			found = append(found, &Change{Observed: is, Before: was, Change: change})
		}
	}
	slices.SortStableFunc(found, func(a, b *Change) int { return a.First.Compare(b.First) })
	return found
}

// knownBefore reports whether another source has responded about the address before a state.
func (o *Observations) knownBefore(state *history.State) bool {
	return slices.ContainsFunc(o.states, func(other history.State) bool {
		return other.Source != state.Source && other.FirstChecked.Before(state.FirstChecked)
	})
}

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

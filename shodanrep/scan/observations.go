package scan

import (
	"iter"
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// NotChecked is the status of an address that the history store has no response about. Package lookup does not know it:
// it looks up addresses, and the store is only read.
const NotChecked lookup.Status = "not_checked"

// Observations are what the history store has of an address, for one combination of the options of a query.
type Observations struct {
	*Target
	past
	scan   *Scan
	scored []*Observed // of states, made when they are needed
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
	// Failure is the lookups that have failed since the state was last seen, nil if none have or the source has responded
	// since then.
	Failure *history.Failure
}

// LastFailed returns when the last of the lookups failed that have failed since the state was last seen, zero if none have.
func (o *Observed) LastFailed() (null time.Time) {
	if o.Failure == nil {
		return null
	}
	return o.Failure.Last.Truncate(time.Second)
}

// LastFailure returns why that lookup failed.
func (o *Observed) LastFailure() string {
	if o.Failure == nil {
		return ""
	}
	return o.Failure.Reason
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
	switch {
	case state.Problem != "":
		answer.Status, answer.Error = lookup.Failed, state.Problem
	case state.Indexed():
		answer.Status = lookup.Indexed
	}
	result := o.scan.NewResult(o.Target, answer)
	result.asOf = state.FirstChecked
	o.scored[i] = &Observed{
		Verdict: result.Verdict(), First: state.FirstChecked.Truncate(time.Second), Last: state.LastChecked.Truncate(time.Second), Checks: state.Checks,
		Newest: i+1 == len(o.states) || o.states[i+1].Source != state.Source,
	}
	if o.scored[i].Newest {
		o.scored[i].Failure = o.failureOf(state)
	}
	return o.scored[i]
}

// failureOf returns the lookups of the source of a state that have failed since it was last seen, or nil.
func (o *Observations) failureOf(state *history.State) *history.Failure {
	for i := range o.failures {
		if f := &o.failures[i]; f.Source == state.Source && f.Last.After(state.LastChecked) {
			return f
		}
	}
	return nil
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
func (o *Observations) LastChecked() time.Time { return o.lastResponse().Truncate(time.Second) }

func (o *Observations) lastResponse() time.Time {
	if latest := o.latest(); latest >= 0 {
		return o.states[latest].LastChecked
	}
	return time.Time{}
}

// Failure returns the lookups that have failed since a source of the query last responded about the address, nil if none
// are known. Of those of two sources it returns the ones that failed last.
func (o *Observations) Failure() (last *history.Failure) {
	for f := range o.unanswered() {
		if last == nil || f.Last.After(last.Last) {
			last = f
		}
	}
	return last
}

// unanswered yields, by source, the lookups that have failed since a source of the query last responded about the address.
func (o *Observations) unanswered() iter.Seq[*history.Failure] {
	return func(yield func(*history.Failure) bool) {
		checked := o.lastResponse()
		for i := range o.failures {
			if f := &o.failures[i]; o.wants(f.Source) && f.Last.After(checked) && !yield(f) {
				return
			}
		}
	}
}

// Failing returns, for each source of the query whose lookups have failed since any of them last responded about the
// address, its newest state or, if it never responded, an Observed with the status not_checked.
func (o *Observations) Failing() []*Observed {
	var found []*Observed
	for f := range o.unanswered() {
		newest := -1
		for i := range o.states {
			if o.states[i].Source == f.Source {
				newest = i
			}
		}
		if newest >= 0 {
			found = append(found, o.observed(newest))
			continue
		}
		found = append(found, o.notChecked(f, f.Reason))
	}
	return found
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

// Without returns an Observed that says that nothing is known of the address, and why. If it was not checked and lookups
// failed, the Observed has these and their source.
func (o *Observations) Without(status lookup.Status, problem string) *Observed {
	if status == NotChecked {
		return o.notChecked(o.Failure(), problem)
	}
	return &Observed{Verdict: o.scan.NewResult(o.Target, lookup.Answer{Status: status, Error: problem}).Verdict()}
}

func (o *Observations) notChecked(f *history.Failure, problem string) *Observed {
	answer := lookup.Answer{Status: NotChecked, Error: problem}
	if f != nil {
		answer.Source = lookup.Source(f.Source)
	}
	return &Observed{Verdict: o.scan.NewResult(o.Target, answer).Verdict(), Failure: f}
}

// Changes returns the changes of the address by the source of the query that were seen within bounds, in order of time.
//
// The first response of a source about an address is a change only if no other source has responded about it before: a
// change of the source is not a change of the host.
//
// A state whose facts cannot be read has no changes, and the next one is compared with the one before it; see Unreadable.
func (o *Observations) Changes(bounds []Bound) []*Change {
	var found []*Change
	for i := range o.states {
		state := &o.states[i]
		if !o.wants(state.Source) || state.Problem != "" || !Within(state.FirstChecked.Truncate(time.Second), bounds) {
			continue
		}
		var before *history.State
		var was *Observed
		if j := o.readableBefore(i); j >= 0 {
			before, was = &o.states[j], o.observed(j)
		} else if o.follows(i) || o.knownBefore(state) {
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

// An Unreadable is a state whose facts cannot be read, so that what changed is not known.
type Unreadable struct {
	*Observed // with the status error
	// At is when a check found the state or, if only the state after it is within the bounds, that one.
	At time.Time
}

// Unreadable returns the states of the address by the source of the query whose facts cannot be read, if the changes to or
// from them would be within bounds.
func (o *Observations) Unreadable(bounds []Bound) []Unreadable {
	var found []Unreadable
	for i := range o.states {
		if o.states[i].Problem == "" || !o.wants(o.states[i].Source) {
			continue
		}
		at := o.states[i].FirstChecked.Truncate(time.Second)
		if !Within(at, bounds) {
			next := i + 1
			if next == len(o.states) || !o.follows(next) || o.readableBefore(next) >= 0 {
				continue
			}
			if at = o.states[next].FirstChecked.Truncate(time.Second); !Within(at, bounds) {
				continue
			}
		}
		found = append(found, Unreadable{o.observed(i), at})
	}
	return found
}

// follows reports whether the source of a state has one before it.
func (o *Observations) follows(i int) bool {
	return i > 0 && o.states[i-1].Source == o.states[i].Source
}

// readableBefore returns the index of the last state before another one by its source whose facts can be read, or -1.
func (o *Observations) readableBefore(i int) int {
	for ; o.follows(i); i-- {
		if o.states[i-1].Problem == "" {
			return i - 1
		}
	}
	return -1
}

// knownBefore reports whether another source has responded about the address before a state.
func (o *Observations) knownBefore(state *history.State) bool {
	return slices.ContainsFunc(o.states, func(other history.State) bool {
		return other.Source != state.Source && other.FirstChecked.Before(state.FirstChecked)
	})
}

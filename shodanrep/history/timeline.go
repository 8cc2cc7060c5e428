package history

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// A record is a row of the store: a state.
type record struct {
	id int64 // 0 where it is new
	key
	facts
	first, last time.Time
	checks      int64
}

// neighbors are the states of a sighting's key around its time, nil where there is none.
type neighbors struct {
	before *record // the last that was first checked not after the sighting
	after  *record // the first that was first checked after it
}

// A transaction reads and writes rows while no other process does.
type transaction interface {
	// neighbors returns those of each sighting, in their order.
	neighbors([]*sighting) ([]neighbors, error)
	// save inserts the new records, and updates the others. Those without columns keep their facts but for lastUpdate.
	save([]*record) error
}

// add adds sightings to the states in a store.
func add(tx transaction, sightings []*sighting, now time.Time) error {
	// The facts of one time may have been observed by two processes, whose clocks may differ.
	slices.SortStableFunc(sightings, func(a, b *sighting) int { return a.at.Compare(b.at) })
	for len(sightings) > 0 {
		var round, rest []*sighting // a round has each key once: what it writes are neighbors of the next one's
		seen := map[key]bool{}
		for _, s := range sightings {
			if seen[s.key] {
				rest = append(rest, s)
				continue
			}
			seen[s.key] = true
			round = append(round, s)
		}
		around, err := tx.neighbors(round)
		if err != nil {
			return err
		}
		var changed []*record
		for i, s := range round {
			records, err := s.insert(around[i], now)
			if err != nil {
				return err
			}
			changed = append(changed, records...)
		}
		if err := tx.save(changed); err != nil {
			return err
		}
		sightings = rest
	}
	return nil
}

// insert returns the records that a sighting adds or changes. One that comes late, or that a wrong clock dates back, is
// inserted at its time. The order of states is always that of the times at which they were checked.
func (s *sighting) insert(around neighbors, now time.Time) ([]*record, error) {
	before, after := around.before, around.after
	isBefore, err := s.same(before)
	if err != nil {
		return nil, err
	}
	switch {
	case isBefore:
		return s.confirm(before, now)
	case before != nil && s.at.Before(before.last):
		return s.split(before, after)
	case before == nil || before.last.Before(s.at):
		if isAfter, err := s.same(after); err != nil {
			return nil, err
		} else if isAfter {
			after.first = s.at
			return s.confirm(after, now)
		}
	}
	r, err := s.record(before)
	return []*record{r}, err
}

// same reports whether a record, which may be nil, has the facts of a sighting, as far as both have them.
func (s *sighting) same(r *record) (bool, error) {
	switch {
	case r == nil || s.services != nil && r.services != nil && !bytes.Equal(s.services, r.services):
		return false, nil
	case bytes.Equal(s.summary, r.summary):
		return true, nil
	case (s.services == nil) == (r.services == nil) || s.document == nil:
		return false, nil
	}
	known := r.document()
	if known == nil {
		return false, nil
	}
	without, with := s.document, known
	if s.services != nil {
		without, with = known, s.document
	}
	one, err := without.withGeneral(with).summary()
	if err != nil {
		return false, err
	}
	other, err := with.summary()
	return bytes.Equal(one, other), err
}

// confirm counts the sighting in a record with the same facts. Of the facts that differ from day to day the record gets
// the newest, and services that it did not have. An end in the future is from a wrong clock, and is not the newest.
func (s *sighting) confirm(r *record, now time.Time) ([]*record, error) {
	r.checks++
	newest := !s.at.Before(r.last) || isFuture(r.last, now)
	if newest {
		r.last, r.lastUpdate = s.at, s.lastUpdate
	}
	if s.services == nil || r.services != nil && !newest {
		return []*record{r}, nil
	}
	f, err := s.pack(s.document)
	if r.services == nil || !bytes.Equal(r.packed, f.packed) {
		f.lastUpdate = r.lastUpdate
		r.facts = f
	}
	return []*record{r}, err
}

// split puts a sighting inside a state that contradicts it. Of the state's checks only the first and the last are known.
func (s *sighting) split(r, after *record) ([]*record, error) {
	end := *r
	r.last = r.first
	between, err := s.record(r)
	if err != nil || after != nil && after.first.Equal(end.last) { // what follows at once has taken the place of the end
		return []*record{r, between}, err
	}
	end.id, end.first, end.checks = 0, end.last, 1
	end.restoreColumns()
	r.checks = max(1, r.checks-1)
	return []*record{r, between, &end}, nil
}

// record returns a new record of a sighting, with the services of the state before where the response did not have them.
func (s *sighting) record(before *record) (*record, error) {
	d := s.document
	if d != nil && s.services == nil && before != nil {
		if known := before.document(); known != nil {
			d = d.withGeneral(known).withServices(known.Services)
		}
	}
	f, err := s.pack(d)
	return &record{key: s.key, facts: f, first: s.at, last: s.at, checks: 1}, err
}

// document returns the facts of a record that was read, nil where the service had nothing about the address. Facts that
// cannot be read, because a disk has changed them, are not known either: as an error they would keep all that is written
// with them from being recorded, again and again.
func (r *record) document() *document {
	if r.packed == nil {
		return nil
	}
	d, err := unpack(r.packed)
	if err != nil {
		return nil
	}
	return d
}

// restoreColumns sets the columns of a record that was read without them.
func (r *record) restoreColumns() {
	r.columns = r.document().columns()
	r.columns.indexed = r.packed != nil
}

// isFuture reports whether a time is from a wrong clock.
func isFuture(t, now time.Time) bool { return t.After(now.Add(clockSkew)) }

// state returns the state of a record. A wrong clock wrote an end in the future: when the address was last checked is not
// known then, and certain is only when it was first.
//
// Facts that cannot be read are a problem of this state only. As an error they would hide those of all other addresses.
func (r *record) state(now time.Time) State {
	state := r.stateWithoutHost(now, false)
	host, err := hostOf(r.addr, r.packed, r.lastUpdate)
	if err != nil {
		state.Problem = fmt.Sprintf("the facts of %s, first checked at %s, cannot be read from the history: %v", r.addr, r.first.Format(time.RFC3339), err)
	}
	state.Host = host
	return state
}

// stateWithoutHost returns the state of a record whose facts were not read; hasFacts says whether it has any.
func (r *record) stateWithoutHost(now time.Time, hasFacts bool) State {
	last := r.last
	if isFuture(last, now) {
		last = r.first
	}
	return State{Addr: r.addr, Source: r.source, HostUnread: hasFacts, FirstChecked: r.first, LastChecked: last, Checks: r.checks}
}

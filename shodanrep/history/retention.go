package history

import "time"

const (
	// pruneEvery is how often states that are too old are deleted.
	pruneEvery = 24 * time.Hour
	// pruneStep is by how much the time that decides what is too old moves at most. So a clock that is years ahead for a
	// moment does not delete the history.
	pruneStep = 7 * 24 * time.Hour
	// clockSkew is by how much the clocks of machines that share a store may differ.
	clockSkew = 5 * time.Minute
)

// A retention is when states that are too old were last deleted.
type retention struct {
	ran   time.Time // by the clock
	until time.Time // the time that decided what was too old; not after ran
}

// next returns the retention after a run at a time, and whether one is due.
func (r retention) next(now time.Time) (next retention, due bool) {
	since := now.Sub(r.ran)
	if since >= 0 && since < pruneEvery {
		return r, false
	}
	until := r.until.Add(pruneStep)
	if until.After(now) { // or the clock was ahead before
		until = now
	}
	return retention{ran: now, until: until}, true
}

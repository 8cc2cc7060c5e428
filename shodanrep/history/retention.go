package history

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	// pruneEvery is how often states that are too old are deleted.
	pruneEvery = 24 * time.Hour
	// pruneStep is by how much the time that decides what is too old moves at most, forward and back. So a clock that is
	// years ahead for a moment does not delete the history, and one that is years behind does not keep it for years.
	pruneStep = 7 * 24 * time.Hour
	// clockSkew is by how much the clocks of machines that share a store may differ.
	clockSkew = 5 * time.Minute
	// prunedAtOnce is how many states one transaction deletes, and freedAtOnce how many pages it gives back to the file
	// system: other processes wait for it, and what an interrupted one has deleted is there again. A write is followed by at
	// least one such transaction while there is too much, and by more for pruneFor: a process that ends soon does not delete
	// hundreds of thousands of states first. That is more than a write adds.
	prunedAtOnce, freedAtOnce = 1000, 1000
	pruneFor                  = time.Second / 2
	// prunedByServer is how many states a transaction of PostgreSQL deletes, which is faster.
	prunedByServer = 10 * prunedAtOnce
)

// notPruned is the warning of a store whose states cannot be deleted, once.
const notPruned = "what is too old or too much cannot be deleted from the history, so that it grows"

// pruning is how a backend deletes what is too old or too much. One write runs at a time, and prunes after that.
type pruning struct {
	atOnce  int           // how many states a transaction deletes
	longest time.Duration // how long it goes on after a write
	warned  bool          // it was logged that states cannot be deleted
}

// run calls some, a transaction that deletes some of what is too old or too much, until there is no more or it has taken
// longest: the next write goes on. What was written before is not lost if it fails, which is logged once.
func (p *pruning) run(ctx context.Context, logger hclog.Logger, some func() (more bool, err error)) {
	for began, more := time.Now(), true; more; more = more && time.Since(began) < p.longest {
		var err error
		if more, err = some(); err == nil {
			continue
		}
		if ctx.Err() == nil && !p.warned {
			p.warned = true
			logger.Warn(notPruned, "error", err)
		}
		return
	}
}

// A retention is when states that are too old were last deleted.
type retention struct {
	ran   time.Time // by the clock
	until time.Time // the time that decided what was too old; near ran, unless the clock jumped
}

// next returns the retention after a run at a time, and whether one is due.
func (r retention) next(now time.Time) (next retention, due bool) {
	since := now.Sub(r.ran)
	if since >= 0 && since < pruneEvery {
		return r, false
	}
	until := r.until.Add(pruneStep)
	if least := r.until.Add(-pruneStep); now.Before(least) {
		until = least
	} else if until.After(now) { // or the clock was ahead before
		until = now
	}
	return retention{ran: now, until: until}, true
}

// before returns the time from before which states are too old. It is never later than the clock allows: that may have
// been ahead when the store was made.
func (r retention) before(keep time.Duration) time.Time {
	if r.ran.Before(r.until) {
		return r.ran.Add(-keep)
	}
	return r.until.Add(-keep)
}

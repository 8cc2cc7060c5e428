package cache

import (
	"context"
	"math"
	"sync/atomic"
	"time"
)

const (
	// spacing is by how much slots are farther apart than the rate has them. Redis hands slots out exactly; what comes
	// of them reaches a service sooner or later by what lies between. Six hundredths of a second, or of a longer
	// interval, can go by unevenly before two requests are closer than the rate allows.
	spacing = 1.06
	// lateness is how much of that a process may use up that wakes late, again in parts of a second or of a longer
	// interval. A later one leaves its slot unused.
	lateness = 0.036
)

// queue lets one call of this process at a time wait at Redis for a slot of a rate: more of them would take slots of
// the other processes long before they can be used, and waste them when their query is cancelled.
type queue struct {
	turn  chan struct{} // holds one token, which is the right to wait
	slot  time.Time     // a slot that was taken and not yet used, by a call that was cancelled
	peers atomic.Int64  // how many processes share the rate
}

func (r *Redis) queue(name string) *queue {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queues[name]
	if q == nil {
		q = &queue{turn: make(chan struct{}, 1)}
		q.peers.Store(1)
		q.turn <- struct{}{}
		r.queues[name] = q
	}
	return q
}

// Take waits until the rate named name admits one more request of all machines together. Processes are served in
// turn. A rate that is not positive, or infinite, admits all.
func (r *Redis) Take(ctx context.Context, name string, perSecond float64, burst int) error {
	if perSecond <= 0 || math.IsInf(perSecond, 1) || math.IsNaN(perSecond) {
		return ctx.Err()
	}
	q := r.queue(name)
	if err := wait(ctx, q.turn); err != nil {
		return err
	}
	defer func() { q.turn <- struct{}{} }()
	interval := time.Duration(spacing / perSecond * float64(time.Second))
	tolerance := time.Duration(lateness * float64(max(interval, time.Second)))
	for {
		if q.slot.IsZero() {
			if err := r.reserve(ctx, q, name, interval, burst); err != nil {
				return err
			}
		}
		if err := sleepUntil(ctx, q.slot); err != nil {
			return err
		}
		late := time.Since(q.slot)
		q.slot = time.Time{}
		if late <= tolerance {
			return nil
		}
	}
}

// reserve takes the next slot of a rate. The caller has the queue's turn.
func (r *Redis) reserve(ctx context.Context, q *queue, name string, interval time.Duration, burst int) error {
	if !r.ready() {
		return ErrAway
	}
	// After a time without Redis it may have forgotten the slots before, and others may not have noticed yet that it is
	// back and go on with a share of their own. Then the first slot is when they have.
	r.fallback.mu.Lock()
	hold := max(0, time.Until(r.back.Add(2*r.every)))
	if r.back.IsZero() {
		hold = 0
	}
	r.fallback.mu.Unlock()
	keys := []string{r.store.prefix + "rate:" + name, r.store.prefix + "peers:" + name}
	row, err := takeScript.Run(ctx, r.store.client, keys,
		interval.Microseconds(), int64(max(burst, 1)-1)*interval.Microseconds(), hold.Microseconds(), r.process).Int64Slice()
	if err != nil {
		return r.away(ctx, err)
	}
	q.slot = time.Now().Add(time.Duration(row[0]) * time.Microsecond)
	q.peers.Store(row[1])
	return nil
}

// Peers is how many processes took part in a rate within the minute before this one last did, this one included: what
// is each one's share of the rate while Redis is away.
func (r *Redis) Peers(name string) int {
	return int(r.queue(name).peers.Load())
}

// Available reports whether Redis is there.
func (r *Redis) Available() bool { return r.ready() }

// away turns the failure of a call into what a Coordinator returns, and takes note of it.
func (r *Redis) away(ctx context.Context, err error) error {
	if ended := ended(ctx); ended != nil {
		return ended
	}
	r.fail(r.store.explain(err))
	return ErrAway
}

// wait waits for a token, or for the end of ctx.
func wait(ctx context.Context, token <-chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-token:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sleepUntil waits until a time, or for the end of ctx.
func sleepUntil(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

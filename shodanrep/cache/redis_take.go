package cache

import (
	"context"
	"math"
	"sync/atomic"
	"time"
)

// apart is how much farther apart requests are than their rate has them. Redis admits them exactly; what lies between
// it and a service makes some arrive sooner after the one before. So six hundredths of a second may go by unevenly (at
// a slower rate, of its interval) before two of them are closer than they may be.
const apart = 1.06

// queue lets one call of this process at a time wait its turn at Redis: more of them would plan for long before they
// are due, and in vain when their query is cancelled.
type queue struct {
	turn  chan struct{} // holds one token, which is the right to wait
	due   time.Time     // when to come again, also for the next call where this one is cancelled; zero for no place
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
// turn. A rate that is not positive, or infinite, admits all. It returns how many processes took part in the rate within
// the minute before this one last did, this one included: what is each one's share of the rate while Redis is away.
func (r *Redis) Take(ctx context.Context, name string, perSecond float64, burst int) (processes int, err error) {
	q := r.queue(name)
	if !(perSecond > 0) || math.IsInf(perSecond, 1) {
		return int(q.peers.Load()), ctx.Err()
	}
	if err := wait(ctx, q.turn); err != nil {
		return 0, err
	}
	defer func() { q.turn <- struct{}{} }()
	for {
		if err := sleepUntil(ctx, q.due); err != nil {
			return 0, err
		}
		admitted, err := r.come(ctx, q, name, perSecond, burst)
		if admitted || err != nil {
			return int(q.peers.Load()), err
		}
	}
}

// come asks whether the caller, who has the queue's turn, is admitted, and says in q.due when to come again.
func (r *Redis) come(ctx context.Context, q *queue, name string, perSecond float64, burst int) (admitted bool, err error) {
	if !r.ready() {
		q.due = time.Time{}
		return false, ErrAway
	}
	planned := 0
	if !q.due.IsZero() {
		planned = 1
	}
	interval := int64(math.Ceil(apart / perSecond * 1e6))
	keys := []string{r.store.prefix + "rate:" + name, r.store.prefix + "peers:" + name}
	row, err := takeScript.Run(ctx, r.store.client, keys, interval, max(burst, 1)-1,
		r.hold().Microseconds(), r.process, planned).Int64Slice()
	if err != nil {
		return false, r.away(ctx, err)
	}
	q.peers.Store(row[1])
	if row[0] < 0 {
		q.due = time.Time{}
		return true, nil
	}
	q.due = time.Now().Add(time.Duration(row[0]) * time.Microsecond)
	return false, nil
}

// Delay makes the turns to come at a rate later.
func (r *Redis) Delay(ctx context.Context, name string, d time.Duration) {
	if r.ready() {
		_ = delayScript.Run(ctx, r.store.client, []string{r.store.prefix + "rate:" + name}, d.Microseconds()).Err()
	}
}

// hold is how long to wait at first after a time without Redis. It may have forgotten what it admitted before, and
// others may not have noticed yet that it is back and go on with a share of their own.
func (r *Redis) hold() time.Duration {
	r.fallback.mu.Lock()
	defer r.fallback.mu.Unlock()
	if r.back.IsZero() {
		return 0
	}
	return max(0, time.Until(r.back.Add(2*r.every)))
}

// Available reports whether Redis is there.
func (r *Redis) Available() bool { return r.ready() }

// away turns the failure of a call into what a Coordinator returns, and takes note of it.
func (r *Redis) away(ctx context.Context, err error) error {
	if ctxErr := contextError(ctx); ctxErr != nil {
		return ctxErr
	}
	r.fail(r.store.wrapError(err))
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

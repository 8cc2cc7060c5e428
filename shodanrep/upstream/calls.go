package upstream

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
)

// A callKey names a response in flight. Its value is shared, so that callers share a call only if they read the
// response as the same type.
type callKey struct {
	cache.Key
	addr      netip.Addr // of a host; invalid for the responses of Get
	valueType string     // of a response of Get
}

// A Result is the response to one call, or why there is none. Its Value is shared: do not change it.
type Result struct {
	Index int // of the call among those that were joined together
	Value any
	// Err is an error of the kind shodan.NotFound where the service has nothing.
	Err       error
	CheckedAt time.Time // when the service sent the response, zero if it sent none
	// FreshUntil is until when the response is cached, zero if it is not.
	FreshUntil time.Time
	FromCache  bool
}

// calls are the responses that callers wait for. All who need the same response wait for the same call, whichever
// query, table or connection they come from.
type calls struct {
	mu    sync.Mutex
	byKey map[callKey]*call
}

// A call is one response that callers wait for.
type call struct {
	key     callKey
	waiters []waiting
	group   *group // the request in flight that fetches it; nil before
	regroup
}

// regroup says how calls are requested again after a request for more of them failed.
type regroup struct {
	size  int // of the next group at most; 0 if the calls were not requested before
	tries int // that were made in larger groups
}

// waiting is a waiter's place at a call.
type waiting struct {
	*waiter
	index int
}

// A group is the calls that one request in flight fetches. Its context ends when nobody waits for any of them: a
// cancelled query stops its own requests, and those of no other.
type group struct {
	ctx     context.Context
	cancel  context.CancelFunc
	owner   *waiter // that began it
	waiters int     // of its calls
	open    int     // calls without a result
}

// A waiter waits for the calls that it joined. The lock of calls guards it.
type waiter struct {
	calls   []*call  // nil where there is a result
	open    int      // calls without a result
	queue   []int    // of the calls that may have to be begun, in order
	groups  int      // in flight that it began
	results []Result // not yet taken
	wake    chan struct{}
}

// join waits for the calls of some keys. The caller must call leave when it needs no more results.
func (c *calls) join(keys []callKey) *waiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[callKey]*call{}
	}
	w := &waiter{calls: make([]*call, len(keys)), open: len(keys), queue: make([]int, len(keys)), wake: make(chan struct{}, 1)}
	for i, key := range keys {
		joined := c.byKey[key]
		if joined == nil || joined.group != nil && joined.group.ctx.Err() != nil {
			joined = &call{key: key}
			c.byKey[key] = joined
		}
		joined.waiters = append(joined.waiters, waiting{w, i})
		if joined.group != nil {
			joined.group.waiters++
		}
		w.calls[i], w.queue[i] = joined, i
	}
	return w
}

// leave gives up waiting for what has no result.
func (c *calls) leave(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 0; w.open > 0; i++ {
		c.drop(w, i)
	}
}

// resolve leaves the calls that have a result from elsewhere. It returns the results without those that came meanwhile.
func (c *calls) resolve(w *waiter, results []Result) []Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	results = slices.DeleteFunc(results, func(r Result) bool { return w.calls[r.Index] == nil })
	for _, r := range results {
		c.drop(w, r.Index)
	}
	return results
}

// abort leaves the calls that no request in flight fetches, and returns err as their result.
func (c *calls) abort(w *waiter, err error) (results []Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.next(w) != nil {
		results = append(results, Result{Index: w.queue[0], Err: err})
		c.drop(w, w.queue[0])
	}
	return results
}

// drop takes a waiter off a call. The caller holds the lock.
func (c *calls) drop(w *waiter, i int) {
	left := w.calls[i]
	if left == nil {
		return
	}
	w.calls[i] = nil
	w.open--
	left.waiters = slices.DeleteFunc(left.waiters, func(at waiting) bool { return at == waiting{w, i} })
	switch {
	case left.group != nil:
		if left.group.waiters--; left.group.waiters == 0 {
			left.group.cancel()
		}
	case len(left.waiters) == 0 && c.byKey[left.key] == left:
		delete(c.byKey, left.key)
	}
}

// next returns the first call of a waiter's queue that no request in flight fetches, or nil. The caller holds the lock.
func (c *calls) next(w *waiter) *call {
	for ; len(w.queue) > 0; w.queue = w.queue[1:] {
		if next := w.calls[w.queue[0]]; next != nil && next.group == nil {
			return next
		}
	}
	return nil
}

// take returns the results of a waiter that have come since the last time, whether any of its calls has no result yet,
// whether any has to be begun, and how many groups it has in flight.
func (c *calls) take(w *waiter) (results []Result, open, queued bool, groups int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	results, w.results = w.results, nil
	return results, w.open > 0, c.next(w) != nil, w.groups
}

// begin makes a group of up to size of a waiter's calls that no request in flight fetches. The group is nil if there
// are none.
func (c *calls) begin(w *waiter, size int) (*group, []*call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var begun []*call
	var g *group
	for next := c.next(w); next != nil && len(begun) < size; next = c.next(w) {
		if g == nil {
			g = &group{owner: w}
			g.ctx, g.cancel = context.WithCancel(context.Background())
			w.groups++
			if next.size > 0 {
				size = min(size, next.size)
			}
		} else if next.regroup != begun[0].regroup {
			break
		}
		next.group = g
		g.waiters += len(next.waiters)
		g.open++
		begun = append(begun, next)
	}
	return g, begun
}

// finish gives the result of a call to all who wait for it.
func (c *calls) finish(done *call, r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[done.key] == done {
		delete(c.byKey, done.key)
	}
	for _, at := range done.waiters {
		r.Index = at.index
		at.results = append(at.results, r)
		at.waiter.calls[at.index] = nil
		at.waiter.open--
		at.notify()
	}
	c.end(done)
}

// requeue has calls begun again by those who wait for them.
func (c *calls) requeue(again []*call, how regroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range slices.Backward(again) {
		c.end(r)
		r.group, r.regroup = nil, how
		if len(r.waiters) == 0 && c.byKey[r.key] == r {
			delete(c.byKey, r.key)
		}
		for _, at := range r.waiters {
			at.queue = slices.Insert(at.queue, 0, at.index)
			at.notify()
		}
	}
}

// end takes a call off its group. The caller holds the lock.
func (c *calls) end(ended *call) {
	g := ended.group
	if g.waiters -= len(ended.waiters); g.waiters == 0 {
		g.cancel()
	}
	if g.open--; g.open == 0 {
		g.owner.groups--
		g.owner.notify()
	}
}

// notify wakes the waiter.
func (w *waiter) notify() {
	select {
	case w.wake <- struct{}{}:
	default: // it will wake
	}
}

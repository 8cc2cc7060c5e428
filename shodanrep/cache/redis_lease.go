package cache

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// lookEvery is how often those who wait look whether a lease has ended. They look together: one round trip for a
	// thousand of them.
	lookEvery = 25 * time.Millisecond
	lookBatch = 1000
)

func (r *Redis) leaseKey(k Key) string {
	return r.store.prefix + "lease:" + url.QueryEscape(k.Target) + ":" + entryName(k)
}

// Lease tries to become the one who asks for key.
func (r *Redis) Lease(ctx context.Context, key Key, ttl time.Duration) (release func(), got bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if !r.ready() {
		return nil, false, ErrAway
	}
	name, token := r.leaseKey(key), rand.Text()
	err = r.store.client.SetArgs(ctx, name, token, redis.SetArgs{Mode: "NX", TTL: max(ttl, time.Millisecond)}).Err()
	if err == redis.Nil {
		// One without an end, or with one in years, would be waited for as long.
		if err := boundScript.Run(ctx, r.store.client, []string{name}, max(ttl, time.Millisecond).Milliseconds()).Err(); err != nil {
			return nil, false, r.away(ctx, err)
		}
		return nil, false, nil
	}
	if err != nil {
		return nil, false, r.away(ctx, err)
	}
	return sync.OnceFunc(func() {
		if !r.up.Load() { // it runs out by itself
			return
		}
		// Also when the query that asked was cancelled: others wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := releaseScript.Run(ctx, r.store.client, []string{name}, token).Err(); err != nil {
			r.away(ctx, err)
		}
	}), true, nil
}

// waitingRoom is where the calls are that wait for the end of a lease, by the lease's key in Redis.
type waitingRoom struct {
	mu      sync.Mutex
	waiting map[string][]chan error
}

// WaitFor returns when the key's lease has ended.
func (r *Redis) WaitFor(ctx context.Context, key Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !r.ready() {
		return ErrAway
	}
	name, done := r.leaseKey(key), make(chan error, 1)
	r.room.mu.Lock()
	if r.room.waiting == nil {
		if !r.beside(r.look) {
			r.room.mu.Unlock()
			return ErrAway
		}
		r.room.waiting = map[string][]chan error{}
	}
	r.room.waiting[name] = append(r.room.waiting[name], done)
	r.room.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		r.room.leave(name, done)
		return ctx.Err()
	}
}

// look tells those who wait when their lease has ended, for as long as someone waits.
func (r *Redis) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for names := r.room.names(); names != nil; names = r.room.names() {
		for batch := range slices.Chunk(names, lookBatch) {
			leases, err := r.store.client.MGet(r.ctx, batch...).Result()
			if err != nil {
				r.away(r.ctx, err)
				r.room.tell(names, ErrAway)
				break
			}
			var ended []string
			for i, lease := range leases {
				if lease == nil {
					ended = append(ended, batch[i])
				}
			}
			r.room.tell(ended, nil)
		}
		select {
		case <-tick.C:
		case <-r.ctx.Done(): // the next look fails, and so tells all
		}
	}
}

// names are the leases that someone waits for. Where there are none, whoever looks may go: nil.
func (w *waitingRoom) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.waiting = nil
		return nil
	}
	names := make([]string, 0, len(w.waiting))
	for name := range w.waiting {
		names = append(names, name)
	}
	return names
}

// tell ends the waiting for some leases.
func (w *waitingRoom) tell(names []string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		for _, done := range w.waiting[name] {
			done <- err
		}
		delete(w.waiting, name)
	}
}

// leave takes one who has given up off the list.
func (w *waitingRoom) leave(name string, done chan error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := slices.DeleteFunc(w.waiting[name], func(c chan error) bool { return c == done })
	if len(left) > 0 {
		w.waiting[name] = left
	} else if w.waiting != nil {
		delete(w.waiting, name)
	}
}

package ratelimit

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

// lookEvery is how often a call that waits for the end of a lease looks for it: some tenths of what a response takes.
// At most max_concurrency calls of a process look.
const lookEvery = 25 * time.Millisecond

// The process that has a lease renews it, so that others do not wait long for one that was killed.
const (
	leaseTerm  = 10 * time.Second // until the end of a lease that nobody renews
	renewEvery = 3 * time.Second
)

// Lease tries to become the only one that requests what the name stands for.
func (r *Redis) Lease(ctx context.Context, name string, ttl time.Duration) (release func(), got bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if !r.status.Ready() {
		return nil, false, ErrAway
	}
	l := &lease{r: r, key: r.leaseKey(name), token: rand.Text()}
	ttl = max(ttl, time.Millisecond)
	l.until = time.Now().Add(ttl)
	err = r.client.SetArgs(ctx, l.key, l.token, redis.SetArgs{Mode: "NX", TTL: min(ttl, r.leaseTerm)}).Err()
	if err == redis.Nil {
		// One without an end, or with one in years, would be waited for as long.
		if err := boundScript.Run(ctx, r.client, []string{l.key}, ttl.Milliseconds()).Err(); err != nil {
			return nil, false, r.failed(ctx, err)
		}
		return nil, false, nil
	}
	if err != nil {
		return nil, false, r.failed(ctx, err)
	}
	if ttl > r.leaseTerm {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.renewal = time.AfterFunc(r.renewEvery, l.renew)
	}
	return sync.OnceFunc(l.release), true, nil
}

// A lease is one that this process has.
type lease struct {
	r          *Redis
	key, token string
	until      time.Time // its end, however often it is renewed

	mu       sync.Mutex
	released bool
	renewal  *time.Timer // may be nil
}

// renew makes the lease last for another term, and does so again until it is released or over.
func (l *lease) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := time.Until(l.until)
	if l.released || left < time.Millisecond || !l.r.status.Ready() {
		return
	}
	ctx, cancel := leaseContext()
	defer cancel()
	if err := renewScript.Run(ctx, l.r.client, []string{l.key}, l.token, min(left, l.r.leaseTerm).Milliseconds()).Err(); err != nil {
		_ = l.r.failed(ctx, err)
	}
	l.renewal.Reset(l.r.renewEvery)
}

// release ends the lease, also where its query was cancelled: others wait.
func (l *lease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released = true
	if l.renewal != nil {
		l.renewal.Stop()
	}
	if !l.r.status.Ready() { // it runs out by itself
		return
	}
	ctx, cancel := leaseContext()
	defer cancel()
	if err := releaseScript.Run(ctx, l.r.client, []string{l.key}, l.token).Err(); err != nil {
		_ = l.r.failed(ctx, err)
	}
}

// leaseContext bounds a command about a lease that this process has.
func leaseContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), waitlimit.Of(time.Second))
}

// WaitFor waits until nobody has the lease.
func (r *Redis) WaitFor(ctx context.Context, name string) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !r.status.Ready() {
			return ErrAway
		}
		leases, err := r.client.Exists(ctx, r.leaseKey(name)).Result()
		if err != nil {
			return r.failed(ctx, err)
		}
		if leases == 0 {
			return nil
		}
		if err := sleep(ctx, lookEvery, nil); err != nil {
			return err
		}
	}
}

func (r *Redis) leaseKey(name string) string { return r.prefix + "lease:" + name }

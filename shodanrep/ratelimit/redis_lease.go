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

// Lease tries to become the only one that requests what the name stands for.
func (r *Redis) Lease(ctx context.Context, name string, ttl time.Duration) (release func(), got bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if !r.status.Ready() {
		return nil, false, ErrAway
	}
	key, token := r.leaseKey(name), rand.Text()
	ttl = max(ttl, time.Millisecond)
	err = r.client.SetArgs(ctx, key, token, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	if err == redis.Nil {
		// One without an end, or with one in years, would be waited for as long.
		if err := boundScript.Run(ctx, r.client, []string{key}, ttl.Milliseconds()).Err(); err != nil {
			return nil, false, r.failed(ctx, err)
		}
		return nil, false, nil
	}
	if err != nil {
		return nil, false, r.failed(ctx, err)
	}
	return sync.OnceFunc(func() {
		if !r.status.Ready() { // it runs out by itself
			return
		}
		// Also where the query was cancelled: others wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), waitlimit.Of(time.Second))
		defer cancel()
		if err := releaseScript.Run(ctx, r.client, []string{key}, token).Err(); err != nil {
			_ = r.failed(ctx, err)
		}
	}), true, nil
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

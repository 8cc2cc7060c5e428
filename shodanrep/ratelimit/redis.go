package ratelimit

import (
	"context"
	"crypto/rand"
	"math"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisMargin makes the rate among machines a little slower than configured. Redis admits requests exactly, and the
// network between Redis, a machine and a service makes some arrive sooner after the one before. Six hundredths of a
// second, or of a longer interval, may go by unevenly before two are closer than they may be. See figure 6.
const redisMargin = 1.06

// placeTime is how long one process may hold up the others at most: by its interval, which is ten seconds at minRate, or
// because it was late to write its request.
const placeTime = time.Minute

// A RedisStatus is whether a Redis can be used at the moment.
type RedisStatus interface {
	// Ready reports whether it can be used.
	Ready() bool
	// Failed notes that a command failed.
	Failed(err error)
	// SafeAt returns from when on all machines know that Redis is back after it was away, zero where it was not. It may
	// have forgotten what it admitted before, and others may still go on with a share of their own.
	SafeAt() time.Time
}

// Redis coordinates machines through a Redis or Valkey server.
type Redis struct {
	client  *redis.Client
	prefix  string // of all keys
	status  RedisStatus
	process string // who this process is among those that share a rate
	// leaseTerm and renewEvery are the constants of these names. Tests change them.
	leaseTerm, renewEvery time.Duration

	mu    sync.Mutex
	rates map[string]*redisRate
}

var _ Coordinator = (*Redis)(nil)

// redisRate is a rate as this process takes part in it. One call at a time waits for it: more of them would take places
// in the plan long before they need them, and lose them where their query is cancelled.
type redisRate struct {
	calls     chan struct{} // holds the call that waits
	due       time.Time     // when to try again, also for the next call where this one is cancelled; zero for no place
	processes int           // how many share the rate
}

// NewRedis returns a coordinator that uses a client, with keys that begin with prefix.
func NewRedis(client *redis.Client, prefix string, status RedisStatus) *Redis {
	return &Redis{
		client: client, prefix: prefix, status: status, process: rand.Text(), leaseTerm: leaseTerm, renewEvery: renewEvery,
		rates: map[string]*redisRate{},
	}
}

// Available reports whether Redis can be used.
func (r *Redis) Available() bool { return r.status.Ready() }

// Take waits until the named rate admits one more request of all machines together. Processes are served in turn. A
// rate that is not positive, or infinite, admits all. It returns how many processes took part in the rate within the
// minute before this one last did, this one included.
func (r *Redis) Take(ctx context.Context, name string, perSecond float64, burst int) (processes int, err error) {
	if !(perSecond > 0) || math.IsInf(perSecond, 1) {
		return 1, ctx.Err()
	}
	r.mu.Lock()
	rate := r.rates[name]
	if rate == nil {
		rate = &redisRate{calls: make(chan struct{}, 1), processes: 1}
		r.rates[name] = rate
	}
	r.mu.Unlock()
	select {
	case rate.calls <- struct{}{}:
		defer func() { <-rate.calls }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for {
		if err := sleep(ctx, time.Until(rate.due), nil); err != nil {
			return 0, err
		}
		admitted, err := r.takeOnce(ctx, rate, name, perSecond, burst)
		if admitted || err != nil {
			return rate.processes, err
		}
	}
}

// takeOnce reports whether a request is admitted now, and sets rate.due to when to try again.
func (r *Redis) takeOnce(ctx context.Context, rate *redisRate, name string, perSecond float64, burst int) (admitted bool, err error) {
	if !r.status.Ready() {
		rate.due = time.Time{}
		return false, ErrAway
	}
	planned := 0
	if !rate.due.IsZero() {
		planned = 1
	}
	interval := int64(math.Ceil(min(redisMargin/perSecond, longestInterval.Seconds()) * 1e6))
	unknown := max(0, time.Until(r.status.SafeAt()))
	row, err := takeScript.Run(ctx, r.client, []string{r.prefix + "rate:" + name, r.prefix + "peers:" + name},
		interval, max(burst, 1)-1, unknown.Microseconds(), r.process, planned, placeTime.Microseconds()).Int64Slice()
	if err != nil {
		return false, r.failed(ctx, err)
	}
	rate.processes = int(row[1])
	if row[0] < 0 {
		rate.due = time.Time{}
		return true, nil
	}
	rate.due = time.Now().Add(time.Duration(row[0]) * time.Microsecond)
	return false, nil
}

// Delay makes the next requests at the named rate later.
func (r *Redis) Delay(ctx context.Context, name string, d time.Duration) {
	if r.status.Ready() {
		_ = delayScript.Run(ctx, r.client, []string{r.prefix + "rate:" + name}, d.Microseconds()).Err()
	}
}

// failed notes that a command failed, and returns the context's error or ErrAway.
func (r *Redis) failed(ctx context.Context, err error) error {
	// The deadline may have passed before the context says so.
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.status.Failed(err)
	return ErrAway
}

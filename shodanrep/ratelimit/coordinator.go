package ratelimit

import (
	"context"
	"errors"
	"time"
)

// ErrAway is what a Coordinator returns while it is out of reach: each machine goes on with a share of the rate.
var ErrAway = errors.New("the machines cannot be coordinated at the moment")

// A Coordinator shares among machines what they do at this moment. Its methods may be called concurrently. They fail
// with ErrAway or with the context's error.
type Coordinator interface {
	// Take waits until the named rate admits one more request of all machines together. It returns how many processes
	// share the rate, as far as is known.
	Take(ctx context.Context, name string, perSecond float64, burst int) (processes int, err error)
	// Delay makes the next requests at the named rate later by d, because one was written so late. Where that fails
	// nothing is delayed.
	Delay(ctx context.Context, name string, d time.Duration)
	// Lease tries to become the only one that requests what the name stands for. Where another has the lease, got is false
	// and the caller may WaitFor its end. A lease ends after ttl, or when release is called.
	Lease(ctx context.Context, name string, ttl time.Duration) (release func(), got bool, err error)
	// WaitFor waits until nobody has the lease.
	WaitFor(ctx context.Context, name string) error
	// Available reports whether the coordination works at the moment.
	Available() bool
}

package cache

import (
	"context"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
)

// ErrAway is what a Coordinator returns while the service it coordinates through is out of reach: each machine goes on
// with a share of its own.
var ErrAway = ratelimit.ErrAway

// Coordinator shares among machines what they do at this moment. Its methods may be called side by side; where they
// fail, it is with ErrAway, or with ctx's error.
type Coordinator interface {
	// Lease tries to become the one who asks for key; false means another is at it: then WaitFor. The lease runs out
	// after ttl, or when release is called; release is nil where the lease was not got.
	Lease(ctx context.Context, key Key, ttl time.Duration) (release func(), got bool, err error)
	// WaitFor returns when the key's holder has released it or its lease ran out, or ctx ends.
	WaitFor(ctx context.Context, key Key) error
	ratelimit.Coordinator
	// Available reports whether the coordination works at the moment (false: use a local share).
	Available() bool
}

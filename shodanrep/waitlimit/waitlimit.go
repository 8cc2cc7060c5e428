// Package waitlimit says how long a process waits for another process, for its disk or for a service before it goes on
// without them. A limit is for users, who would rather have a result without what is late. A test has time.
package waitlimit

import (
	"sync/atomic"
	"time"
)

var least atomic.Int64

// Extend makes every limit of this process at least as long. Tests call it, so that a busy machine does not fail them.
func Extend(to time.Duration) { least.Store(int64(to)) }

// Of returns a limit that users have, or the one of [Extend] where that is longer.
func Of(limit time.Duration) time.Duration { return max(limit, time.Duration(least.Load())) }

package cli

import (
	"context"
	"os"
	"time"
)

// oneInterrupt is how long signals are taken for the same interrupt. timeout(1) sends its signal twice, once to the
// process and once to its group, and at the end of a session SIGHUP follows SIGTERM. The second one must not end the
// process before the cache and the history are written.
const oneInterrupt = time.Second

// withInterrupt returns a context that the first signal ends. Later signals end the process as they do by default: it
// calls stop, from which on nothing receives them.
func withInterrupt(parent context.Context, signals <-chan os.Signal, stop func()) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		defer stop()
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		cancel()
		time.Sleep(oneInterrupt)
	}()
	return ctx, cancel
}

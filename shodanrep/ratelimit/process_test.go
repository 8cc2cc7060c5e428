package ratelimit

import (
	"context"
	"os"
	"testing"

	"github.com/redis/go-redis/v9/logging"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
)

// roles are what the processes do that tests start: several processes are tested with several processes.
var roles = map[string]processtest.Role{
	"count":             func(_ context.Context, args []string) error { return count(args[0], 200) },
	"hold the lock":     func(_ context.Context, args []string) error { return holdLock(args[0]) },
	"take slots":        takeSlots,
	"count under lease": countUnderLease,
	"hold a lease":      holdLease,
}

func TestMain(m *testing.M) {
	logging.Disable()
	processtest.Main(roles)
	os.Exit(m.Run())
}

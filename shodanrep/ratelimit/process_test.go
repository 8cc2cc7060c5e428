package ratelimit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
)

// Several processes are tested with several processes: the test program runs itself in a role.
const roleVariable = "SHODANREP_RATELIMIT_TEST_ROLE"

var roles = map[string]func(ctx context.Context, args []string) error{
	"count":             func(_ context.Context, args []string) error { return count(args[0], 200) },
	"hold the lock":     func(_ context.Context, args []string) error { return holdLock(args[0]) },
	"take slots":        takeSlots,
	"count under lease": countUnderLease,
	"hold a lease":      holdLease,
}

func TestMain(m *testing.M) {
	logging.Disable()
	role, args, _ := strings.Cut(os.Getenv(roleVariable), "\n")
	if role == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := roles[role](ctx, strings.Split(args, "\n")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// process makes a process with a role.
func process(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), roleVariable+"="+role+"\n"+strings.Join(args, "\n"))
	cmd.Stderr = os.Stderr
	return cmd
}

// runAll runs a process with a role for each list of arguments, all at once.
func runAll(t *testing.T, role string, argLists ...[]string) {
	t.Helper()
	var running sync.WaitGroup
	for i, args := range argLists {
		cmd := process(t, role, args...)
		running.Go(func() {
			if err := cmd.Run(); err != nil {
				t.Errorf("process %d that is to %s: %v", i, role, err)
			}
		})
	}
	running.Wait()
}

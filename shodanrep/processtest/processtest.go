// Package processtest runs test programs as processes of their own, and ends the processes that tests start. The tests that
// import it, and their processes, have patience.
package processtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

// A Role is what a process does that a test starts, in place of the tests.
type Role func(ctx context.Context, args []string) error

// The environment variables by which a process is told its role, and the arguments as a JSON list.
const (
	roleVariable = "SHODANREP_TEST_ROLE"
	argsVariable = "SHODANREP_TEST_ARGS"
)

// roleTime is how long a role may take: no process stays behind.
const roleTime = 5 * time.Minute

// Main performs the role of this process and exits, or returns if it has none. TestMain calls it first.
func Main(roles map[string]Role) {
	name := os.Getenv(roleVariable)
	if name == "" {
		return
	}
	if err := perform(roles, name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A process of the tests waits as long as a role may take where a user would not.
func init() { waitlimit.Extend(roleTime) }

func perform(roles map[string]Role, name string) error {
	var args []string
	if err := json.Unmarshal([]byte(os.Getenv(argsVariable)), &args); err != nil {
		return err
	}
	role, ok := roles[name]
	if !ok {
		return fmt.Errorf("no role is called %q", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), roleTime)
	defer cancel()
	return role(ctx, args)
}

// Command makes a process that has a role. It ends with the test, and its errors are among those of the tests.
func Command(t testing.TB, role string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, argsVariable+"="+string(encoded))
	cmd.Stderr = os.Stderr
	return cmd
}

// RunAll runs a process that has a role for each list of arguments, all at once, and returns what they print.
func RunAll(t testing.TB, role string, argLists ...[]string) [][]byte {
	t.Helper()
	outputs := make([][]byte, len(argLists))
	var running sync.WaitGroup
	for i, args := range argLists {
		cmd := Command(t, role, args...)
		running.Go(func() {
			var err error
			if outputs[i], err = cmd.Output(); err != nil {
				t.Errorf("process %d that is to %s: %v: %s", i, role, err, outputs[i])
			}
		})
	}
	running.Wait()
	return outputs
}

package sqlitefile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

func open() (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	db, err := sqlite3.OpenContext(sqlite3.WithMaxMemory(context.Background(), 4<<30), ":memory:")
	if err != nil {
		return err
	}
	return db.Close()
}

// TestALimitOfTheSystem runs itself once more with a limit on its address space, which lasts as long as the process.
func TestALimitOfTheSystem(t *testing.T) {
	const inside = "SHODANREP_TEST_ADDRESS_SPACE"
	if os.Getenv(inside) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestALimitOfTheSystem$")
		cmd.Env = append(os.Environ(), inside+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var pages uint64
	if _, err := fmt.Sscan(string(statm), &pages); err != nil {
		t.Fatal(err)
	}
	// A GB beyond what the process has is enough for Go, and too little for the 4 GB that open asks for.
	limit := pages*uint64(os.Getpagesize()) + 1<<30
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Skip(err)
	}
	if err := open(); !errors.Is(err, sqlitefile.ErrOutOfMemory) || !strings.Contains(err.Error(), "ulimit -v") {
		t.Errorf("got %v", err)
	}
}

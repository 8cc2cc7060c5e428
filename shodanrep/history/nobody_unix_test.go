//go:build unix

package history

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func init() {
	roles["record as nobody"] = recordAsNobody
	roles["record on a full disk"] = recordOnFullDisk
}

// recordAsNobody records as a user who is not root, and prints the warnings.
func recordAsNobody(ctx context.Context, args []string) error {
	if err := syscall.Setuid(65534); err != nil {
		return err
	}
	var w warnings
	s := Open(Options{Location: args[0], Logger: w.logger()})
	for range 3 {
		s.Record(Observation{Addr: addrA, Source: "internetdb", CheckedAt: time.Now()})
		_ = s.Flush(ctx) // it is in the log
	}
	err := s.Close()
	fmt.Print(strings.Join(w.lines(), "\n"))
	return err
}

func TestAFolderThatCannotBeWrittenIsOneWarning(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become another user")
	}
	dir, err := os.MkdirTemp("", "history") // below it nobody may go, unlike below the folders of a test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "history.sqlite")
	s := openTest(t, Options{Location: path})
	record1(t, s, addrA, "internetdb", nil, day(0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string]string{"the file": path, "its folder": filepath.Join(dir, "new.sqlite"), "a folder that is not there": filepath.Join(dir, "a", "b.sqlite")} {
		out, err := processtest.Command(t, "record as nobody", place).Output()
		lines := strings.Split(string(out), "\n")
		if err != nil || len(lines) != 1 || !strings.Contains(lines[0], unusable) || !strings.Contains(lines[0], "make it and its folder writable") {
			t.Errorf("%s: %v, %q", name, err, lines)
		}
	}
}

// recordOnFullDisk records until no more can be written, and prints the warnings. Then there is room again.
func recordOnFullDisk(ctx context.Context, args []string) error {
	signal.Ignore(syscall.SIGXFSZ) // so that a write fails
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	full := limit
	full.Cur = 300 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	var w warnings
	s := Open(Options{Location: args[0], Logger: w.logger()})
	n := 0
	for len(w.lines()) == 0 && n < 100_000 {
		for range 100 {
			s.Record(Observation{Addr: addrA, Source: "internetdb", Host: &shodan.Host{Ports: shodan.Ints{1 + n%60000}}, CheckedAt: day(float64(n) / 100)})
			n++
		}
		_ = s.Flush(ctx) // it is in the log
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := s.Flush(ctx); err != nil {
		return err
	}
	fmt.Print(strings.Join(append(w.lines(), fmt.Sprint(n)), "\n"))
	return s.Close()
}

// TestAFullDiskIsOneWarning limits the size of files, in place of a disk that is full.
func TestAFullDiskIsOneWarning(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	out, err := processtest.Command(t, "record on a full disk", path).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "make room on its disk if that is full, or set history_store to a path on another") {
		t.Fatalf("%q", lines)
	}
	s := openTest(t, Options{Location: path, Now: time.Now})
	if got := fmt.Sprint(len(states(t, s, Filter{}))); got != lines[1] {
		t.Errorf("%s states, want the %s that were recorded", got, lines[1])
	}
}

package dataset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
)

func TestMain(m *testing.M) {
	processtest.Main(map[string]processtest.Role{"open": child, "hold temporary": holdTemporary})
	os.Exit(processtest.RunInTempDir(func(string) int { return m.Run() }))
}

// child opens a Dataset as soon as standard input closes, so that all children do so at once.
func child(ctx context.Context, args []string) error {
	bufio.NewScanner(os.Stdin).Scan()
	d, err := Open(ctx, Options{Dir: args[0], Files: args[1:]})
	if err != nil {
		return err
	}
	defer d.Close()
	stats := d.Stats()
	found, err := d.Hosts(ctx, []netip.Addr{netip.MustParseAddr("198.51.0.0")}, false)
	if err != nil {
		return err
	}
	fmt.Println(stats.Hosts, stats.Banners, len(found), stats.ReadTime > 0)
	return nil
}

func TestProcessesShareTheIndex(t *testing.T) {
	t.Parallel()
	const banners, processes = 1000, 3
	dir := t.TempDir()
	glob := in(dir, "*.json.gz")
	lines := manyLines(banners)
	write(t, in(dir, "a.json.gz"), lines[:banners/2]...)
	write(t, in(dir, "b.json.gz"), lines[banners/2:]...)
	index := in(dir, "index")

	start, release, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outputs := make([]strings.Builder, processes)
	var children []*exec.Cmd
	for i := range processes {
		cmd := processtest.Command(t, "open", index, glob)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = start, &outputs[i], &outputs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, cmd)
	}
	start.Close()
	release.Close()

	// This process is one of them too, with two Datasets.
	var wg sync.WaitGroup
	var read [2]bool
	for i := range read {
		wg.Go(func() {
			d, err := Open(t.Context(), Options{Files: []string{glob}, Dir: index})
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			read[i] = d.Stats().ReadTime > 0
			if got := hosts(t, d, "198.51.0.0"); len(got["198.51.0.0"]) != 4 {
				t.Errorf("found %v", got)
			}
		})
	}
	wg.Wait()
	for i, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v", i, err)
		}
		var hosts, rows, found int
		var built bool
		if _, err := fmt.Sscan(outputs[i].String(), &hosts, &rows, &found, &built); err != nil || hosts != banners/4 || rows != banners || found != 1 {
			t.Errorf("process %d: %v: %s", i, err, outputs[i].String())
		}
	}

	d := open(t, index, glob)
	if d.Stats().ReadTime != 0 {
		t.Error("the index was made once more")
	}
	var rows int64
	err = d.index.read(t.Context(), func(c conn) (err error) {
		rows, err = c.countItems()
		return err
	})
	if err != nil || rows != banners {
		t.Errorf("the index has %d banners: %v", rows, err)
	}
}

func TestReadersAndWritersSideBySide(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), t.TempDir()
	path := in(dir, "a.json")
	version := func(n int) {
		// Both hosts are always there and of the same version: no reader may see half of a change.
		temp := write(t, in(dir, "next"), line("192.0.2.1", 80, "2026-01-02T00:00:00", "data", strconv.Itoa(n)),
			line("192.0.2.2", 80, "2026-01-02T00:00:00", "data", strconv.Itoa(n)))
		touch(t, temp, time.Duration(n)*time.Second)
		if err := os.Rename(temp, path); err != nil {
			t.Error(err)
		}
	}
	version(0)
	d, other := open(t, index, path), open(t, index, path)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for running := true; running; {
				select {
				case <-done:
					running = false
				default:
				}
				if err := d.Refresh(t.Context()); err != nil {
					t.Error(err)
					return
				}
				got := hosts(t, d, "192.0.2.1", "192.0.2.2")
				if len(got) != 2 || !cmp.Equal(got["192.0.2.1"], got["192.0.2.2"]) {
					t.Errorf("a reader saw %v", got)
					return
				}
			}
		})
	}
	for n := 1; n <= 20; n++ {
		version(n)
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wg.Wait()
	if got := hosts(t, d, "192.0.2.1")["192.0.2.1"]; len(got) != 1 || got[0] != "80/tcp 20" {
		t.Errorf("at last: %v", got)
	}
}

func TestWaitingForAnotherProcessEndsWithTheContext(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), t.TempDir()
	write(t, in(dir, "a.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00"))
	write(t, in(dir, "b.json"), line("192.0.2.2", 80, "2026-01-02T00:00:00"))
	d := open(t, index, in(dir, "a.json"))
	err := d.index.write(t.Context(), func(conn) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := Open(ctx, Options{Dir: index, Files: []string{in(dir, "b.json")}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a file that is not in the index: %v", err)
		}
		// What is in the index already is answered meanwhile.
		if got := hosts(t, open(t, index, in(dir, "a.json")), "192.0.2.1"); len(got) != 1 {
			t.Errorf("a file that is: %v", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

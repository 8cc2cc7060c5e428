package dataset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
)

// holdTemporary opens a Dataset with a temporary index, says so and waits until it is killed.
func holdTemporary(ctx context.Context, args []string) error {
	d, err := Open(ctx, Options{Files: args})
	if err != nil {
		return err
	}
	defer d.Close()
	fmt.Println(d.temp.path)
	<-ctx.Done()
	return ctx.Err()
}

func TestTheTemporaryIndexOfAKilledProcessIsRemoved(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	path := write(t, in(t.TempDir(), "a.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00"))
	cmd := processtest.Command(t, "hold temporary", path)
	cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	output, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	if !lines.Scan() {
		t.Fatal("the process has no index:", lines.Err())
	}
	folder := lines.Text()

	removeAbandoned(temp)
	if _, err := os.Stat(in(folder, indexName)); err != nil {
		t.Errorf("the index of a process that lives: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if _, err := os.Stat(in(folder, indexName)); err != nil {
		t.Errorf("the killed process removed its index: %v", err)
	}
	dir, err := makeTempDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	if got := namesIn(t, temp); !slices.Equal(got, []string{filepath.Base(dir.path)}) {
		t.Errorf("beside a new folder there is what the killed process left: %v", got)
	}
	if err := dir.remove(); err != nil || len(namesIn(t, temp)) != 0 {
		t.Errorf("the folder is not removed: %v", err)
	}
}

func TestOnlyAbandonedFoldersAreRemoved(t *testing.T) {
	t.Parallel()
	temp, elsewhere := t.TempDir(), t.TempDir()
	old := time.Now().Add(-2 * maxUnlocked)
	make := func(name, file string, at time.Time) {
		folder := in(temp, name)
		err := os.Mkdir(folder, 0o700)
		if file != "" {
			err = errors.Join(err, os.WriteFile(in(folder, file), nil, 0o600), os.Chtimes(in(folder, file), at, at))
		}
		if err := errors.Join(err, os.Chtimes(folder, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	make(tempPrefix+"unlocked", tempLockName, time.Now()) // of a killed process
	make(tempPrefix+"old", indexName, old)                // of an older version, which made no lock
	make(tempPrefix+"old-empty", "", old)
	make(tempPrefix+"new-empty", "", time.Now()) // its process is about to lock it
	make("another-program", tempLockName, old)
	write(t, in(elsewhere, tempLockName), "the user's")
	if err := os.Symlink(elsewhere, in(temp, tempPrefix+"link")); err != nil {
		t.Skip("there are no links:", err)
	}
	removeAbandoned(temp)
	want := []string{"another-program", tempPrefix + "link", tempPrefix + "new-empty"}
	if got := namesIn(t, temp); !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
	if got := namesIn(t, elsewhere); len(got) != 1 {
		t.Errorf("behind a link there are %v", got)
	}
}

// TestFoldersMadeAtOnceAreKept is about processes: each folder has its own lock, as processes have.
func TestFoldersMadeAtOnceAreKept(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	var running sync.WaitGroup
	for range 16 {
		running.Go(func() {
			for range 20 {
				dir, err := makeTempDir(temp)
				if err != nil {
					t.Error(err)
					return
				}
				removeAbandoned(temp)
				if _, err := os.Stat(in(dir.path, tempLockName)); err != nil {
					t.Errorf("a folder in use: %v", err)
				}
				if err := dir.remove(); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	if left := namesIn(t, temp); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

package ratelimit

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filelock"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
)

// increment counts up, from what the record has.
func increment(record []byte, _ time.Time) []byte {
	n, _ := strconv.Atoi(string(record))
	return strconv.AppendInt(nil, int64(n+1), 10)
}

func count(folder string, times int) error {
	f, err := Open(folder)
	for i := 0; i < times && err == nil; i++ {
		err = whenUnlocked(func() error { return f.Update("count", increment) })
	}
	return err
}

// whenUnlocked repeats what gave up because another process holds the lock, which then changed nothing. On a busy machine
// a process can lose its processor while it has the lock, for longer than an update waits.
func whenUnlocked(use func() error) error {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Millisecond) {
		if err := use(); !errors.Is(err, filelock.ErrLocked) || time.Now().After(deadline) {
			return err
		}
	}
}

// holdLock holds the lock until the process is killed, and prints when it has it.
func holdLock(folder string) error {
	file, err := lockedfile.OpenFile(filepath.Join(folder, FileName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	fmt.Println("locked")
	time.Sleep(time.Minute)
	return file.Close()
}

func TestNoUpdateOfAProcessIsLost(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var running sync.WaitGroup
	for range 3 {
		cmd := processtest.Command(t, "count", folder)
		running.Go(func() {
			if err := cmd.Run(); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	f, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	read := func(record []byte, _ time.Time) []byte { got = string(record); return record }
	if err := whenUnlocked(func() error { return f.Update("count", read) }); err != nil || got != "600" {
		t.Errorf("counted %s, %v, want 600", got, err)
	}
}

func TestAKilledProcessLetsGoOfTheLockAndAStoppedOneIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	f.lockTimeout = lockTimeout // as for users
	cmd := processtest.Command(t, "hold the lock", folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("%q, %v", line, err)
	}
	for range 2 {
		if err := f.Update("count", func([]byte, time.Time) []byte { t.Error("changed without the lock"); return nil }); !errors.Is(err, filelock.ErrLocked) {
			t.Errorf("%v, want %v", err, filelock.ErrLocked)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	// The attempt that gave up gets the lock first, and lets it go.
	if err := whenUnlocked(func() error { return f.Update("count", increment) }); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedFileIsAsGoodAsEmpty(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "no JSON": "x", "another JSON": "[1]", "no records": `{}`, "null": `{"records":null}`,
		"cut":        `{"records":{"count":{"updated":"2026-`,
		"a bad year": `{"records":{"count":{"updated":"12026-01-01T00:00:00Z","value":5}}}`,
		"huge":       `{"records":{"x":{"value":"` + strings.Repeat("x", maxBytes) + `"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, FileName)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := count(folder, 2); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(after), `"value":2`) || len(after) > 200 {
				t.Errorf("%.200s, %v", after, err)
			}
		})
	}
	t.Run("with the end of a longer content behind it", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		if err := count(folder, 3); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, FileName)
		file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(`7}}}`); err != nil {
			t.Fatal(err)
		}
		file.Close()
		if err := count(folder, 1); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(after), `"value":4}}}`) {
			t.Errorf("%s, %v", after, err)
		}
	})
}

func TestTheFileIsForItsOwnerInTheFirstFolderThatCanBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open("", filepath.Join(taken, "sub"), filepath.Join(dir, "good"), filepath.Join(dir, "never"))
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "good", FileName); f.Path() != want {
		t.Errorf("%s, want %s", f.Path(), want)
	}
	if info, err := os.Stat(f.Path()); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := Open("", taken); err == nil {
		t.Error("a file is no folder")
	}
	if _, err := Open(""); err == nil {
		t.Error("no folder is none")
	}
}

func TestClearRemovesAllRecords(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := whenUnlocked(func() error { return f.Update("count", increment) }); err != nil {
			t.Fatal(err)
		}
		if err := whenUnlocked(f.Clear); err != nil {
			t.Fatal(err)
		}
	}
	first := func(record []byte, _ time.Time) []byte {
		if len(record) > 0 {
			t.Errorf("%s is left", record)
		}
		return []byte("1")
	}
	if err := whenUnlocked(func() error { return f.Update("count", first) }); err != nil {
		t.Error(err)
	}
}

func BenchmarkUpdate(b *testing.B) {
	f, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := f.Update("count", increment); err != nil {
			b.Fatal(err)
		}
	}
}

// A fullDisk is a file that cannot become larger, of which a part of what is written to it is written.
type fullDisk struct{ text []byte }

func (d *fullDisk) WriteAt(p []byte, off int64) (int, error) {
	if n := copy(d.text[off:], p); n < len(p) {
		return n, errors.New("no space left on device")
	}
	return len(p), nil
}

func (d *fullDisk) Truncate(size int64) error {
	d.text = d.text[:size]
	return nil
}

func TestAFullDiskLeavesTheOldContent(t *testing.T) {
	t.Parallel()
	before := []byte(`{"records":{"a":{"updated":"2026-01-01T00:00:00Z","value":{"banned":"2026-01-01T01:00:00Z"}}}}`)
	disk := &fullDisk{text: slices.Clone(before)}
	c := parse(before)
	c.Records["another"] = record{Value: []byte("1")}
	if err := write(disk, c, before); err == nil {
		t.Error("no error")
	}
	if string(disk.text) != string(before) {
		t.Errorf("the file has %s", disk.text)
	}
}

package dataset

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filestate"

	"github.com/google/go-cmp/cmp"
)

// cp -p and rsync keep the time of a file, and another download can have the same length.
func TestAFileOfTheSameSizeAndTimeIsReadAgain(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("the system does not say when a file was changed")
	}
	path := write(t, in(t.TempDir(), "a.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00", "data", "a"))
	touch(t, path, time.Hour)
	state := func() filestate.State {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return filestate.Of(info)
	}
	before := state()
	d := open(t, t.TempDir(), path)
	for deadline := time.Now().Add(10 * time.Second); state() == before && time.Now().Before(deadline); {
		write(t, path, line("192.0.2.1", 80, "2026-01-02T00:00:00", "data", "b"))
		touch(t, path, time.Hour)
	}
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"192.0.2.1": {"80/tcp b"}}
	if diff := cmp.Diff(want, hosts(t, d, "192.0.2.1")); diff != "" || state().Size != before.Size {
		t.Errorf("%d and %d bytes: %s", state().Size, before.Size, diff)
	}
}

func TestRefreshReadsWhatChanged(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), t.TempDir()
	a, b := in(dir, "a.json"), in(dir, "b.json")
	write(t, a, line("192.0.2.1", 80, "2026-01-02T00:00:00", "data", "a"))
	write(t, b, line("192.0.2.1", 80, "2026-01-01T00:00:00", "data", "b"), line("192.0.2.2", 80, "2026-01-01T00:00:00", "data", "b"))
	d := open(t, index, in(dir, "*.json"))
	expect := func(what string, want map[string][]string, numbers Stats) {
		t.Helper()
		if diff := cmp.Diff(want, hosts(t, d, "192.0.2.1", "192.0.2.2", "192.0.2.3")); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		got := d.Stats()
		got.ReadTime = 0
		if got != numbers {
			t.Errorf("%s: %+v", what, got)
		}
	}
	refresh := func() {
		t.Helper()
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	expect("at first", map[string][]string{"192.0.2.1": {"80/tcp a"}, "192.0.2.2": {"80/tcp b"}}, Stats{Files: 2, Banners: 3, Hosts: 2})

	write(t, a, line("192.0.2.1", 80, "2026-01-02T00:00:00", "data", "c"), "bad")
	refresh()
	expect("with a file changed", map[string][]string{"192.0.2.1": {"80/tcp c"}, "192.0.2.2": {"80/tcp b"}}, Stats{Files: 2, Banners: 3, Hosts: 2, BadRecords: 1})

	write(t, a, line("192.0.2.3", 80, "2026-01-02T00:00:00", "data", "d"), "bad")
	touch(t, a, time.Hour) // the same size
	refresh()
	expect("with a file of the same size", map[string][]string{"192.0.2.1": {"80/tcp b"}, "192.0.2.2": {"80/tcp b"}, "192.0.2.3": {"80/tcp d"}},
		Stats{Files: 2, Banners: 3, Hosts: 3, BadRecords: 1})

	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	refresh()
	expect("with a file removed", map[string][]string{"192.0.2.3": {"80/tcp d"}}, Stats{Files: 1, Banners: 1, Hosts: 1, BadRecords: 1})

	write(t, in(dir, "c.json"), line("192.0.2.2", 81, "2026-01-02T00:00:00", "data", "e"))
	refresh()
	expect("with a new file", map[string][]string{"192.0.2.2": {"81/tcp e"}, "192.0.2.3": {"80/tcp d"}}, Stats{Files: 2, Banners: 2, Hosts: 2, BadRecords: 1})
	if d.Stats().ReadTime <= 0 {
		t.Error("nothing says that a file was read")
	}

	again := open(t, index, in(dir, "c.json"))
	if got := again.Stats(); got != (Stats{Files: 1, Banners: 1, Hosts: 1}) {
		t.Errorf("opened again with one of the files: %+v", got)
	}
	if got := hosts(t, again, "192.0.2.2", "192.0.2.3"); len(got) != 1 {
		t.Errorf("it answers from files that are not its own: %v", got)
	}
}

func TestRowsOfFilesLongUnusedAreDropped(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), t.TempDir()
	write(t, in(dir, "a.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00"))
	write(t, in(dir, "b.json"), line("192.0.2.2", 80, "2026-01-02T00:00:00"))
	write(t, in(dir, "c.json"), line("192.0.2.3", 80, "2026-01-02T00:00:00"))
	first := open(t, index, in(dir, "?.json"))
	age := func(name string, by time.Duration) {
		t.Helper()
		err := first.index.write(t.Context(), func(c conn) error {
			return c.Run("update file set used = ? where path = ?", time.Now().Add(-by).Unix(), in(dir, name))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	age("a.json", maxUnused+time.Hour)
	age("b.json", maxUnused+time.Hour)
	age("c.json", maxUnused-time.Hour)
	open(t, index, in(dir, "a.json"))

	var left []string
	err := first.index.read(t.Context(), func(c conn) error {
		known, err := c.entries()
		for path, e := range known {
			left = append(left, fmt.Sprintf("%s %t", path[len(path)-6:], time.Since(time.Unix(e.used, 0)) < recheck))
		}
		banners, _ := c.countItems()
		left = append(left, fmt.Sprint(banners))
		return err
	})
	slices.Sort(left)
	if diff := cmp.Diff([]string{"2", "a.json true", "c.json false"}, left); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestAnIndexThatCannotBeKeptIsMadeElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := write(t, in(dir, "a.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00"))
	for name, folder := range map[string]string{"the folder is a file": data} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logger, text := logged()
			d, err := Open(t.Context(), Options{Files: []string{data}, Dir: folder, Logger: logger})
			if err != nil {
				t.Fatal(err)
			}
			if got := hosts(t, d, "192.0.2.1"); len(got) != 1 || !strings.Contains(text.String(), folder) {
				t.Errorf("%v, with the log %s", got, text)
			}
			temp := d.temp
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(temp.path); !os.IsNotExist(err) {
				t.Errorf("the temporary folder is still there: %v", err)
			}
		})
	}
}

func TestARemovedFileGivesItsRoomBack(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), t.TempDir()
	write(t, in(dir, "small.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00"))
	large := write(t, in(dir, "large.json.gz"), manyLines(3000)...)
	d := open(t, index, in(dir, "*"))
	size := func() (total int64) {
		for _, name := range []string{indexName, indexName + "-wal"} {
			if info, err := os.Stat(in(index, name)); err == nil {
				total += info.Size()
			}
		}
		return total
	}
	d.background.Wait()
	before := size()
	if err := os.Remove(large); err != nil {
		t.Fatal(err)
	}
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := size(); after > before/10 {
		t.Errorf("the index took up %d bytes and takes up %d", before, after)
	}
}

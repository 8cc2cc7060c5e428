package dataset

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
)

// openWindow is open with a window and a logger.
func openWindow(t *testing.T, dir string, window time.Duration, logger hclog.Logger, files ...string) *Dataset {
	t.Helper()
	d, err := Open(t.Context(), Options{Files: files, Dir: dir, Window: window, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// listed returns the addresses that a dataset lists.
func listed(t *testing.T, d *Dataset) (addrs []string) {
	t.Helper()
	for h, err := range d.AllSummaries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, h.Addr.String())
	}
	return addrs
}

// day writes a file of one banner, which was seen so many days after the first of January.
func day(t *testing.T, path string, n int) string {
	t.Helper()
	seen := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, n)
	return write(t, path, line(fmt.Sprintf("192.0.2.%d", n), 80, seen.Format("2006-01-02T15:04:05")))
}

const month = 30 * 24 * time.Hour

func TestDailyFilesAreFollowed(t *testing.T) {
	t.Parallel()
	for name, glob := range map[string]string{"a folder": "", "a pattern": "*.json.gz"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, index := t.TempDir(), t.TempDir()
			for _, n := range []int{0, 1, 30} {
				day(t, in(dir, fmt.Sprintf("%d.json.gz", n)), n)
			}
			if glob == "" {
				write(t, in(dir, "README.txt"), "Files of Shodan's.")
				write(t, in(dir, ".5.json.gz"), "a download in progress")
			}
			// A file that is being written is there before its first byte.
			if err := os.WriteFile(in(dir, "32.json.gz"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			logger, text := logged()
			d := openWindow(t, index, month, logger, in(dir, glob))
			if diff := cmp.Diff([]string{"192.0.2.0", "192.0.2.1", "192.0.2.30"}, listed(t, d)); diff != "" || text.Len() > 0 {
				t.Error(diff, text)
			}
			day(t, in(dir, "31.json.gz"), 31)
			if err := d.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"192.0.2.1", "192.0.2.30", "192.0.2.31"}, listed(t, d)); diff != "" {
				t.Error(diff)
			}
			if got := d.Stats(); got.Files != 3 || got.Hosts != 3 || got.Banners != 3 {
				t.Errorf("%+v", got)
			}
			if got := hosts(t, d, "192.0.2.0"); len(got) != 0 {
				t.Errorf("of a file that is left out: %v", got)
			}
			for _, want := range []string{"data files are left out", "files=1", "first=" + in(dir, "0.json.gz"), "data_window=720h0m0s"} {
				if strings.Count(text.String(), want) != 1 {
					t.Errorf("want %q once in the log:\n%s", want, text)
				}
			}
			// Each file is read once, and not again because it was left out.
			if again := openWindow(t, index, month, nil, in(dir, glob)); again.Stats().ReadTime != 0 {
				t.Error("the files were read again")
			}
		})
	}
}

func TestWhatIsNamedNeverVanishes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := day(t, in(dir, "0.json"), 0)
	day(t, in(dir, "100.json"), 100)
	for name, tt := range map[string]struct {
		files  []string
		window time.Duration
		want   []string
	}{
		"two files by name":                {[]string{old, in(dir, "100.json")}, month, []string{"192.0.2.0", "192.0.2.100"}},
		"a pattern with an old file":       {[]string{in(dir, "*.json")}, month, []string{"192.0.2.100"}},
		"the old file by name as well":     {[]string{in(dir, "*.json"), old}, month, []string{"192.0.2.0", "192.0.2.100"}},
		"a pattern of old files only":      {[]string{in(dir, "0*.json")}, month, []string{"192.0.2.0"}},
		"two patterns, each by itself":     {[]string{in(dir, "0*.json"), in(dir, "1*.json")}, month, []string{"192.0.2.0", "192.0.2.100"}},
		"a window that reaches back far":   {[]string{in(dir, "*.json")}, 100 * 24 * time.Hour, []string{"192.0.2.0", "192.0.2.100"}},
		"no window":                        {[]string{in(dir, "*.json")}, 0, []string{"192.0.2.0", "192.0.2.100"}},
		"a folder with nothing but old":    {[]string{dir}, time.Hour, []string{"192.0.2.100"}},
		"a pattern before the one by name": {[]string{old, in(dir, "*.json")}, month, []string{"192.0.2.0", "192.0.2.100"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, listed(t, openWindow(t, "", tt.window, nil, tt.files...))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATimeInTheFutureLeavesNothingOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	day(t, in(dir, "0.json"), 0)
	write(t, in(dir, "1.json"), line("192.0.2.1", 80, "9999-01-01T00:00:00"), line("192.0.2.1", 81, "2026-01-02T00:00:00"))
	d := openWindow(t, "", month, nil, in(dir, "*.json"))
	if diff := cmp.Diff([]string{"192.0.2.0", "192.0.2.1"}, listed(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestRowsOfFilesThatAreLeftOutAreDeletedUnlessOthersUseThem(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), t.TempDir()
	day(t, in(dir, "0.json"), 0)
	day(t, in(dir, "100.json"), 100)
	d := openWindow(t, index, month, nil, in(dir, "*.json"))
	age := func(by time.Duration) {
		t.Helper()
		err := d.index.write(t.Context(), func(c conn) error { return c.Run("update file set used = ?", time.Now().Add(-by).Unix()) })
		if err != nil {
			t.Fatal(err)
		}
	}
	items := func() (n int64) {
		t.Helper()
		err := d.index.read(t.Context(), func(c conn) (err error) {
			n, err = c.countItems()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := items(); n != 2 {
		t.Errorf("%d rows at first", n)
	}
	age(3 * recheck)
	openWindow(t, index, month, nil, in(dir, "*.json"))
	if n := items(); n != 1 {
		t.Errorf("%d rows when nobody has used the old file for days", n)
	}
	all := openWindow(t, index, 0, nil, in(dir, "*.json"))
	if got := listed(t, all); !slices.Equal(got, []string{"192.0.2.0", "192.0.2.100"}) || all.Stats().ReadTime == 0 {
		t.Errorf("with a window that reaches further back: %v", got)
	}
	openWindow(t, index, month, nil, in(dir, "*.json"))
	if n := items(); n != 2 {
		t.Errorf("%d rows while another Dataset uses the old file", n)
	}
}

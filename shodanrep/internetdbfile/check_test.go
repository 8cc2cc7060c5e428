package internetdbfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
)

func TestAnAddressThatIsWrittenInAnotherWayIsNotMissing(t *testing.T) {
	t.Parallel()
	// Values between others are not at an end of the index.
	around := []internetdbtest.Row{row("1.0.0.1"), row("fd00::1"), row("11.0.0.1"), row("192.0.2.1"), row("2606:4700::1"), row("2606:4700::ffff"), row("99.0.0.1")}
	for value, addr := range map[string]string{
		"2606:4700::AB":             "2606:4700::ab",
		"2606:4700:0:0:0:0:0:ab":    "2606:4700::ab",
		"2606:4700::00ab":           "2606:4700::ab",
		"11.0.0.7 ":                 "11.0.0.7",
		"11.0.0.7\r":                "11.0.0.7",
		"11.0.0.007":                "11.0.0.7",
		"184549383":                 "11.0.0.7",
		"198.051.100.007":           "198.51.100.7",
		"::ffff:11.0.0.7":           "11.0.0.7",
		"2606:4700::1:2:3%eth0":     "2606:4700::1:2:3",
		"11.0.0.7/32":               "11.0.0.7",
		"2606:4700:0000::0001:0002": "2606:4700::1:2",
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			path := write(t, internetdbtest.Schema, internetdbtest.Index, append([]internetdbtest.Row{row(value)}, around...)...)
			for range 2 { // two processes
				f := open(t, path)
				for range 2 {
					results, _, err := f.Hosts(t.Context(), parse(addr, "11.0.0.1", "11.0.0.9"))
					if err != nil {
						t.Fatal(err)
					}
					if results[1].Host == nil || results[1].Err != nil {
						t.Errorf("an address that was found: %+v", results[1])
					}
					for _, i := range []int{0, 2} {
						if r := results[i]; r.Host != nil || !r.IsMissing || r.Err == nil || !strings.Contains(r.Err.Error(), path) ||
							!strings.Contains(r.Err.Error(), "its column ip has the value") {
							t.Errorf("an address that was not found: %+v", r)
						}
					}
				}
			}
		})
	}
}

func TestAFileIsCheckedOnce(t *testing.T) {
	t.Parallel()
	// The value is neither in the first page nor in the last one, by which versions of the same size and time are told apart.
	withValue := func(ip string) string {
		rows := []internetdbtest.Row{row("11.0.0.1"), row("2606:4700::b")}
		for i := range 2000 {
			rows = append(rows, row(fmt.Sprintf("%d.0.%d.%d", 20+i%70, i/256, i%256)))
			if i == 1000 {
				rows = append(rows, row(ip))
			}
		}
		return write(t, internetdbtest.Schema, internetdbtest.Index, rows...)
	}
	path := withValue("2606:4700::1")
	markers := func() []string {
		found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "copies", "*.checked"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	hosts(t, open(t, path), parse("11.0.0.1")...)
	if got := markers(); len(got) != 0 {
		t.Errorf("it is checked although no address is missing: %v", got)
	}
	if got := hosts(t, open(t, path), parse("11.0.0.2")...); got[0] != nil || len(markers()) != 1 {
		t.Errorf("%v, %v", got, markers())
	}
	first := markers()[0]
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	hosts(t, open(t, path), parse("11.0.0.2")...)
	if got := markers(); len(got) != 1 || got[0] == first {
		t.Errorf("after a change there are %v, before it there was %s", got, first)
	}

	other := withValue("2606:4700::A")
	missing := func() error {
		results, _, err := open(t, other).Hosts(t.Context(), parse("2606:4700::a"))
		if err != nil {
			t.Fatal(err)
		}
		return results[0].Err
	}
	for range 2 {
		if missing() == nil {
			t.Error("a value in capitals is not reported")
		}
	}
	// With the result of another content it is not read again.
	content, err := os.ReadFile(other)
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err == nil {
		err = os.Chtimes(path, later, later)
	}
	if err != nil {
		t.Fatal(err)
	}
	if other = path; missing() != nil {
		t.Error("it is read again although it was checked")
	}
}

package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// running counts the goroutines of the SDK, of the plugin and of this package's scans.
func running() (n int, stacks string) {
	var b bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&b, 2)
	for _, stack := range strings.Split(b.String(), "\n\n") {
		ours := strings.Contains(stack, "steampipe-plugin-sdk") || strings.Contains(stack, "embedded.(*scan)")
		if ours && !strings.Contains(stack, "testing.tRunner") {
			n++
			stacks += stack + "\n\n"
		}
	}
	return n, stacks
}

// noneLeft fails the test unless all goroutines of calls end.
func noneLeft(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		n, stacks := running()
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left:\n%s", n, stacks[:min(len(stacks), 5000)])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// These tests look at all goroutines of the process, so they don't run beside others.

func TestNothingIsLeftBehind(t *testing.T) {
	never := "fake_block where id in (" + strings.Repeat("'never %d', ", 299) + "'soon')"
	for i := range 299 {
		never = strings.Replace(never, "%d", fmt.Sprint(i), 1)
	}
	tests := map[string]string{
		"by a query that is read to its end":                       "select * from fake_address where ip in " + list(1000),
		"by a limit that the plugin is told of":                    "select * from fake_event limit 3",
		"by a limit that it is not told of":                        "select * from fake_event where n + 1 > 0 limit 3",
		"by a limit of a long list":                                "select * from fake_address where ip in " + list(1000) + " and score > 0 limit 3",
		"by a limit of calls that would never end":                 "select * from " + never + " and value > '' limit 1",
		"by a join that stops early":                               "select * from fake_event e join fake_address a on a.ip = '192.0.2.' || e.n limit 2",
		"by a subquery that wants one row":                         "select (select n from fake_event where n > 2), exists (select 1 from fake_event)",
		"by a call that fails beside others":                       "select * from fake_failure where way in ('list', 'a', 'b', 'c')",
		"by a column that fails beside calls that would never end": "select * from " + never + " union all select way, value from fake_failure where way = 'column'",
	}
	for name, sql := range tests {
		t.Run(name, func(t *testing.T) {
			f := open(t, 5000)
			ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
			defer cancel()
			for range 3 {
				f.run(ctx, sql)
			}
			noneLeft(t)
		})
	}
	t.Run("by a caller that reads one row", func(t *testing.T) {
		f := open(t, 5000)
		enough := errors.New("enough")
		for _, sql := range []string{"select * from fake_event", "select * from fake_address where ip in " + list(1000)} {
			err := f.Query(t.Context(), sql, func(rows *embedded.Rows) error {
				rows.Next()
				return enough
			})
			if !errors.Is(err, enough) {
				t.Error(err)
			}
		}
		noneLeft(t)
	})
	t.Run("by a database that is closed at once", func(t *testing.T) {
		f := open(t, 5000)
		f.Query(t.Context(), "select * from "+never, func(*embedded.Rows) error { return errors.New("enough") })
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		noneLeft(t)
	})
}

func TestACancelledQueryEnds(t *testing.T) {
	for sql, event := range map[string]string{
		"select * from fake_block where id = 'never'":                                 "block",
		"select * from fake_block where id in ('never 1', 'never 2', 'never 3')":      "block",
		"select count(*) from fake_event a, fake_event b, fake_event c, fake_event d": "row", // minutes of work
	} {
		f := open(t, 500)
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("interrupted")
		f.plugin.Notify = func(got string) {
			if got == event {
				cancel(cause)
			}
		}
		if _, err := f.run(ctx, sql); !errors.Is(err, cause) {
			t.Errorf("%s: got %v", sql, err)
		}
		if got := f.query(t, "select 'again'"); got != "again" {
			t.Errorf("afterwards: %q", got)
		}
		noneLeft(t)
	}
}

func TestRowsAreTakenOnlyAsTheyAreRead(t *testing.T) {
	f := open(t, 1_000_000)
	err := f.Query(t.Context(), "select n from fake_event", func(rows *embedded.Rows) error {
		for range 10 {
			rows.Next()
		}
		time.Sleep(50 * time.Millisecond)
		if n := f.plugin.Streamed(); n > 5000 {
			t.Errorf("10 rows were read, and %d taken from the plugin", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	noneLeft(t)
}

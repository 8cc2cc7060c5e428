package cache

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/redistest"
)

// prefixes keeps the stores of tests that share a server apart.
var prefixes atomic.Int64

func openTestRedis(t testing.TB, s *redistest.Server, opts Options) *Redis {
	t.Helper()
	return openRedisAs(t, s, fmt.Sprintf("%s%d:", redisPrefix, prefixes.Add(1)), opts)
}

func openRedisAs(t testing.TB, s *redistest.Server, prefix string, opts Options) *Redis {
	t.Helper()
	r, err := openRedis(t.Context(), s.Address(), prefix, 20*time.Millisecond, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	open := func(t *testing.T, c *clock) Store {
		r := openTestRedis(t, s, Options{Now: c.now})
		if !r.Available() {
			t.Fatal("Redis is not used")
		}
		return r
	}
	testStore(t, open)
	t.Run("prunes what has expired", func(t *testing.T) { testPrune(t, open) })
}

func TestRedisEstimatesTheStatisticsOfManyEntries(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := openTestRedis(t, redistest.Start(t, ""), Options{Now: c.now})
	r.store.bound = 4000
	mustPut(t, r, c.batch(20_000, 100)...)
	got := mustStats(t, r)
	if got.Entries < 15_000 || got.Entries > 25_000 || got.Bytes < 15_000*100 {
		t.Errorf("got %+v, want some 20,000 entries", got)
	}
}

func TestRedisGivesAnswersTheirTime(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := openTestRedis(t, redistest.Start(t, ""), Options{Now: c.now})
	long, short := c.entry("192.0.2.1", "l"), c.entry("192.0.2.1", "s")
	short.Options, short.Expires = "minify", c.now().Add(soon)
	for i, e := range []Entry{short, long, short} {
		mustPut(t, r, e)
		got := r.store.client.PTTL(t.Context(), r.store.targetKey(e.Target)).Val()
		if want := []time.Duration{soon, time.Hour, time.Hour}[i]; got > want || got < want-patience {
			t.Errorf("put %d: Redis keeps the answers for %v, want %v", i, got, want)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add("1 2 3", "abc")
	f.Add("1764000000000000 1764000000000000 0", "")
	f.Add("1 2", "x")
	f.Fuzz(func(t *testing.T, about, body string) {
		if e, ok := parseEntry(Key{}, []any{about, body}); ok && string(e.Body) != body {
			t.Errorf("got %q, want %q", e.Body, body)
		}
		if _, ok := parseEntry(Key{}, []any{nil, body}); ok {
			t.Error("made an answer of nothing")
		}
	})
}

// patience is how long a test waits for an event. It is long enough for a busy machine.
const patience = 2 * time.Minute

// eventually waits for what another goroutine or process brings about.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("%s has not come about", what)
}

func BenchmarkRedis(b *testing.B) {
	c := newClock()
	entries := c.batch(10_000, 300)
	keys := keysOf(entries)
	r := openTestRedis(b, redistest.Start(b, ""), Options{Now: c.now})
	b.Run("put 10000", func(b *testing.B) {
		for b.Loop() {
			mustPut(b, r, entries...)
		}
	})
	b.Run("get 10000", func(b *testing.B) {
		for b.Loop() {
			if n := len(mustGet(b, r, keys...)); n != len(keys) {
				b.Fatal(n)
			}
		}
	})
}

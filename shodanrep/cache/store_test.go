package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clock is the time of a test: it moves when it is told to. It starts at the real time, cut to what the stores keep,
// since Redis drops entries by a clock of its own.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now().UTC().Truncate(time.Microsecond)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// soon is for how long entries are kept that expire in a test. The clock of the test goes forward by it. Redis, which has
// its own clock, must not let them expire before, however long the test takes.
const soon = 10 * time.Minute

// entry makes an entry of a body, checked now and good for an hour.
func (c *clock) entry(subject, body string) Entry {
	return Entry{
		Key:       Key{Service: "internetdb https://internetdb.shodan.io", Target: subject},
		Body:      []byte(body),
		CheckedAt: c.now(),
		Expires:   c.now().Add(time.Hour),
	}
}

// batch makes n entries of size bytes about as many addresses.
func (c *clock) batch(n, size int) []Entry {
	entries := make([]Entry, n)
	for i := range entries {
		entries[i] = c.entry(address(i), "")
		entries[i].Body = bytes.Repeat([]byte{byte(i)}, size)
	}
	return entries
}

func address(i int) string { return fmt.Sprintf("2001:db8::%x:%x", i>>16, i&0xffff) }

func keysOf(entries []Entry) []Key {
	keys := make([]Key, len(entries))
	for i, e := range entries {
		keys[i] = e.Key
	}
	return keys
}

func mustPut(t testing.TB, s Store, entries ...Entry) {
	t.Helper()
	if err := s.Put(t.Context(), entries); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

// mustGet takes each key for a question of its own.
func mustGet(t testing.TB, s Store, keys ...Key) map[Key]Entry {
	t.Helper()
	found, err := s.Get(t.Context(), keys)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	s.Count(int64(len(found)), int64(len(keys)-len(found)))
	return found
}

func mustStats(t testing.TB, s Store) Stats {
	t.Helper()
	stats, err := s.Stats(t.Context())
	if err != nil {
		t.Fatalf("Stats: %v", err)
	}
	return stats
}

// testStore checks what every store has to do. Each sub-test gets an empty store of its own.
func testStore(t *testing.T, open func(t *testing.T, c *clock) Store) {
	for name, test := range map[string]func(*testing.T, *clock, Store){
		"gives back what was put, and leaves out what was not": func(t *testing.T, c *clock, s Store) {
			a, b, neg := c.entry("192.0.2.1", "one"), c.entry("192.0.2.1", "two"), c.entry("198.51.100.7", "")
			b.Options = "minify"
			neg.Expires = c.now().Add(soon)
			mustPut(t, s, a, b, neg)
			other := Key{Service: "shodan https://api.shodan.io", Target: "192.0.2.1"}
			got := mustGet(t, s, a.Key, b.Key, neg.Key, other)
			for _, e := range got {
				if e.CheckedAt.Location() != time.UTC {
					t.Errorf("CheckedAt of %v is in %v, want UTC", e.Key, e.CheckedAt.Location())
				}
			}
			if len(got[neg.Key].Body) != 0 {
				t.Errorf("the negative answer has a body: %q", got[neg.Key].Body)
			}
			want := map[Key]Entry{a.Key: a, b.Key: b, neg.Key: neg}
			if diff := cmp.Diff(want, got, cmp.Transformer("string", func(b []byte) string { return string(b) })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		},
		"keeps the parts of a key apart": func(t *testing.T, c *clock, s Store) {
			keys := []Key{
				{"a", "b", "c"}, {"a:b", "c", ""}, {"a", "b:c", ""}, {"a", "", "b:c"}, {"ab", "c", ""}, {"", "abc", ""},
				{"a", "b", "C"}, {"a\x00b", "c", ""}, {"a", "b\x00c", ""}, {"a%3Ab", "c", ""}, {"ä ü", `"'*?[x]`, "\xff"},
			}
			for i, k := range keys {
				e := c.entry("", fmt.Sprint(i))
				e.Key = k
				mustPut(t, s, e)
			}
			got := mustGet(t, s, keys...)
			for i, k := range keys {
				if string(got[k].Body) != fmt.Sprint(i) {
					t.Errorf("%q: got %q, want %d", k, got[k].Body, i)
				}
			}
		},
		"puts an entry in place of an older one of its key, the last of a batch": func(t *testing.T, c *clock, s Store) {
			mustPut(t, s, c.entry("192.0.2.1", "old"))
			c.forward(time.Second)
			mustPut(t, s, c.entry("192.0.2.1", "newer"), c.entry("192.0.2.1", "newest"))
			key := c.entry("192.0.2.1", "").Key
			got := mustGet(t, s, key)[key]
			if string(got.Body) != "newest" || !got.CheckedAt.Equal(c.now()) {
				t.Errorf("got %q of %v, want the newest of %v", got.Body, got.CheckedAt, c.now())
			}
			if n := mustStats(t, s).Entries; n != 1 {
				t.Errorf("%d entries, want 1", n)
			}
		},
		"gives back no entry that has expired": func(t *testing.T, c *clock, s Store) {
			short, long, dead := c.entry("192.0.2.1", "s"), c.entry("192.0.2.2", "l"), c.entry("192.0.2.3", "d")
			short.Expires = c.now().Add(soon)
			dead.Expires = c.now()
			mustPut(t, s, short, long, dead)
			if got := mustGet(t, s, short.Key, long.Key, dead.Key); len(got) != 2 {
				t.Errorf("got %v before anything else expired, want two", got)
			}
			c.forward(soon)
			if got := mustGet(t, s, short.Key, long.Key); len(got) != 1 || string(got[long.Key].Body) != "l" {
				t.Errorf("got %v, want the long one only", got)
			}
		},
		"takes bodies with NUL bytes, and of megabytes": func(t *testing.T, c *clock, s Store) {
			nul, huge := c.entry("192.0.2.1", "a\x00b\x00"), c.entry("192.0.2.2", "")
			huge.Body = bytes.Repeat([]byte("0123456789abcde\x00"), 5<<16)
			mustPut(t, s, nul, huge)
			got := mustGet(t, s, nul.Key, huge.Key)
			if !bytes.Equal(got[nul.Key].Body, nul.Body) || !bytes.Equal(got[huge.Key].Body, huge.Body) {
				t.Errorf("got %q and %d bytes, want %q and %d bytes",
					got[nul.Key].Body, len(got[huge.Key].Body), nul.Body, len(huge.Body))
			}
		},
		"leaves the caller's bodies alone": func(t *testing.T, c *clock, s Store) {
			e := c.entry("192.0.2.1", "mine")
			mustPut(t, s, e)
			copy(e.Body, "xxxx")
			if got := mustGet(t, s, e.Key)[e.Key]; string(got.Body) != "mine" {
				t.Errorf("got %q, want what was put", got.Body)
			}
		},
		"takes thousands of entries in one call": func(t *testing.T, c *clock, s Store) {
			entries := c.batch(5000, 300)
			mustPut(t, s, entries...)
			got := mustGet(t, s, keysOf(entries)...)
			if len(got) != len(entries) {
				t.Fatalf("got %d of %d entries", len(got), len(entries))
			}
			for _, e := range entries {
				if !bytes.Equal(got[e.Key].Body, e.Body) {
					t.Fatalf("%s: got %v, want %v", e.Target, got[e.Key].Body[:1], e.Body[:1])
				}
			}
		},
		"takes empty batches": func(t *testing.T, _ *clock, s Store) {
			mustPut(t, s)
			if got := mustGet(t, s); len(got) != 0 {
				t.Errorf("got %v of nothing", got)
			}
		},
		"clears one subject": func(t *testing.T, c *clock, s Store) {
			a, b, other := c.entry("192.0.2.1", "a"), c.entry("192.0.2.1", "b"), c.entry("192.0.2.10", "c")
			b.Options = "minify"
			mustPut(t, s, a, b, other)
			if n, err := s.Clear(t.Context(), "192.0.2.1"); n != 2 || err != nil {
				t.Errorf("Clear = %d, %v, want 2", n, err)
			}
			if got := mustGet(t, s, a.Key, b.Key, other.Key); len(got) != 1 {
				t.Errorf("%d entries are left, want that of the other address", len(got))
			}
			if n, err := s.Clear(t.Context(), "203.0.113.1"); n != 0 || err != nil {
				t.Errorf("Clear of an unknown address = %d, %v, want 0", n, err)
			}
		},
		"clears all, the counts too": func(t *testing.T, c *clock, s Store) {
			entries := c.batch(2500, 10)
			mustPut(t, s, entries...)
			mustGet(t, s, keysOf(entries)...)
			if n, err := s.Clear(t.Context(), ""); n != 2500 || err != nil {
				t.Errorf("Clear = %d, %v, want 2500", n, err)
			}
			got := mustStats(t, s)
			if want := (Stats{Location: got.Location, Bytes: got.Bytes}); got != want {
				t.Errorf("got %+v, want nothing", got)
			}
		},
		"counts entries, ages, hits and misses": func(t *testing.T, c *clock, s Store) {
			first := c.now()
			a, b := c.entry("192.0.2.1", "a"), c.entry("192.0.2.2", "b")
			mustPut(t, s, a)
			c.forward(time.Minute)
			b.CheckedAt = c.now()
			mustPut(t, s, b)
			mustGet(t, s, a.Key, b.Key, Key{Target: "192.0.2.3"})
			mustGet(t, s, a.Key)
			if _, err := s.Get(t.Context(), []Key{a.Key, {Target: "ban"}}); err != nil { // no question
				t.Fatal(err)
			}
			got := mustStats(t, s)
			if got.Bytes <= 0 {
				t.Errorf("Bytes = %d", got.Bytes)
			}
			want := Stats{Location: got.Location, Bytes: got.Bytes, Entries: 2, Oldest: first, Newest: c.now(), Hits: 3, Misses: 1}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		},
		"stops when it is told to": func(t *testing.T, c *clock, s Store) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			e := c.entry("192.0.2.1", "a")
			if err := s.Put(ctx, []Entry{e}); !errors.Is(err, context.Canceled) {
				t.Errorf("Put: %v, want %v", err, context.Canceled)
			}
			if _, err := s.Get(ctx, []Key{e.Key}); !errors.Is(err, context.Canceled) {
				t.Errorf("Get: %v, want %v", err, context.Canceled)
			}
			mustPut(t, s, e)
			if got := mustGet(t, s, e.Key); len(got) != 1 {
				t.Error("does not go on for the next one")
			}
		},
		"serves many at once": func(t *testing.T, c *clock, s Store) {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					entries := c.batch(50*(i+1), 100)
					for chunk := range slices.Chunk(entries, 50) {
						if err := s.Put(t.Context(), chunk); err != nil {
							t.Errorf("Put: %v", err)
						}
						if got, err := s.Get(t.Context(), keysOf(chunk)); len(got) != len(chunk) || err != nil {
							t.Errorf("Get: %d of %d, %v", len(got), len(chunk), err)
						}
					}
					if _, err := s.Stats(t.Context()); err != nil {
						t.Errorf("Stats: %v", err)
					}
				})
			}
			wg.Wait()
			if n := mustStats(t, s).Entries; n != 400 {
				t.Errorf("%d entries, want 400", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			s := open(t, c)
			test(t, c, s)
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// testPrune checks the stores that keep what has expired until they are told otherwise.
func testPrune(t *testing.T, open func(t *testing.T, c *clock) Store) {
	c := newClock()
	s := open(t, c)
	defer s.Close()
	short, long := c.entry("192.0.2.1", "s"), c.entry("192.0.2.2", "l")
	short.Expires = c.now().Add(soon)
	mustPut(t, s, short, long)
	c.forward(soon)
	if got := mustStats(t, s); got.Entries != 2 || got.Expired != 1 {
		t.Errorf("%d entries, %d expired, want 2 and 1", got.Entries, got.Expired)
	}
	if n, err := s.Prune(t.Context()); n != 1 || err != nil {
		t.Errorf("Prune = %d, %v, want 1", n, err)
	}
	if got := mustStats(t, s); got.Entries != 1 || got.Expired != 0 {
		t.Errorf("%d entries, %d expired, want 1 and 0", got.Entries, got.Expired)
	}
}

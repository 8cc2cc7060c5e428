package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/redistest"
)

func TestAKeyOfTheWrongTypeIsAMiss(t *testing.T) {
	t.Parallel()
	r := openTestRedis(t, redistest.Start(t, ""), Options{})
	bad, good := newClock().entry("192.0.2.1", "a"), newClock().entry("192.0.2.2", "b")
	mustPut(t, r, good)
	prefix := r.store.prefix
	for _, key := range []string{r.store.targetKey(bad.Target), prefix + "rate:rate", prefix + "peers:rate"} {
		if err := r.store.client.Set(t.Context(), key, "something else", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if got := mustGet(t, r, bad.Key, good.Key); len(got) != 1 {
		t.Errorf("got %v, want the one that can be read", got)
	}
	mustStats(t, r)
	if _, err := r.Prune(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := r.Take(t.Context(), "rate", 1000, 1); err != nil {
		t.Error(err)
	}
	mustPut(t, r, bad)
	if got := mustGet(t, r, bad.Key); len(got) != 1 {
		t.Error("it is not replaced")
	}
	if !r.Available() {
		t.Error("Redis is taken to be away")
	}
}

// What is in Redis may have been written by anybody who can reach it.
func TestAnEntryThatIsNotOfOursIsAMiss(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "")
	c := newClock()
	now := c.now().UnixMicro()
	about := func(checked, expires int64, size any) string { return fmt.Sprint(checked, " ", expires, " ", size) }
	for name, fields := range map[string]struct{ about, body string }{
		"no numbers":        {"a b c", "x"},
		"nothing":           {"", ""},
		"two numbers":       {fmt.Sprint(now, now+1e12), "x"},
		"another size":      {about(now, now+1e12, 2), "x"},
		"a size of no end":  {about(now, now+1e12, "1e308"), "x"},
		"a negative size":   {about(now, now+1e12, -1), "x"},
		"an absurd size":    {about(now, now+1e12, MaxBody+1), strings.Repeat("x", MaxBody+1)},
		"absurd numbers":    {strings.Repeat("9", 1000) + " 1 1", "x"},
		"expired long ago":  {about(now, -1<<63, 1), "x"},
		"a time of no year": {about(now, 0, 1) + "e", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openTestRedis(t, server, Options{Now: c.now})
			bad, good := c.entry("192.0.2.1", "a"), c.entry("192.0.2.2", "b")
			mustPut(t, r, good)
			entry := entryName(bad.Key)
			if err := r.store.client.HSet(t.Context(), r.store.targetKey(bad.Target), "@"+entry, fields.about, "#"+entry, fields.body).Err(); err != nil {
				t.Fatal(err)
			}
			if got := mustGet(t, r, bad.Key, good.Key); len(got) != 1 || string(got[good.Key].Body) != "b" {
				t.Errorf("got %v, want the one of ours", got)
			}
			if got := mustStats(t, r); got.Entries != 2 || got.Bytes < 0 {
				t.Errorf("%+v", got)
			}
			if _, err := r.Prune(t.Context()); err != nil {
				t.Error(err)
			}
			mustPut(t, r, bad)
			if got := mustGet(t, r, bad.Key); len(got) != 1 || !r.Available() {
				t.Error("it is not replaced")
			}
		})
	}
}

// Counts that are not numbers do not hide what else is known of the cache.
func TestCountsThatAreNotOfOursAreNone(t *testing.T) {
	t.Parallel()
	r := openTestRedis(t, redistest.Start(t, ""), Options{})
	mustPut(t, r, Entry{Key: Key{Service: "s", Target: "192.0.2.1"}, Body: []byte("a"), CheckedAt: time.Now(), Expires: time.Now().Add(time.Hour)})
	client, key := r.store.client, r.store.countKey()
	for name, write := range map[string]func() error{
		"a text":         func() error { return client.Set(t.Context(), key, "x", 0).Err() },
		"no numbers":     func() error { return client.HSet(t.Context(), key, "hits", "x", "misses", "y").Err() },
		"too many":       func() error { return client.HSet(t.Context(), key, "hits", int64(1<<63-1), "misses", 1).Err() },
		"another number": func() error { return client.HSet(t.Context(), key, "hits", "1e9", "misses", -1).Err() },
	} {
		if err := client.Del(t.Context(), key).Err(); err != nil {
			t.Fatal(err)
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
		r.store.hits.Store(1)
		if got, err := r.Stats(t.Context()); err != nil || got.Entries != 1 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

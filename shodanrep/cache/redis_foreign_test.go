package cache

import (
	"testing"
	"time"
)

func TestAKeyOfTheWrongTypeIsAMiss(t *testing.T) {
	t.Parallel()
	r := openTestRedis(t, startRedis(t, ""), Options{})
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

func TestNoLeaseIsWaitedForLongerThanItsTime(t *testing.T) {
	t.Parallel()
	r := openTestRedis(t, startRedis(t, ""), Options{})
	key := newClock().entry("192.0.2.1", "a").Key
	const ttl = 50 * time.Millisecond
	for name, plant := range map[string]func() error{
		"without an end":  func() error { return r.store.client.Set(t.Context(), r.leaseKey(key), "x", 0).Err() },
		"of a year":       func() error { return r.store.client.Set(t.Context(), r.leaseKey(key), "x", 8760*time.Hour).Err() },
		"of another type": func() error { return r.store.client.HSet(t.Context(), r.leaseKey(key), "x", "y").Err() },
	} {
		if err := plant(); err != nil {
			t.Fatal(err)
		}
		if _, got, err := r.Lease(t.Context(), key, ttl); got || err != nil {
			t.Fatal(name, got, err)
		}
		if err := r.WaitFor(t.Context(), key); err != nil {
			t.Error(name, err)
		}
		release, got, err := r.Lease(t.Context(), key, time.Minute)
		if !got || err != nil {
			t.Fatal(name, got, err)
		}
		release()
	}
}

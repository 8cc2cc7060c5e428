package cache

import (
	"testing"

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

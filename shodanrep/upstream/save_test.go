package upstream

import (
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestAVeryLargeResponseIsNotCached(t *testing.T) {
	sim := shodantest.NewHandler()
	store := cache.NewMemory(10 * cache.MaxBody)
	t.Cleanup(func() { store.Close() })
	c := client(internetDB(sim), store, 1)
	for _, test := range []struct {
		size   int
		cached bool
	}{{cache.MaxBody, true}, {cache.MaxBody + 1, false}} {
		key := cache.Key{Service: "test", Target: "192.0.2.1"}
		result := c.saveResponse(key, response{body: make([]byte, test.size), age: time.Hour})
		if err := c.Cache.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		found, err := store.Get(t.Context(), []cache.Key{key})
		if err != nil {
			t.Fatal(err)
		}
		if cached := len(found) == 1; cached != test.cached || cached == result.FreshUntil.IsZero() {
			t.Errorf("%d bytes: cached is %t, want %t; fresh until %v", test.size, cached, test.cached, result.FreshUntil)
		}
		if _, err := store.Clear(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
}

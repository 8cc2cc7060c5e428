package upstream

import (
	"net/netip"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// Two connections share a cache. What one caches for a day the other, which caches for an hour, requests again after that.
func TestACachedResponseIsUsedForAsLongAsTheConnectionSays(t *testing.T) {
	day := 24 * time.Hour
	for name, test := range map[string]struct {
		isInternetDB, isUnknown bool
		call                    bool // for a list, and not for an address
		age                     time.Duration
		long, short             int64 // requests that each client sends when the response is so old
	}{
		"an address":                             {age: 2 * time.Hour, long: 0, short: 1},
		"an address, sooner":                     {age: 50 * time.Minute, long: 0, short: 0},
		"an address that is not indexed":         {isUnknown: true, age: 50 * time.Minute, long: 0, short: 1},
		"an address of InternetDB":               {isInternetDB: true, age: 2 * time.Hour, long: 0, short: 0},
		"an address that InternetDB lacks":       {isInternetDB: true, isUnknown: true, age: 50 * time.Minute, long: 0, short: 1},
		"an address that both cached long ago":   {age: 25 * time.Hour, long: 1, short: 1},
		"a list of the REST API":                 {call: true, age: 2 * time.Hour, long: 0, short: 1},
		"a list of the REST API that is newer":   {call: true, age: 50 * time.Minute, long: 0, short: 0},
		"a list of the REST API that is too old": {call: true, age: 25 * time.Hour, long: 1, short: 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				service := NewREST(Endpoint{URL: sim.APIURL(), Key: shodantest.Key, Transport: sim.Transport()})
				if test.isInternetDB {
					service = internetDB(sim)
				}
				addr := sim.Generate(1)[0]
				if test.isUnknown {
					addr = netip.MustParseAddr("11.99.99.99")
				}
				request := func(c *Client) {
					if test.call {
						if _, _, err := Get(t.Context(), c, shodan.Ports()); err != nil {
							t.Fatal(err)
						}
						return
					}
					if r := lookUp(t.Context(), c, []netip.Addr{addr})[0]; (r.Err != nil) != test.isUnknown {
						t.Fatalf("%+v", r)
					}
				}
				for ttl, want := range map[time.Duration]int64{day: test.long, time.Hour: test.short} {
					store := cache.NewMemory(0)
					long, own := client(service, store, 1), client(service, store, 1)
					long.CacheTTL, own.CacheTTL = day, ttl
					long.Cache.Allow(day)
					request(long)
					time.Sleep(test.age)
					before := service.Requests()
					own.Cache = long.Cache
					request(own)
					if got := service.Requests() - before; got != want {
						t.Errorf("%v: %d requests, want %d", ttl, got, want)
					}
					if err := store.Close(); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

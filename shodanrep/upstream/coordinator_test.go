package upstream

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// machines is a cache that machines share, with a Coordinator that admits every request and counts them.
type machines struct {
	cache.Store
	ratelimit.Coordinator // nil: what is not here is not called
	taken, leases         atomic.Int64
}

func (m *machines) Available() bool { return true }

func (m *machines) Take(context.Context, string, float64, int) (int, error) {
	m.taken.Add(1)
	return 2, nil
}

func (m *machines) Delay(context.Context, string, time.Duration) {}

func (m *machines) Lease(context.Context, string, time.Duration) (func(), bool, error) {
	m.leases.Add(1)
	return func() {}, true, nil
}

// A request of a connection without a Redis is one of this machine too, if another connection shares the rate with others.
func TestAllClientsOfAServiceKeepToTheRateOfTheMachines(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		service := internetDB(sim)
		shared := &machines{Store: cache.NewMemory(0)}
		withRedis, without := client(service, shared, 4), client(service, cache.NewMemory(0), 4)
		addrs := sim.Generate(6)
		lookUp(t.Context(), without, addrs[:3])
		if got := shared.taken.Load(); got != 3 {
			t.Errorf("%d of 3 requests are in the rate of the machines", got)
		}
		withRedis.SetInForce(false)
		lookUp(t.Context(), without, addrs[3:])
		if got := shared.taken.Load(); got != 3 {
			t.Errorf("%d requests are in the rate of machines that no connection is configured with", got-3)
		}
	})
}

// A client that uses no cached response still shares with others how fast it may send, and their bans.
func TestAClientWithoutACacheSharesRatesAndBans(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		shared := &machines{Store: cache.NewMemory(0)}
		cached, without := client(internetDB(sim), shared, 4), client(internetDB(sim), shared, 4)
		without.NoCache = true
		addrs := sim.Generate(2)
		lookUp(t.Context(), cached, addrs[:1])
		leases := shared.leases.Load()
		if err := cached.Cache.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range lookUp(t.Context(), without, addrs) {
			if r.Err != nil || r.FromCache || !r.FreshUntil.IsZero() {
				t.Errorf("%+v", r)
			}
		}
		if err := without.Cache.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		stats, err := shared.Stats(t.Context())
		if err != nil || stats.Entries != 1 || stats.Hits+stats.Misses != 1 || shared.leases.Load() != leases || shared.taken.Load() != 3 {
			t.Errorf("%+v, %d leases, %d requests in the rate of the machines, error %v", stats, shared.leases.Load(), shared.taken.Load(), err)
		}
		cached.saveBan(&ratelimit.BannedError{Until: time.Now().Add(time.Hour)})
		if err := cached.Cache.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var banned *ratelimit.BannedError
		if r := lookUp(t.Context(), without, []netip.Addr{addrs[0]})[0]; !errors.As(r.Err, &banned) {
			t.Errorf("%+v, want the ban that another machine has learned", r)
		}
		// And the other way round.
		third := client(internetDB(sim), &machines{Store: cache.NewMemory(0)}, 4)
		third.NoCache = true
		third.saveResponse(cache.Key{}, response{err: banned, age: time.Hour})
		if got := third.Cache.get(t.Context(), []cache.Key{third.banKey()}); len(got) != 1 {
			t.Errorf("%d bans are saved, want one", len(got))
		}
		if err := errors.Join(third.Cache.Close(), cached.Cache.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

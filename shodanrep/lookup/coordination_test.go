package lookup

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
)

// redis is what machines share, without a Redis: a memory, leases and a pace.
type redis struct {
	cache.Store
	mu     sync.Mutex
	leases map[string]chan struct{}
	pace   *rate.Limiter
	away   bool
	putFor time.Duration // how long it takes to store something
	// delayed is by what the turns to come were delayed, each time.
	delayed []time.Duration
}

func newRedis() *redis {
	return &redis{Store: cache.NewMemory(0), leases: map[string]chan struct{}{}}
}

func (r *redis) Lease(ctx context.Context, key string, ttl time.Duration) (release func(), got bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return nil, false, ratelimit.ErrAway
	}
	if r.leases[key] != nil {
		return nil, false, nil
	}
	released := make(chan struct{})
	r.leases[key] = released
	end := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.leases[key] == released {
			delete(r.leases, key)
			close(released)
		}
	}
	time.AfterFunc(ttl, end)
	return end, true, nil
}

func (r *redis) Put(ctx context.Context, entries []cache.Entry) error {
	time.Sleep(r.putFor)
	return r.Store.Put(ctx, entries)
}

// held returns how many leases somebody has.
func (r *redis) held() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.leases)
}

func (r *redis) WaitFor(ctx context.Context, key string) error {
	r.mu.Lock()
	released, away := r.leases[key], r.away
	r.mu.Unlock()
	if away {
		return ratelimit.ErrAway
	}
	if released == nil {
		return nil
	}
	select {
	case <-released:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *redis) Take(ctx context.Context, _ string, perSecond float64, burst int) (int, error) {
	r.mu.Lock()
	if r.away {
		r.mu.Unlock()
		return 2, ratelimit.ErrAway
	}
	if r.pace == nil {
		r.pace = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	pace := r.pace
	r.mu.Unlock()
	return 2, pace.Wait(ctx)
}

func (r *redis) Delay(_ context.Context, _ string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delayed = append(r.delayed, d)
}

func (r *redis) Available() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.away
}

func (r *redis) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = true
}

// machines makes two engines that share nothing but the redis.
func machines(t *testing.T, sim *shodantest.Simulator, shared *redis, perSecond float64) [2]*Engine {
	t.Helper()
	var engines [2]*Engine
	for i := range engines {
		e, err := New(t.Context(), Config{
			APIKey: shodantest.Key, Source: Shodan, BulkLookup: "auto", RequestsPerSecond: perSecond, InternetDBRequestsPerSecond: perSecond,
			MaxConcurrency: 8, Timeout: 10 * time.Second, Cache: "off", CacheTTL: time.Hour, APIURL: sim.APIURL(),
			InternetDBURL: sim.InternetDBURL(), Logger: hclog.NewNullLogger(), Transport: sim.Transport(),
		})
		if err != nil {
			t.Fatal(err)
		}
		e.connect(upstream.NewBufferedCache(shared))
		engines[i] = e
	}
	return engines
}

// all looks addresses up and counts the answers by their status.
func all(ctx context.Context, t *testing.T, e *Engine, addrs []netip.Addr) map[Status]int {
	b := e.Batch(ctx, len(addrs))
	for _, addr := range addrs {
		b.Add(Question{Addr: addr})
	}
	counts := map[Status]int{}
	for _, addr := range addrs {
		a, err := b.Answer(ctx, Question{Addr: addr})
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			continue
		}
		counts[a.Status]++
	}
	return counts
}

func TestMachinesAskOnceAndKeepOnePace(t *testing.T) {
	for name, plan := range map[string]string{"one by one": "dev", "in bulk": "corp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithLatency(100*time.Millisecond), shodantest.WithPlan(plan))
				addrs := sim.Generate(150)
				var asking sync.WaitGroup
				for i, e := range machines(t, sim, newRedis(), 10) {
					asking.Go(func() {
						if got := all(t.Context(), t, e, addrs[25*i:25*i+125]); got[Indexed] != 125 {
							t.Errorf("%v", got)
						}
					})
				}
				asking.Wait()
				asked := map[string]int{}
				for _, r := range sim.Requests() {
					if r.Status == 200 {
						for addr := range strings.SplitSeq(r.Target, ",") {
							asked[addr]++
						}
					}
				}
				for addr, n := range asked {
					if n > 1 {
						t.Errorf("%s was asked for %d times", addr, n)
					}
				}
				if peak := sim.PeakPerSecond(shodantest.Shodan); peak > 10 {
					t.Errorf("%d requests in a second", peak)
				}
			})
		})
	}
}

func TestAMachineThatIsGoneKeepsNobodyWaitingForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		const leaseTime = time.Minute
		shared := newRedis()
		e := machines(t, sim, shared, 100)[0]
		addrs := sim.Generate(5)
		for _, addr := range addrs {
			// Leased by one that never answers nor releases it.
			if _, got, err := shared.Lease(t.Context(), cache.Key{Service: e.rest.ID, Target: addr.String(), Options: "minify"}.String(), leaseTime); !got || err != nil {
				t.Fatal(got, err)
			}
		}
		began := time.Now()
		if got := all(t.Context(), t, e, addrs); got[Indexed] != 5 {
			t.Errorf("%v", got)
		}
		if took := time.Since(began); took > leaseTime+5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A process often ends with its last result. Others would wait for what it had leased.
func TestNothingIsLeasedOnceTheResultsAreThere(t *testing.T) {
	for name, plan := range map[string]string{"one by one": "dev", "in bulk": "corp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithPlan(plan))
				shared := newRedis()
				shared.putFor = time.Second
				e := machines(t, sim, shared, 100)[0]
				// One address: a second would wait for the cache's lock, and so hold the clock of the test.
				if got := all(t.Context(), t, e, sim.Generate(1)); got[Indexed] != 1 || shared.held() > 0 {
					t.Errorf("%v, and %d leases", got, shared.held())
				}
			})
		})
	}
}

func TestNothingIsLeasedOnceAnEngineIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Hour))
		shared := newRedis()
		e := machines(t, sim, shared, 100)[0]
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		all(ctx, t, e, sim.Generate(5))
		if err := e.Close(); err != nil || shared.held() > 0 {
			t.Errorf("%v, and %d leases", err, shared.held())
		}
	})
}

func TestWhatAnotherMachineFailsToGetIsAskedHere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		engines := machines(t, sim, newRedis(), 100)
		addrs := sim.Generate(5)
		ctx, cancel := context.WithCancel(t.Context())
		go all(ctx, t, engines[0], addrs)
		time.Sleep(500 * time.Millisecond)
		time.AfterFunc(100*time.Millisecond, cancel)
		if got := all(t.Context(), t, engines[1], addrs); got[Indexed] != 5 {
			t.Errorf("%v", got)
		}
	})
}

func TestWithoutTheOthersAMachineKeepsItsShareOfThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		shared := newRedis()
		shared.leave()
		addrs := sim.Generate(100)
		var asking sync.WaitGroup
		for i, e := range machines(t, sim, shared, 10) {
			asking.Go(func() {
				if got := all(t.Context(), t, e, addrs[50*i:50*i+50]); got[Indexed] != 50 {
					t.Errorf("%v", got)
				}
			})
		}
		asking.Wait()
		// At the start each may ask at once; then two of them keep to a half of the pace each.
		if peak := sim.PeakPerSecond(shodantest.Shodan); peak > 11 {
			t.Errorf("%d requests in a second", peak)
		}
	})
}

func TestMachinesWithTheSameCallMakeOneRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		var wg sync.WaitGroup
		for _, e := range machines(t, sim, newRedis(), 100) {
			wg.Go(func() {
				if _, err := Request(t.Context(), e, shodan.Search("port:22", 1)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if sim.Count("") != 1 {
			t.Errorf("%d requests of two machines, want one", sim.Count(""))
		}
	})
}

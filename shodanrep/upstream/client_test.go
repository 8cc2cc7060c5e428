package upstream

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// bubble runs a test in fake time. It fails where a goroutine is left behind.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// internetDB makes the service InternetDB of a simulator.
func internetDB(sim *shodantest.Simulator) *Service {
	return NewInternetDB(Endpoint{URL: sim.InternetDBURL(), Transport: sim.Transport()})
}

// client makes a client in force with so many slots.
func client(s *Service, store cache.Store, slots int) *Client {
	c := NewClient(s, Options{
		Cache: NewBufferedCache(store), PerSecond: 100, MaxConcurrency: slots, Timeout: 10 * time.Second, CacheTTL: time.Hour,
		BulkLookup: "auto", Logger: hclog.NewNullLogger(),
	})
	c.SetInForce(true)
	return c
}

// lookUp looks addresses up, and returns the results in their order.
func lookUp(ctx context.Context, c *Client, addrs []netip.Addr) []Result {
	list := make([]Result, len(addrs))
	var refusal error
	how := Hosts{Options: shodan.HostOptions{Minify: true}, OrWhole: true, Refused: func() error { return refusal }, Ready: func(error) {}}
	c.Hosts(ctx, addrs, how, func(results []Result) {
		for _, r := range results {
			list[r.Index] = r
			if IsRefusal(r.Err) {
				refusal = r.Err
			}
		}
	})
	return list
}

// requested counts the requests for each address.
func requested(sim *shodantest.Simulator) map[string]int {
	counts := map[string]int{}
	for _, r := range sim.Requests() {
		counts[r.Target]++
	}
	return counts
}

func TestNothingIsInFlightAfterALookup(t *testing.T) {
	for name, test := range map[string]struct {
		key    string // none for InternetDB
		fault  *shodantest.Fault
		lasts  time.Duration // before it is cancelled
		failed bool
	}{
		"that succeeded":          {lasts: time.Hour},
		"that was cancelled":      {lasts: 1500 * time.Millisecond},
		"that failed":             {lasts: time.Hour, fault: &shodantest.Fault{Status: 502}, failed: true},
		"whose key is wrong":      {lasts: time.Hour, key: "wrong", failed: true},
		"whose bulk is refused":   {lasts: time.Hour, key: shodantest.Key},
		"whose bulk is split":     {lasts: time.Hour, key: shodantest.Key, fault: &shodantest.Fault{Endpoint: shodantest.EndpointHosts, Status: 502}},
		"whose plan is too low":   {lasts: time.Hour, key: shodantest.Key, fault: &shodantest.Fault{Status: 403, Body: shodantest.BodyPlanTooLow}, failed: true},
		"whose bulk is cancelled": {lasts: 1500 * time.Millisecond, key: shodantest.Key},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithLatency(100 * time.Millisecond))
				if test.fault != nil {
					sim.Fault(*test.fault)
				}
				s := internetDB(sim)
				if test.key != "" {
					s = NewREST(Endpoint{URL: sim.APIURL(), Key: test.key, Transport: sim.Transport()})
				}
				c := client(s, cache.NewMemory(0), 8)
				ctx, cancel := context.WithTimeout(t.Context(), test.lasts)
				defer cancel()
				var running sync.WaitGroup
				addrs := sim.Generate(350)
				for chunk := range slices.Chunk(addrs, 50) {
					running.Go(func() {
						for i, r := range lookUp(ctx, c, chunk) {
							if ctx.Err() == nil && (r.Err != nil) != test.failed {
								t.Errorf("%v: %v", chunk[i], r.Err)
							}
						}
					})
				}
				running.Wait()
				synctest.Wait()
				if n := len(s.calls.byKey); n > 0 || len(c.slots) > 0 {
					t.Errorf("%d calls are left, and %d slots are taken", n, len(c.slots))
				}
			})
		})
	}
}

func TestTwoQueriesRequestEachAddressOnceWithoutACache(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(100 * time.Millisecond))
		s := internetDB(sim)
		addrs := sim.Generate(60)
		backwards := slices.Clone(addrs)
		slices.Reverse(backwards)
		var running sync.WaitGroup
		for _, list := range [][]netip.Addr{addrs, backwards, addrs[20:40]} {
			running.Go(func() {
				for i, r := range lookUp(t.Context(), client(s, cache.Off{}, 4), list) {
					if host, ok := r.Value.(*shodan.Host); !ok || host.Addr != list[i] {
						t.Errorf("%v: %+v", list[i], r)
					}
				}
			})
		}
		running.Wait()
		if counts := requested(sim); len(counts) != len(addrs) || sim.Count("") != len(addrs) {
			t.Errorf("%d requests for %d addresses", sim.Count(""), len(counts))
		}
	})
}

// A query must not wait behind the queue of another, and the other uses the response that came meanwhile.
func TestAShortQueryDoesNotWaitForALongOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		s := internetDB(sim)
		addrs := sim.Generate(100)
		done := make(chan []Result)
		go func() { done <- lookUp(t.Context(), client(s, cache.Off{}, 2), addrs) }()
		time.Sleep(500 * time.Millisecond)
		began := time.Now()
		last := lookUp(t.Context(), client(s, cache.Off{}, 2), addrs[99:])[0]
		if took := time.Since(began); last.Err != nil || took > 2*time.Second {
			t.Errorf("%v after %v", last.Err, took)
		}
		long := <-done
		if !long[99].CheckedAt.Equal(last.CheckedAt) || sim.Count("") != 100 {
			t.Errorf("checked at %v, and by the other query at %v; %d requests", long[99].CheckedAt, last.CheckedAt, sim.Count(""))
		}
	})
}

func TestARequestGoesOnForThoseWhoStillWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		s := internetDB(sim)
		addrs := sim.Generate(2)
		ctx, cancel := context.WithCancel(t.Context())
		go lookUp(ctx, client(s, cache.Off{}, 2), addrs)
		time.Sleep(100 * time.Millisecond)
		time.AfterFunc(100*time.Millisecond, cancel)
		if r := lookUp(t.Context(), client(s, cache.Off{}, 2), addrs[:1])[0]; r.Err != nil {
			t.Error(r.Err)
		}
		synctest.Wait()
		for _, r := range sim.Requests() {
			if given := r.Status == 200; given != (r.Target == addrs[0].String()) {
				t.Errorf("%s: %d", r.Target, r.Status)
			}
		}
		if sim.Count("") != 2 {
			t.Errorf("%d requests", sim.Count(""))
		}
	})
}

// A bulk request that is split is not requested again for those who have left.
func TestAfterASplitNothingIsRequestedThatNobodyWaitsFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("corp"), shodantest.WithLatency(time.Second))
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointHosts, Status: 502})
		s := NewREST(Endpoint{URL: sim.APIURL(), Key: shodantest.Key, Transport: sim.Transport()})
		addrs := sim.Generate(100)
		ctx, cancel := context.WithCancel(t.Context())
		go lookUp(ctx, client(s, cache.Off{}, 8), addrs)
		time.Sleep(500 * time.Millisecond)
		time.AfterFunc(time.Second, cancel)
		if r := lookUp(t.Context(), client(s, cache.Off{}, 8), addrs[:1])[0]; r.Err != nil {
			t.Error(r.Err)
		}
		synctest.Wait()
		for subject, n := range requested(sim) {
			if subject != addrs[0].String() && n != 3 {
				t.Errorf("%d requests for %.40s…", n, subject)
			}
		}
	})
}

// countingStore counts how often it is read.
type countingStore struct {
	cache.Store
	mu   sync.Mutex
	gets int
}

func (s *countingStore) Get(ctx context.Context, keys []cache.Key) (map[cache.Key]cache.Entry, error) {
	s.mu.Lock()
	s.gets++
	s.mu.Unlock()
	return s.Store.Get(ctx, keys)
}

func TestTheCacheIsReadOnceForAllAddresses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		store := &countingStore{Store: cache.NewMemory(0)}
		addrs := sim.Generate(500)
		c := client(internetDB(sim), store, 32)
		for range 2 {
			for _, r := range lookUp(t.Context(), c, addrs) {
				if r.Err != nil {
					t.Error(r.Err)
				}
			}
			if err := c.Cache.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if store.gets != 2 || sim.Count("") != 500 {
			t.Errorf("two lookups of 500 addresses read the cache %d times, and sent %d requests", store.gets, sim.Count(""))
		}
	})
}

// slowStore answers what it has when a while has passed.
type slowStore struct {
	cache.Store
	wait time.Duration
}

func (s slowStore) Get(ctx context.Context, keys []cache.Key) (map[cache.Key]cache.Entry, error) {
	time.Sleep(s.wait)
	return s.Store.Get(ctx, keys)
}

func TestAResponseThatComesWhileTheCacheIsReadIsOneResult(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		s, store, addrs := internetDB(sim), cache.NewMemory(0), sim.Generate(2)
		first := client(s, store, 2)
		go lookUp(t.Context(), first, addrs)
		time.Sleep(500 * time.Millisecond)
		// By the time that the cache answers, the responses have come and are in it.
		second := client(s, slowStore{store, 5 * time.Second}, 2)
		counts := make([]int, len(addrs))
		second.Hosts(t.Context(), addrs, Hosts{}, func(results []Result) {
			for _, r := range results {
				counts[r.Index]++
			}
		})
		if !slices.Equal(counts, []int{1, 1}) || sim.Count("") != 2 {
			t.Errorf("%v results, %d requests", counts, sim.Count(""))
		}
	})
}

func TestGetEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		s := NewREST(Endpoint{URL: sim.APIURL(), Key: shodantest.Key, Transport: sim.Transport()})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, _, err := Get(ctx, client(s, cache.Off{}, 1), shodan.Search("port:22", 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

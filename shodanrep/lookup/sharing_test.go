package lookup_test

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// askedTwice returns the addresses that the services were asked for more than once.
func askedTwice(sim *shodantest.Simulator) []string {
	var twice []string
	asked := map[string]bool{}
	for _, r := range sim.Requests() {
		if asked[r.Target] {
			twice = append(twice, r.Target)
		}
		asked[r.Target] = true
	}
	return twice
}

func TestBatchesThatAskTheSameAtOnceShareTheLookUps(t *testing.T) {
	for name, overlap := range map[string]int{"all of them": 0, "half of them": 150} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithLatency(100 * time.Millisecond))
				cfg := config(sim)
				cfg.InternetDBRequestsPerSecond = 1000
				e := start(t, cfg)
				addrs := sim.Generate(450)
				var asking sync.WaitGroup
				for _, part := range [][]netip.Addr{addrs[:300], addrs[overlap : overlap+300], addrs[overlap : overlap+300]} {
					slices.Reverse(part) // so that the batches do not go through the list in step
					part = slices.Clone(part)
					asking.Go(func() {
						if got := tally(lookUp(t.Context(), t, e, questions(part)...)); got[lookup.Indexed] != 300 {
							t.Errorf("%v", got)
						}
					})
					time.Sleep(130 * time.Millisecond)
				}
				asking.Wait()
				if twice := askedTwice(sim); len(twice) > 0 {
					t.Errorf("%d of %d requests were for what had been asked: %v", len(twice), sim.Count(""), twice)
				}
			})
		})
	}
}

// overNetwork is withKey for connections that share what they know of the services, as those with a transport of their own
// do not. The time is real, so that the timeout is long enough for a busy machine.
func overNetwork(sim *shodantest.Simulator) lookup.Config {
	cfg := withKey(sim)
	cfg.Transport, cfg.Timeout = nil, 5*time.Minute
	return cfg
}

func TestConnectionsOfAProcessShareLookUpsPaceAndMemory(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t, shodantest.WithLatency(20*time.Millisecond))
	cfg := overNetwork(sim)
	cfg.BulkLookup = "off"
	cfg.RequestsPerSecond = 50
	engines := []*lookup.Engine{start(t, cfg), start(t, cfg), start(t, cfg)}
	list := questions(sim.Generate(20))
	began := time.Now()
	var asking sync.WaitGroup
	for _, e := range engines {
		asking.Go(func() {
			if got := tally(lookUp(t.Context(), t, e, list...)); got[lookup.Indexed] != len(list) {
				t.Errorf("%v", got)
			}
		})
	}
	asking.Wait()
	if twice := askedTwice(sim); len(twice) > 0 {
		t.Errorf("asked twice: %v", twice)
	}
	// Three paces would take a third of this. When the requests arrive says nothing, as some do so late on a busy machine.
	if took := time.Since(began); took < 19*time.Second/50 {
		t.Errorf("20 requests at 50 a second took %v: the connections do not keep one pace", took)
	}
}

func TestTheMostCarefulConnectionSetsThePace(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	cfg := overNetwork(sim)
	cfg.RequestsPerSecond = 1000
	fast := start(t, cfg)
	cfg.RequestsPerSecond = 20
	start(t, cfg)
	began := time.Now()
	lookUp(t.Context(), t, fast, questions(sim.Generate(11))...)
	if took := time.Since(began); took < 10*time.Second/20 {
		t.Errorf("11 requests at 20 a second took %v", took)
	}
}

func TestConnectionsWithDifferentKeysShareNothingOfTheRESTAPI(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t, shodantest.WithAnotherKey("SIMULATEDkeyNumberTwo45678901234", "dev"))
	cfg := overNetwork(sim)
	cfg.RequestsPerSecond = 100
	list := questions(sim.Generate(3))
	lookUp(t.Context(), t, start(t, cfg), list...)
	cfg.APIKey = "SIMULATEDkeyNumberTwo45678901234"
	lookUp(t.Context(), t, start(t, cfg), list...)
	byKey := map[string]int{}
	for _, r := range sim.Requests() {
		byKey[r.Key]++
	}
	if byKey[shodantest.Key] < 3 || byKey[cfg.APIKey] < 3 {
		t.Errorf("%v: another key may see other things, so what one was answered is none of the other's", byKey)
	}
}

func TestACancelledBatchStopsWhatOnlyItWaitsFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(10 * time.Second))
		cfg := config(sim)
		cfg.Timeout = time.Minute
		e := start(t, cfg)
		addrs := sim.Generate(3) // 0: only the cancelled batch; 1: both; 2: only the other
		ctx, cancel := context.WithCancel(t.Context())
		cancelled, other := e.Batch(ctx, 2), e.Batch(t.Context(), 2)
		cancelled.Add(questions(addrs[:2])...)
		synctest.Wait()
		other.Add(questions(addrs[1:])...)
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		given := map[string]int{}
		for _, r := range sim.Requests() {
			given[r.Target]++
		}
		if len(given) != 3 || given[addrs[1].String()] != 1 {
			t.Fatalf("requests: %v, want one for each address", given)
		}
		began := time.Now()
		for _, a := range answers(t.Context(), t, other, questions(addrs[1:])...) {
			if a.Status != lookup.Indexed {
				t.Errorf("%+v", a)
			}
		}
		if waited := time.Since(began); waited > 9*time.Second {
			t.Errorf("the other batch waited %v more: its requests were begun anew", waited)
		}
		for _, r := range sim.Requests() {
			want := 200
			if r.Target == addrs[0].String() {
				want = 0 // its caller went away
			}
			if r.Status != want {
				t.Errorf("%s: %d, want %d", r.Target, r.Status, want)
			}
		}
	})
}

func TestABatchThatComesAfterACancelledOneAsksAnew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		e := start(t, config(sim))
		list := questions(sim.Generate(4))
		ctx, cancel := context.WithCancel(t.Context())
		e.Batch(ctx, len(list)).Add(list...)
		synctest.Wait()
		cancel()
		// Not even a moment later: the cancelled requests are still there.
		if got := tally(lookUp(t.Context(), t, e, list...)); got[lookup.Indexed] != len(list) {
			t.Errorf("%v", got)
		}
	})
}

func TestCancelledBatchesLeaveNothingBehind(t *testing.T) {
	// In every state that a look-up may be in: asked, waiting for its turn, for a slot, between two tries, in a pause
	// after a refusal, behind the request that finds out what the key may do. What is left behind fails the bubble.
	for name, prepare := range map[string]func(sim *shodantest.Simulator, cfg *lookup.Config){
		"no answer":   func(sim *shodantest.Simulator, _ *lookup.Config) { sim.Fault(shodantest.Fault{Kind: shodantest.Hang}) },
		"errors":      func(sim *shodantest.Simulator, _ *lookup.Config) { sim.Fault(shodantest.Fault{Status: 502}) },
		"refusals":    func(sim *shodantest.Simulator, _ *lookup.Config) { sim.Fault(shodantest.Fault{Status: 429}) },
		"a slow pace": func(_ *shodantest.Simulator, cfg *lookup.Config) { cfg.InternetDBRequestsPerSecond = 0.01 },
		"an unknown key": func(sim *shodantest.Simulator, cfg *lookup.Config) {
			cfg.APIKey = shodantest.Key
			sim.Fault(shodantest.Fault{Kind: shodantest.Hang})
		},
		"the REST API": func(_ *shodantest.Simulator, cfg *lookup.Config) {
			cfg.APIKey = shodantest.Key
			cfg.APILookupLimit = 1000
		},
		"bulk look-ups": func(_ *shodantest.Simulator, cfg *lookup.Config) {
			cfg.APIKey = shodantest.Key
			cfg.Source = lookup.Shodan
		},
		"named, forbidden": func(_ *shodantest.Simulator, cfg *lookup.Config) { cfg.APIKey = "wrong"; cfg.Source = lookup.Shodan },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithLatency(50 * time.Millisecond))
				cfg := config(sim)
				prepare(sim, &cfg)
				e := start(t, cfg)
				ctx, cancel := context.WithCancel(t.Context())
				e.Batch(ctx, 600).Add(questions(sim.Generate(600))...)
				time.Sleep(2100 * time.Millisecond)
				cancel()
				synctest.Wait()
				requests := sim.Count("")
				time.Sleep(time.Hour)
				if later := sim.Count(""); later != requests {
					t.Errorf("%d requests after the batch was cancelled", later-requests)
				}
			})
		})
	}
}

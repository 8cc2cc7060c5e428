package lookup_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestAThousandAddressesInTenBulkRequestsAtOneASecond(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("corp"), shodantest.WithRateLimit(shodantest.Shodan, 1, 1))
		cfg := withKey(sim)
		cfg.Source = lookup.Shodan
		began := time.Now()
		got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(1000))...))
		if got[lookup.Indexed] != 1000 || sim.Count("") != 10 || time.Since(began) > 12*time.Second {
			t.Errorf("%v in %v with %d requests", got, time.Since(began), sim.Count(""))
		}
	})
}

func TestARefusedBulkLookUpIsNotAskedForAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("dev"))
		cfg := withKey(sim)
		cfg.RequestsPerSecond = 100
		e := start(t, cfg)
		addrs := sim.Generate(60)
		for _, part := range [][]netip.Addr{addrs[:30], addrs[30:]} {
			if got := tally(lookUp(t.Context(), t, e, questions(part)...)); got[lookup.Indexed] != 30 {
				t.Errorf("%v", got)
			}
		}
		if n := sim.Count(""); n != 61 {
			t.Errorf("%d requests for 60 addresses and one refusal", n)
		}
	})
}

func TestTheRESTAPIsPaceIsNeverExceeded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(300*time.Millisecond), shodantest.WithRateLimit(shodantest.Shodan, 1, 1))
		cfg := withKey(sim)
		cfg.BulkLookup = "off"
		got := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(50))...)
		if tally(got)[lookup.Indexed] != 50 || sim.PeakPerSecond(shodantest.Shodan) != 1 || statuses(sim, shodantest.Shodan)[429] != 0 {
			t.Errorf("%v, %d a second, %v", tally(got), sim.PeakPerSecond(shodantest.Shodan), statuses(sim, shodantest.Shodan))
		}
	})
}

func TestInternetDBToldTwiceWhatItAllowsDoesNotBan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, 20, 20), shodantest.WithBan(10, time.Minute), shodantest.WithLatency(50*time.Millisecond))
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond = 50
		began := time.Now()
		got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(1000))...))
		if got[lookup.Indexed] != 1000 || sim.Bans() != 0 || time.Since(began) > 80*time.Second {
			t.Errorf("%v in %v with %d bans", got, time.Since(began), sim.Bans())
		}
	})
}

func TestABanEndsTheBatchAndIsRemembered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, 0.0001, 5), shodantest.WithBan(1, time.Hour))
		cfg := config(sim)
		cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
		addrs := sim.Generate(200)
		got := lookUp(t.Context(), t, start(t, cfg), questions(addrs)...)
		if tally(got)[lookup.Indexed] != 5 || tally(got)[lookup.Failed] != 195 || sim.Count("") > 30 {
			t.Errorf("%v after %d requests", tally(got), sim.Count(""))
		}
		synctest.Wait() // until the ban is written
		asked := sim.Count("")
		for _, a := range lookUp(t.Context(), t, start(t, cfg), questions(addrs[100:])...) {
			if a.Status != lookup.Failed || !strings.Contains(a.Error, "no request is sent before ") {
				t.Fatalf("%+v", a)
			}
		}
		if sim.Count("") != asked {
			t.Errorf("%d requests during the ban", sim.Count("")-asked)
		}
	})
}

func TestFaultsThatPassAreNotSeen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Probability: 0.15, Seed: 7, Status: 502, Body: shodantest.BodyPage(502)})
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond = 1000
		if got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(200))...)); got[lookup.Indexed] < 199 {
			t.Errorf("%v", got)
		}
	})
}

func TestAServiceThatIsDownIsNotWaitedForByEachAddress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		addrs := sim.Generate(1000)
		sim.Fault(shodantest.Fault{Kind: shodantest.Dropped})
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond = 1000
		e := start(t, cfg)
		began := time.Now()
		if got := tally(lookUp(t.Context(), t, e, questions(addrs)...)); got[lookup.Failed] != 1000 || time.Since(began) > time.Minute {
			t.Errorf("%v after %v", got, time.Since(began))
		}
		sim.ClearFaults()
		time.Sleep(time.Minute)
		if got := tally(lookUp(t.Context(), t, e, questions(addrs)...)); got[lookup.Indexed] != 1000 {
			t.Errorf("after it is back: %v", got)
		}
	})
}

func TestACancelledBatchStopsItsRequestsAndNoOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond = 1000
		cfg.MaxConcurrency = 10
		e := start(t, cfg)
		addrs := sim.Generate(100)
		ctx, cancel := context.WithCancel(t.Context())
		cancelled := e.Batch(ctx, len(addrs))
		cancelled.Add(questions(addrs)...)
		other := e.Batch(t.Context(), 1)
		other.Add(questions(addrs[:1])...)
		time.Sleep(500 * time.Millisecond)
		cancel()
		if _, err := cancelled.Answer(ctx, lookup.Question{Addr: addrs[50]}); err == nil {
			t.Error("a cancelled batch answers")
		}
		if got := answers(t.Context(), t, other, questions(addrs[:1])...); got[0].Status != lookup.Indexed {
			t.Errorf("the other batch: %+v", got[0])
		}
		time.Sleep(time.Minute)
		if n := sim.Count(""); n > 11 {
			t.Errorf("%d requests, those of the first second are 10", n)
		}
	})
}

func TestNegativeAnswersAndErrorsAreNotKeptForLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		e := start(t, config(sim))
		q := lookup.Question{Addr: netip.MustParseAddr("9.9.9.9")}
		known := lookup.Question{Addr: sim.Generate(1)[0]}
		for _, step := range []struct {
			after    time.Duration
			requests int
		}{{0, 2}, {5 * time.Hour, 2}, {2 * time.Hour, 3}, {100 * time.Hour, 4}, {24 * time.Hour, 6}} {
			time.Sleep(step.after)
			lookUp(t.Context(), t, e, q, known)
			if n := sim.Count(""); n != step.requests {
				t.Errorf("%d requests, want %d: a negative answer is kept for six hours, InternetDB's others for five days", n, step.requests)
			}
		}
		failing := lookup.Question{Addr: netip.MustParseAddr("9.9.9.10")}
		sim.Fault(shodantest.Fault{Target: "9.9.9.10", Times: 6, Status: 500})
		if a := lookUp(t.Context(), t, e, failing)[0]; a.Status != lookup.Failed {
			t.Errorf("%+v", a)
		}
		if a := lookUp(t.Context(), t, e, failing)[0]; a.Status != lookup.NotIndexed {
			t.Errorf("an error is kept: %+v", a)
		}
	})
}

func TestReservedAddressesAreNeverAsked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"0.0.0.0": true, "10.255.255.255": true, "11.0.0.0": false, "100.64.0.0": true, "100.63.255.255": false, "127.0.0.1": true,
		"169.254.169.254": true, "172.15.0.1": false, "172.31.255.255": true, "172.32.0.0": false, "192.0.2.1": true, "192.168.0.1": true,
		"192.169.0.1": false, "198.18.0.1": true, "198.51.100.1": true, "203.0.113.1": true, "203.0.114.1": false, "224.0.0.1": true,
		"239.255.255.255": true, "240.0.0.1": true, "255.255.255.255": true, "8.8.8.8": false, "::ffff:10.0.0.1": true, "::ffff:8.8.8.8": false,
		"::": true, "::1": true, "fe80::1": true, "fc00::1": true, "ff02::1": true, "2001:db8::1": true, "3fff::1": true,
		"2606:4700:4700::1111": false, "2a00::1": false, "64:ff9b::808:808": false, "4000::1": true,
	} {
		if got := lookup.IsReserved(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestAnAnswerMayBeTakenMoreOftenThanItWasAskedFor(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			sim := shodantest.NewHandler()
			e := start(t, config(sim))
			q := lookup.Question{Addr: sim.Generate(1)[0]}
			b := e.Batch(t.Context(), 1)
			b.Add(q)
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					if a, err := b.Answer(t.Context(), q); err != nil || a.Status != lookup.Indexed {
						t.Errorf("%+v, %v", a, err)
					}
				})
			}
			wg.Wait()
		})
	}
}

package lookup_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// banned is a simulator whose InternetDB bans for an hour at the first request beyond a few.
func banned() *shodantest.Simulator {
	return shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, 1, 20), shodantest.WithBan(3, time.Hour), shodantest.WithLatency(20*time.Millisecond))
}

func TestABanIsSaidInEveryRowThatItCosts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := banned()
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond = 200
		e := start(t, cfg)
		began := time.Now()
		list := questions(sim.Generate(500))
		got := lookUp(t.Context(), t, e, list...)
		if sim.Bans() == 0 {
			t.Fatal("the test bans nobody")
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("the rest of the batch waited: %v", took)
		}
		const until = "InternetDB refuses further requests as too many: no request is sent before 2000-01-01T01:00:"
		for i, a := range got {
			switch a.Status {
			case lookup.Indexed:
			case lookup.Failed:
				if !strings.HasPrefix(a.Error, until) || !strings.Contains(a.Error, "`shodanrep cache clear`") || !strings.HasSuffix(a.Error, `look up fewer addresses at once, or ask the REST API (source = "shodan")`) || a.Source != lookup.InternetDB {
					t.Fatalf("%v: %+v, want %s…", list[i].Addr, a, until)
				}
			default:
				t.Fatalf("%v: %+v", list[i].Addr, a)
			}
		}

		asked := sim.Count("")
		time.Sleep(50 * time.Minute)
		if got := tally(lookUp(t.Context(), t, e, list...)); got[lookup.Failed] == 0 || sim.Count("") != asked {
			t.Errorf("%v and %d requests before the ban's end", got, sim.Count("")-asked)
		}
		time.Sleep(11 * time.Minute)
		last := list[len(list)-1:]
		if a := lookUp(t.Context(), t, e, last...)[0]; a.Status != lookup.Indexed {
			t.Errorf("after the ban's end: %+v", a)
		}
	})
}

func TestABanThatGoesOnIsAskedAboutOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Status: 429})
		e := start(t, config(sim))
		list := questions(sim.Generate(100))
		lookUp(t.Context(), t, e, list...)
		asked := sim.Count("")
		for range 3 {
			time.Sleep(time.Hour + time.Minute)
			lookUp(t.Context(), t, e, list...)
			if n := sim.Count("") - asked; n != 1 {
				t.Errorf("%d requests to find out that the ban goes on", n)
			}
			asked = sim.Count("")
		}
	})
}

func TestANewProcessKeepsABanThatTheCacheRemembers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := banned()
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond = 200
		cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
		list := questions(sim.Generate(300))
		first := start(t, cfg)
		lookUp(t.Context(), t, first, list...)
		synctest.Wait() // until what is known is written
		asked := sim.Count("")
		if sim.Bans() == 0 {
			t.Fatal("the test bans nobody")
		}

		second := start(t, cfg) // it shares nothing with the first but the file
		got := lookUp(t.Context(), t, second, list...)
		synctest.Wait()
		if n := sim.Count("") - asked; n > 0 {
			t.Errorf("%d requests during the ban", n)
		}
		if tally(got)[lookup.Indexed] == 0 {
			t.Error("what is in the cache is not answered from it during the ban")
		}
		failed := firstFailed(t, got)
		if a := got[failed]; !strings.Contains(a.Error, "no request is sent before 2000-01-01T01:00:") {
			t.Errorf("%+v", a)
		}

		time.Sleep(time.Hour)
		if a := lookUp(t.Context(), t, second, list[failed])[0]; a.Status != lookup.Indexed {
			t.Errorf("after the ban's end: %+v", a)
		}
		synctest.Wait()
	})
}

func TestTheRESTAPIsRefusalIsNotInternetDBsBan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Service: shodantest.InternetDB, Status: 429})
		e := start(t, withKey(sim))
		addr := sim.Generate(1)[0]
		if a := lookUp(t.Context(), t, e, lookup.Question{Addr: addr, Source: lookup.InternetDB})[0]; a.Status != lookup.Failed {
			t.Errorf("%+v", a)
		}
		if a := lookUp(t.Context(), t, e, lookup.Question{Addr: addr})[0]; a.Status != lookup.Indexed || a.Source != lookup.Shodan {
			t.Errorf("%+v", a)
		}
	})
}

func TestABanEndsTheWaitOfEveryBatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Status: 429})
		cfg := config(sim)
		cfg.MaxConcurrency = 4
		e := start(t, cfg)
		addrs := sim.Generate(300)
		began := time.Now()
		var asking sync.WaitGroup
		for part := range 3 {
			asking.Go(func() {
				if got := tally(lookUp(t.Context(), t, e, questions(addrs[100*part:100*part+100])...)); got[lookup.Failed] != 100 {
					t.Errorf("%v", got)
				}
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		e.Batch(ctx, 300).Add(questions(addrs)...) // one that is cancelled meanwhile
		time.AfterFunc(2*time.Second, cancel)
		asking.Wait()
		if took := time.Since(began); took > 30*time.Second || sim.Count("") > 12 {
			t.Errorf("%v and %d requests", took, sim.Count(""))
		}
	})
}

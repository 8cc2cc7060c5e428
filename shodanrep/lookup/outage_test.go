package lookup_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// outages are faults of which a service has no other for an hour.
func outages() map[string]shodantest.Fault {
	retryAfter := func(value string) http.Header { return http.Header{"Retry-After": {value}} }
	return map[string]shodantest.Fault{
		"no response":                            {Kind: shodantest.Hang},
		"no connection":                          {Kind: shodantest.Dropped},
		"502":                                    {Status: 502},
		"503 for half a minute":                  {Status: 503, Header: retryAfter("30")},
		"503 for a minute, the longest wait":     {Status: 503, Header: retryAfter("60")},
		"503 until a day that has passed":        {Status: 503, Header: retryAfter("Sat, 01 Jan 1994 00:00:00 GMT")},
		"503 until something that is not a time": {Status: 503, Header: retryAfter("soon")},
		"429":                                    {Status: 429},
		"429 for a minute":                       {Status: 429, Header: retryAfter("60")},
	}
}

// For an hour a list is looked up again and again, as with load --watch, and each lookup fails. Each run ends soon, and says of each
// address why it was not checked. When the service is back all are looked up, without a new process.
func TestAnOutageOfAnHourEndsWithTheOutage(t *testing.T) {
	const addresses = 25
	for _, test := range []struct {
		source    lookup.Source
		perSecond int           // the most that the service may be sent, at once or in any second
		longest   time.Duration // that a run may take
		back      time.Duration // the longest time until all are looked up after the outage
	}{
		{lookup.InternetDB, 110, 3*time.Minute + time.Second, 4 * time.Minute},
		{lookup.Shodan, 1, 5*time.Minute + 5*time.Second, 3 * time.Minute},
	} {
		for name, fault := range outages() {
			t.Run(fmt.Sprintf("%s, %s", test.source, name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler(shodantest.WithLatency(100 * time.Millisecond))
					cfg := withKey(sim)
					cfg.Source, cfg.Cache, cfg.BulkLookup = test.source, "off", "off"
					e, list := start(t, cfg), questions(sim.Generate(addresses))
					lookUp(t.Context(), t, e, list[:2]...)
					sim.Fault(fault)
					var longest time.Duration
					for began := time.Now(); time.Since(began) < time.Hour; time.Sleep(5 * time.Minute) {
						run := time.Now()
						for _, a := range lookUp(t.Context(), t, e, list...) {
							if a.Status != lookup.Failed || a.Error == "" || a.Host != nil {
								t.Fatalf("%+v", a)
							}
						}
						longest = max(longest, time.Since(run))
					}
					if longest > test.longest {
						t.Errorf("a run took %v", longest)
					}
					sim.ClearFaults()
					var took time.Duration
					for back, indexed := time.Now(), 0; indexed < addresses && took <= test.back; took = time.Since(back) {
						if indexed = tally(lookUp(t.Context(), t, e, list...))[lookup.Indexed]; indexed < addresses {
							time.Sleep(10 * time.Second)
						}
					}
					if took > test.back {
						t.Errorf("all are looked up %v after the outage, want %v", took, test.back)
					}
					if n := sim.PeakPerSecond(string(test.source)); n > test.perSecond {
						t.Errorf("%d requests in a second", n)
					}
					t.Logf("a run took %v at most, and all were looked up %v after the outage", longest, took)
				})
			})
		}
	}
}

// A service may ask for one pause after the other. A list waits for a minute of them, and not for one with each try.
func TestPausesWithoutEndAreNotWaitedFor(t *testing.T) {
	for _, source := range []lookup.Source{lookup.InternetDB, lookup.Shodan} {
		for _, pause := range []string{"1", "20", "60"} {
			t.Run(fmt.Sprintf("%s, %s s", source, pause), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler()
					sim.Fault(shodantest.Fault{Status: 503, Header: http.Header{"Retry-After": {pause}}})
					cfg := withKey(sim)
					cfg.Source, cfg.BulkLookup = source, "off"
					began := time.Now()
					got := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(100))...)
					if took := time.Since(began); tally(got)[lookup.Failed] != 100 || took > 2*time.Minute {
						t.Errorf("%v after %v", tally(got), took)
					}
				})
			})
		}
	}
}

package lookup

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestNothingIsAwaitedAfterABatch(t *testing.T) {
	for name, test := range map[string]struct {
		key     string
		source  Source
		fault   *shodantest.Fault
		lasting time.Duration // before the batch is cancelled
	}{
		"that was answered":       {lasting: time.Hour},
		"that was cancelled":      {lasting: 1500 * time.Millisecond},
		"that failed":             {lasting: time.Hour, fault: &shodantest.Fault{Status: 502}},
		"whose key is wrong":      {lasting: time.Hour, key: "wrong", source: Shodan},
		"whose bulk is refused":   {lasting: time.Hour, key: shodantest.Key},
		"whose plan is too low":   {lasting: time.Hour, key: shodantest.Key, fault: &shodantest.Fault{Service: shodantest.Shodan, Status: 403, Body: shodantest.BodyPlanTooLow}},
		"whose bulk is cancelled": {lasting: 1500 * time.Millisecond, key: shodantest.Key},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithLatency(100 * time.Millisecond))
				if test.fault != nil {
					sim.Fault(*test.fault)
				}
				source := test.source
				if source == "" {
					source = Auto
				}
				e, err := New(t.Context(), Config{
					APIKey: test.key, Source: source, APILookupLimit: 1000, BulkLookup: "auto", RequestsPerSecond: 10,
					InternetDBRequestsPerSecond: 100, MaxConcurrency: 8, Timeout: 10 * time.Second, Cache: "memory",
					CacheTTL: time.Hour, APIURL: sim.APIURL(), InternetDBURL: sim.InternetDBURL(),
					Logger: hclog.NewNullLogger(), Transport: sim.Transport(),
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				b := e.Batch(ctx, 700)
				for _, addr := range sim.Generate(700) {
					b.Add(Question{Addr: addr}) // one by one, so that there are many runs
				}
				time.Sleep(test.lasting)
				cancel()
				synctest.Wait()
				for _, s := range []*service{e.internetDB, e.rest} {
					if s != nil && len(s.awaited)+len(s.byKey) > 0 {
						t.Errorf("%s: %d questions are awaited, %d are under way", s.name, len(s.awaited), len(s.byKey))
					}
				}
				if len(b.announced) > 0 || b.running > 0 {
					t.Errorf("the batch has %d announcements left and %d goroutines", len(b.announced), b.running)
				}
			})
		})
	}
}

package lookup

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestNothingOfABatchIsLeft(t *testing.T) {
	for name, test := range map[string]struct {
		key       string
		source    Source
		fault     *shodantest.Fault
		lasts     time.Duration // before it is cancelled
		cancelled bool          // before all is answered
	}{
		"that was answered":       {lasts: time.Hour},
		"that was cancelled":      {lasts: 1500 * time.Millisecond, cancelled: true},
		"that failed":             {lasts: time.Hour, fault: &shodantest.Fault{Status: 502}},
		"whose key is wrong":      {lasts: time.Hour, key: "wrong", source: Shodan},
		"whose bulk is refused":   {lasts: time.Hour, key: shodantest.Key},
		"whose plan is too low":   {lasts: time.Hour, key: shodantest.Key, fault: &shodantest.Fault{Service: shodantest.Shodan, Status: 403, Body: shodantest.BodyPlanTooLow}},
		"whose bulk is cancelled": {lasts: 1500 * time.Millisecond, key: shodantest.Key, cancelled: true},
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
				b := e.Batch(ctx, 300)
				addrs := sim.Generate(300)
				for _, addr := range addrs[:150] {
					b.Add(Question{Addr: addr}) // one by one, so that there are many goroutines
				}
				list := make([]Question, 150)
				for i, addr := range addrs[150:] {
					list[i].Addr = addr
				}
				b.Add(list...)
				time.Sleep(test.lasts)
				synctest.Wait()
				if !test.cancelled && !b.window.TryAcquire(2*chunkSize) {
					t.Error("questions that were answered take room in the window")
				}
				cancel()
				synctest.Wait()
				if b.running > 0 {
					t.Errorf("%d goroutines are left", b.running)
				}
			})
		})
	}
}

func TestABatchWithoutAQuestionIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		e, err := New(t.Context(), Config{
			Source: Auto, RequestsPerSecond: 1, InternetDBRequestsPerSecond: 10, MaxConcurrency: 8, Timeout: time.Second, Cache: "off",
			APIURL: sim.APIURL(), InternetDBURL: sim.InternetDBURL(), Logger: hclog.NewNullLogger(), Transport: sim.Transport(),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		b := e.Batch(ctx, 0)
		b.Add()
		if err := b.Ready(ctx); err != nil {
			t.Error(err)
		}
	})
}

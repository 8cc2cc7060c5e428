package lookup_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// bubble runs a test in which time is not waited for: it passes at once where all wait. It fails where a goroutine is
// left behind that nothing will wake. Two engines must not write to one cache file at the same moment in it, for which
// synctest.Wait is there: SQLite would sleep until the other is done, and no time passes while a goroutine waits for a
// mutex. So it also waits until the last responses are written before one engine after the other is closed.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defer synctest.Wait()
		test(t)
	})
}

// longBubble is bubble for a test that sends so many requests that the race detector makes minutes of it. make test
// runs it without, by the word Ban in its name. Shorter tests of the same code run with it.
func longBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if !strings.Contains(t.Name(), "Ban") {
		t.Fatal("make test does not run this test, see the Makefile")
	}
	if raceDetector {
		t.Skip("runs without the race detector, see the Makefile")
	}
	bubble(t, test)
}

// config is what the plugin has where nothing is set, but for the cache, and asks the simulator.
func config(sim *shodantest.Simulator) lookup.Config {
	return lookup.Config{
		Source: lookup.Auto, APILookupLimit: 100, BulkLookup: "auto",
		RequestsPerSecond: 1, InternetDBRequestsPerSecond: 10, MaxConcurrency: 32, Timeout: 10 * time.Second,
		Cache: "memory", CacheMaxSize: 64 << 20, CacheTTL: 24 * time.Hour,
		APIURL: sim.APIURL(), InternetDBURL: sim.InternetDBURL(), CVEDBURL: sim.CVEDBURL(), UserAgent: "test", Logger: hclog.NewNullLogger(),
		Transport: sim.Transport(),
	}
}

// withKey is config with the simulator's key.
func withKey(sim *shodantest.Simulator) lookup.Config {
	cfg := config(sim)
	cfg.APIKey = shodantest.Key
	return cfg
}

// start makes an engine that is closed with the test.
func start(t *testing.T, cfg lookup.Config) *lookup.Engine {
	t.Helper()
	e, err := lookup.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// questions asks for the summaries of addresses.
func questions(addrs []netip.Addr) []lookup.Question {
	list := make([]lookup.Question, len(addrs))
	for i, addr := range addrs {
		list[i] = lookup.Question{Addr: addr}
	}
	return list
}

// firstFailed returns the index of an answer that is a failure. Which addresses are requested first is left to the scheduler.
func firstFailed(t *testing.T, answers []lookup.Answer) int {
	t.Helper()
	i := slices.IndexFunc(answers, func(a lookup.Answer) bool { return a.Status == lookup.Failed })
	if i < 0 {
		t.Fatalf("%v", tally(answers))
	}
	return i
}

// lookUp asks for all in one batch, and returns the answers in the order of the questions.
func lookUp(ctx context.Context, t *testing.T, e *lookup.Engine, questions ...lookup.Question) []lookup.Answer {
	t.Helper()
	b := e.Batch(ctx, len(questions))
	b.Add(questions...)
	if err := b.Ready(ctx); err != nil {
		t.Fatalf("not ready: %v", err)
	}
	return answers(ctx, t, b, questions...)
}

// answers takes the answers of a batch.
func answers(ctx context.Context, t *testing.T, b *lookup.Batch, questions ...lookup.Question) []lookup.Answer {
	t.Helper()
	list := make([]lookup.Answer, len(questions))
	for i, q := range questions {
		var err error
		if list[i], err = b.Answer(ctx, q); err != nil {
			t.Fatalf("%v: %v", q.Addr, err)
		}
	}
	return list
}

// tally counts answers by their status.
func tally(list []lookup.Answer) map[lookup.Status]int {
	counts := map[lookup.Status]int{}
	for _, a := range list {
		counts[a.Status]++
	}
	return counts
}

// statuses counts the requests to a service by what they were answered.
func statuses(sim *shodantest.Simulator, service string) map[int]int {
	counts := map[int]int{}
	for _, r := range sim.Requests() {
		if r.Service == service {
			counts[r.Status]++
		}
	}
	return counts
}

package lookup_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestABatchMayBeAskedAgainAtAnyMoment(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	cfg := config(sim)
	cfg.InternetDBRequestsPerSecond = 1e6
	e := start(t, cfg)
	list := questions(sim.Generate(2000))
	b := e.Batch(t.Context(), len(list))
	var asking sync.WaitGroup
	for _, q := range list {
		// Not all at once: time and again the batch has nothing left to do when the next question comes.
		asking.Go(func() {
			b.Add(q)
			if a, err := b.Answer(t.Context(), q); err != nil || a.Status != lookup.Indexed {
				t.Errorf("%v: %+v, %v", q.Addr, a, err)
			}
		})
		runtime.Gosched()
	}
	asking.Wait()
}

func TestEqualQuestionsAreOneRequest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		e := start(t, config(sim))
		q := lookup.Question{Addr: sim.Generate(1)[0]}
		b := e.Batch(t.Context(), 1)
		b.Add(q, q)
		b.Add(q, lookup.Question{Addr: q.Addr, Source: lookup.Auto})
		for range 4 {
			if a, err := b.Answer(t.Context(), q); err != nil || a.Status != lookup.Indexed {
				t.Errorf("%+v, %v", a, err)
			}
		}
		if n := sim.Count(""); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

func TestAnswersEndWithTheBatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Kind: shodantest.Hang})
		e := start(t, config(sim))
		q := lookup.Question{Addr: sim.Generate(1)[0]}
		ctx, cancel := context.WithCancel(t.Context())
		b := e.Batch(ctx, 1)
		b.Add(q)
		time.AfterFunc(time.Second, cancel)
		if a, err := b.Answer(t.Context(), q); !errors.Is(err, context.Canceled) {
			t.Errorf("%+v, %v, want the end of the batch's context", a, err)
		}
	})
}

func TestOneWhoGivesUpWaitingLeavesTheBatchToTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		e := start(t, config(sim))
		q := lookup.Question{Addr: sim.Generate(1)[0]}
		b := e.Batch(t.Context(), 1)
		b.Add(q)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Answer(ctx, q); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that the one who waited has gone", err)
		}
		if a, err := b.Answer(t.Context(), q); err != nil || a.Status != lookup.Indexed {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestABatchLetsGoOfTheHostsItHasAnswered(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	cfg := config(sim)
	cfg.InternetDBRequestsPerSecond = 1e6
	cfg.Cache = "off"
	e := start(t, cfg)
	list := questions(sim.Generate(100))
	b := e.Batch(t.Context(), len(list))
	b.Add(list...)
	taken := make([]weak.Pointer[shodan.Host], len(list))
	for i, a := range answers(t.Context(), t, b, list...) {
		taken[i] = weak.Make(a.Host)
	}
	kept := len(list)
	// The look-ups' own goroutines may still be on their way out.
	for try := 0; try < 100 && kept > 0; try++ {
		runtime.GC()
		kept = 0
		for _, host := range taken {
			if host.Value() != nil {
				kept++
			}
		}
	}
	if kept > 0 {
		t.Errorf("%d of %d hosts are still in memory after they were answered", kept, len(list))
	}
	runtime.KeepAlive(b)
	runtime.KeepAlive(e)
}

func TestAnAnswerSaysWhenTheServiceWasAsked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		e := start(t, config(sim))
		q := lookup.Question{Addr: sim.Generate(1)[0]}
		asked := time.Now()
		first := lookUp(t.Context(), t, e, q)[0]
		if d := first.CheckedAt.Sub(asked); d < 0 || d > time.Second {
			t.Errorf("checked %v after it was asked for", d)
		}
		synctest.Wait()
		time.Sleep(time.Hour)
		if again := lookUp(t.Context(), t, e, q)[0]; !again.CheckedAt.Equal(first.CheckedAt) {
			t.Errorf("from the cache it was checked at %v, but it was at %v", again.CheckedAt, first.CheckedAt)
		}
	})
}

package lookup_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestMeters(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond = 1
		e := start(t, cfg)
		addrs := sim.Generate(140)
		lookUp(t.Context(), t, e, questions(addrs[:105])...) // the burst, and what the cache then has
		sim.Fault(shodantest.Fault{Target: addrs[110].String(), Status: 400, Body: `{"error": "Invalid IP"}`})
		meter := lookup.NewProgress()
		if p := meter.State(); p != (lookup.ProgressState{}) {
			t.Errorf("at the start: %+v", p)
		}
		meter.AddTotal(100)
		meter.AddTotal(40)
		b := e.Batch(lookup.WithProgress(t.Context(), meter), len(addrs))
		b.Add(questions(addrs)...)
		time.Sleep(10*1030*time.Millisecond + time.Millisecond)
		p := meter.State()
		if p.Total != 140 || p.FromCache != 105 || p.Done < 114 || p.Done > 116 || p.Left < 20*time.Second || p.Left > 30*time.Second {
			t.Errorf("after ten seconds: %+v", p)
		}
		answers(t.Context(), t, b, questions(addrs)...)
		if p := meter.State(); p.Done != 140 || p.Left != 0 || p.Failed != 1 {
			t.Errorf("at the end: %+v", p)
		}
	})
}

func TestALongBatchSaysInTheLogHowFarItIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		cfg := config(sim)
		var log bytes.Buffer
		cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Info})
		e := start(t, cfg)
		addrs := sim.Generate(700)
		lookUp(t.Context(), t, e, questions(addrs[:50])...)
		if log.Len() > 0 {
			t.Errorf("a short batch is logged: %s", log.String())
		}
		lookUp(t.Context(), t, e, questions(addrs)...) // a minute
		synctest.Wait()
		if n := strings.Count(log.String(), "looking addresses up"); n < 10 || n > 13 {
			t.Errorf("%d lines in a minute, want one in five seconds: %s", n, log.String())
		}
		if !strings.Contains(log.String(), "total=700") {
			t.Errorf("the lines do not say of how many: %s", log.String())
		}
	})
}

func TestTheEstimateLeavesTheBurstOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		e := start(t, config(sim))
		addrs := sim.Generate(2600)
		meter := lookup.NewProgress()
		meter.AddTotal(len(addrs))
		b := e.Batch(lookup.WithProgress(t.Context(), meter), len(addrs))
		began := time.Now()
		b.Add(questions(addrs)...)
		var estimates []time.Time // of the end
		for _, after := range []time.Duration{time.Second, 5 * time.Second, 10 * time.Second, time.Minute, 3 * time.Minute} {
			time.Sleep(after - time.Since(began))
			if p := meter.State(); p.Left > 0 {
				estimates = append(estimates, time.Now().Add(p.Left))
			}
		}
		answers(t.Context(), t, b, questions(addrs)...)
		took := time.Since(began)
		if len(estimates) < 4 {
			t.Errorf("%d estimates", len(estimates))
		}
		for _, end := range estimates {
			if off := end.Sub(began) - took; off.Abs() > took/10 {
				t.Errorf("one estimate was wrong by %v of %v", off, took)
			}
		}
	})
}

func TestSummariesCountEachAddressOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		e := start(t, config(sim))
		addrs := sim.Generate(20)
		for i, addr := range addrs[:3] {
			sim.Fault(shodantest.Fault{Target: addr.String(), Status: 400, Body: fmt.Sprintf(`{"error": "Invalid IP %d"}`, min(i, 1))})
		}
		meter := lookup.NewProgress()
		ctx := lookup.WithProgress(t.Context(), meter)
		for range 3 {
			b := e.Batch(ctx, len(addrs))
			answers(ctx, t, b, questions(addrs)...)
		}
		meter.CountInvalid("x")
		meter.CountInvalid("x")
		s := meter.Summary()
		if s.Addresses != 21 || s.Failed != 4 || len(s.Failures) != 3 || s.Failures[0].Addresses != 2 || len(s.Fallbacks) != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Reasons that differ by a port number, or by the moment at which a ban ends, are one to a reader.
func TestSummariesGroupReasons(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Kind: shodantest.Dropped})
		e := start(t, config(sim))
		addrs := sim.Generate(20)
		meter := lookup.NewProgress()
		ctx := lookup.WithProgress(t.Context(), meter)
		b := e.Batch(ctx, len(addrs))
		answers(ctx, t, b, questions(addrs)...)
		if s := meter.Summary(); s.Failed != 20 || len(s.Failures) != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestNoEstimateIsLongerThanAHundredYears(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]time.Duration{
		0: 0, 0.4: 0, 61.5: 62 * time.Second, 3e9: 3e9 * time.Second, 4e9: 0, 1e10: 0, 1e300: 0, math.Inf(1): 0, -1: 0, math.NaN(): 0,
	} {
		if got := lookup.TimeLeft(seconds); got != want {
			t.Errorf("%v seconds: got %v, want %v", seconds, got, want)
		}
	}
}

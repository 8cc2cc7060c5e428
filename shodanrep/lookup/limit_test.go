package lookup_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestTheRESTAPIIsNeverAskedFasterThanConfigured(t *testing.T) {
	for _, perSecond := range []float64{1, 5, 10} {
		for name, prepare := range map[string]func(sim *shodantest.Simulator){
			"all well":      func(*shodantest.Simulator) {},
			"with refusals": func(sim *shodantest.Simulator) { sim.Fault(shodantest.Fault{Status: 429, Probability: 0.05, Seed: 3}) },
			"with bad days": func(sim *shodantest.Simulator) { sim.Fault(shodantest.Fault{Status: 502, Probability: 0.1, Seed: 3}) },
			"with no answers": func(sim *shodantest.Simulator) {
				sim.Fault(shodantest.Fault{Kind: shodantest.Hang, Probability: 0.05, Seed: 3})
			},
		} {
			t.Run(fmt.Sprintf("%v a second, %s", perSecond, name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler(shodantest.WithLatency(300 * time.Millisecond))
					prepare(sim)
					cfg := withKey(sim)
					cfg.RequestsPerSecond, cfg.Source = perSecond, lookup.Shodan
					e := start(t, cfg)
					began := time.Now()
					got := tally(lookUp(t.Context(), t, e, questions(sim.Generate(200))...))
					if got[lookup.Indexed] < 180 {
						t.Errorf("%v", got)
					}
					if peak := sim.PeakPerSecond(shodantest.Shodan); float64(peak) > perSecond {
						t.Errorf("%d requests in one second", peak)
					}
					// Nor much slower, where nothing is in the way.
					if bound := 200 / perSecond; name == "all well" && time.Since(began).Seconds() > 1.1*bound+1 {
						t.Errorf("it took %v, the limit allows %v s", time.Since(began), bound)
					}
				})
			})
		}
	}
}

func TestAKeptPaceIsNotRefusedByAStrictService(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.Shodan, 1, 1))
		cfg := withKey(sim)
		cfg.Source = lookup.Shodan
		got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(200))...))
		if refused := statuses(sim, shodantest.Shodan)[429]; refused > 0 || got[lookup.Indexed] != 200 {
			t.Errorf("%v, %d refusals", got, refused)
		}
	})
}

func TestInternetDBsPace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(100 * time.Millisecond))
		e := start(t, config(sim))
		addrs := sim.Generate(400)
		began := time.Now()
		lookUp(t.Context(), t, e, questions(addrs[:100])...)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the first 100 took %v, they need not wait for the pace", took)
		}
		began = time.Now()
		lookUp(t.Context(), t, e, questions(addrs[100:])...)
		if took := time.Since(began); took < 27*time.Second || took > 33*time.Second {
			t.Errorf("the next 300 at 10 a second took %v", took)
		}
	})
}

func TestRefusalsAreWaitedOutAndRecovered(t *testing.T) {
	for _, service := range []string{shodantest.Shodan, shodantest.InternetDB} {
		for _, retryAfter := range []time.Duration{0, 5 * time.Second} {
			t.Run(fmt.Sprintf("%s, Retry-After %v", service, retryAfter), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler(
						shodantest.WithRateLimit(service, 2, 2), shodantest.WithRetryAfter(retryAfter), shodantest.WithLatency(50*time.Millisecond))
					cfg := withKey(sim)
					cfg.RequestsPerSecond, cfg.InternetDBRequestsPerSecond, cfg.BulkLookup = 5, 5, "off"
					cfg.Source = lookup.Source(service)
					got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(100))...))
					if got[lookup.Indexed] != 100 {
						t.Errorf("%v, %v", got, statuses(sim, service))
					}
					refused := 0
					var last time.Time // when the newest refusal was answered
					for _, r := range sim.Requests() {
						// One that left at the very moment of a refusal could not know of it, and a refusal of it prolongs
						// the pause only where the service says so.
						if gap := r.Time.Sub(last); !last.IsZero() && gap > 0 && gap < max(900*time.Millisecond, retryAfter) {
							t.Errorf("a request came %v after a refusal", gap)
						}
						if r.Status == 429 {
							refused++
							last = r.Time.Add(50 * time.Millisecond)
						}
					}
					if refused == 0 {
						t.Error("the test refuses nothing")
					}
				})
			})
		}
	}
}

func TestAPauseThatTheServiceAsksForIsKept(t *testing.T) {
	for _, status := range []int{429, 503} {
		for name, value := range map[string]string{"seconds": "20", "a date": time.Date(2000, 1, 1, 0, 0, 20, 0, time.UTC).Format(http.TimeFormat)} {
			t.Run(fmt.Sprintf("%d with %s", status, name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler()
					sim.Fault(shodantest.Fault{Status: status, Times: 1, Header: http.Header{"Retry-After": {value}}})
					got := tally(lookUp(t.Context(), t, start(t, config(sim)), questions(sim.Generate(20))...))
					if got[lookup.Indexed] != 20 {
						t.Errorf("%v", got)
					}
					requests := sim.Requests()
					for _, r := range requests {
						if d := r.Time.Sub(requests[0].Time); d > 0 && d < 20*time.Second {
							t.Errorf("a request came after %v, the service had asked for 20 s", d)
						}
					}
				})
			})
		}
	}
}

func TestALongPauseIsNotWaitedForButSaid(t *testing.T) {
	// A service that is down for an hour has not banned anyone.
	says := map[int]string{429: "InternetDB refuses further requests as too many: ", 503: "InternetDB is unavailable: no request is sent before "}
	for _, status := range []int{429, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				sim.Fault(shodantest.Fault{Status: status, Times: 1, Header: http.Header{"Retry-After": {"3600"}}})
				cfg := config(sim)
				cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
				e := start(t, cfg)
				list := questions(sim.Generate(50))
				began := time.Now()
				got := lookUp(t.Context(), t, e, list...)
				if took := time.Since(began); took > time.Minute {
					t.Errorf("the query hung for %v", took)
				}
				for _, a := range got {
					if a.Status == lookup.Failed && !strings.Contains(a.Error, "no request is sent before 2000-01-01T01:00:0") {
						t.Errorf("the error does not say until when: %s", a.Error)
					}
					if a.Status == lookup.Failed && !strings.HasPrefix(a.Error, says[status]) {
						t.Errorf("the error does not say %s: %s", says[status], a.Error)
					}
				}
				failed := firstFailed(t, got)
				synctest.Wait() // until what is known is written
				asked := sim.Count("")
				if a := lookUp(t.Context(), t, start(t, cfg), list...)[failed]; !strings.HasPrefix(a.Error, says[status]) || sim.Count("") != asked {
					t.Errorf("a new process says %s", a.Error)
				}
				time.Sleep(time.Hour)
				if got := tally(lookUp(t.Context(), t, e, list...)); got[lookup.Indexed] != 50 {
					t.Errorf("an hour later: %v", got)
				}
				synctest.Wait() // while an engine closes the file, another must not wait for it: no time passes then
			})
		})
	}
}

func TestRateLimitBodiesCountUnderAnyStatus(t *testing.T) {
	for _, status := range []int{200, 400, 401, 403, 404, 429, 500, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				sim.Fault(shodantest.Fault{Status: status, Body: shodantest.BodyRateLimited, Times: 3})
				cfg := withKey(sim)
				cfg.Source = lookup.Shodan
				began := time.Now()
				a := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(1))...)[0]
				if a.Status != lookup.Indexed {
					t.Errorf("%+v", a)
				}
				if took := time.Since(began); sim.Count("") != 4 || took < 7*time.Second {
					t.Errorf("%d requests in %v: each of the three refusals is waited out twice as long as the one before", sim.Count(""), took)
				}
			})
		})
	}
}

func TestAServiceThatRefusesForEverIsNotAskedForEver(t *testing.T) {
	for _, source := range []lookup.Source{lookup.Shodan, lookup.InternetDB} {
		t.Run(string(source), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				sim.Fault(shodantest.Fault{Status: 429, Body: shodantest.BodyRateLimited})
				cfg := withKey(sim)
				cfg.Source = source
				began := time.Now()
				got := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(300))...)
				if tally(got)[lookup.Failed] != 300 {
					t.Errorf("%v", tally(got))
				}
				if took := time.Since(began); took > 2*time.Minute || sim.Count("") > 12 {
					t.Errorf("%d requests in %v", sim.Count(""), took)
				}
			})
		})
	}
}

func TestInternetDBToldMoreThanItAllowsDoesNotBan(t *testing.T) {
	for _, latency := range []time.Duration{
		0, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
	} {
		for _, burst := range []int{1, 20, 100} {
			t.Run(fmt.Sprintf("answers in %v, %d at once", latency, burst), func(t *testing.T) {
				longBubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, 20, burst),
						shodantest.WithBan(10, time.Minute), shodantest.WithLatency(latency))
					cfg := config(sim)
					cfg.InternetDBRequestsPerSecond = 50
					e := start(t, cfg)
					began := time.Now()
					got := tally(lookUp(t.Context(), t, e, questions(sim.Generate(1000))...))
					took, refused := time.Since(began), statuses(sim, shodantest.InternetDB)[429]
					t.Logf("%v with %d refusals", took.Round(100*time.Millisecond), refused)
					// What answers slowly is asked slowly: more requests under way are more that can be refused at once.
					bound := max(80*time.Second, 200*latency)
					if got[lookup.Indexed] != 1000 || sim.Bans() > 0 || took > bound {
						t.Errorf("%v in %v with %d refusals and %d bans", got, took, refused, sim.Bans())
					}
				})
			})
		}
	}
}

func TestInternetDBToldUpToFiveTimesWhatItAllowsDoesNotBan(t *testing.T) {
	for _, rate := range []struct{ told, allowed float64 }{{10, 5}, {50, 30}, {50, 10}, {100, 30}, {100, 20}} {
		for _, latency := range []time.Duration{20 * time.Millisecond, 400 * time.Millisecond, 3 * time.Second} {
			for _, burst := range []int{1, 20, 100} {
				t.Run(fmt.Sprintf("told %v, allows %v, answers in %v, %d at once", rate.told, rate.allowed, latency, burst), func(t *testing.T) {
					longBubble(t, func(t *testing.T) {
						sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, rate.allowed, burst),
							shodantest.WithBan(10, time.Minute), shodantest.WithLatency(latency))
						cfg := config(sim)
						cfg.InternetDBRequestsPerSecond = rate.told
						got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(600))...))
						if refused := statuses(sim, shodantest.InternetDB)[429]; got[lookup.Indexed] != 600 || sim.Bans() > 0 {
							t.Errorf("%v with %d refusals and %d bans", got, refused, sim.Bans())
						}
					})
				})
			}
		}
	}
}

func TestALongListAgainstALowerLimitEndsWithoutABan(t *testing.T) {
	longBubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, 20, 20),
			shodantest.WithBan(10, time.Minute), shodantest.WithLatency(50*time.Millisecond))
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond, cfg.Cache = 50, "off"
		began := time.Now()
		got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(20_000))...))
		took, refused := time.Since(began), statuses(sim, shodantest.InternetDB)[429]
		t.Logf("%v with %d refusals", took.Round(time.Second), refused)
		if got[lookup.Indexed] != 20_000 || sim.Bans() > 0 || took > 1300*time.Second {
			t.Errorf("%v in %v with %d refusals and %d bans", got, took, refused, sim.Bans())
		}
	})
}

package lookup_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// processes makes engines that share nothing but the file of rate limits, as processes do.
func processes(t *testing.T, n int, cfg lookup.Config) []*lookup.Engine {
	t.Helper()
	cfg.RateLimitDir = t.TempDir()
	engines := make([]*lookup.Engine, n)
	for i := range engines {
		engines[i] = start(t, cfg)
	}
	return engines
}

// lookUpShares has each engine look up its share of addresses, all at once, and returns how many are indexed.
func lookUpShares(t *testing.T, engines []*lookup.Engine, sim *shodantest.Simulator, each int) (indexed int) {
	t.Helper()
	addrs := sim.Generate(len(engines) * each)
	var (
		running sync.WaitGroup
		mu      sync.Mutex
	)
	for i, e := range engines {
		running.Go(func() {
			got := tally(lookUp(t.Context(), t, e, questions(addrs[each*i:each*(i+1)])...))
			mu.Lock()
			defer mu.Unlock()
			indexed += got[lookup.Indexed]
		})
	}
	running.Wait()
	return indexed
}

func TestProcessesTogetherAreNotBannedByInternetDB(t *testing.T) {
	for _, burst := range []int{1, 12, 24, 100} {
		for _, latency := range []time.Duration{20 * time.Millisecond, 150 * time.Millisecond, time.Second} {
			t.Run(fmt.Sprintf("%d at once, responses take %v", burst, latency), func(t *testing.T) {
				longBubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, 12, burst),
						shodantest.WithBan(8, time.Hour), shodantest.WithLatency(latency))
					const each = 150
					began := time.Now()
					if got := lookUpShares(t, processes(t, 3, config(sim)), sim, each); got != 3*each || sim.Bans() > 0 {
						t.Errorf("%d of %d are indexed, %d bans, %v", got, 3*each, sim.Bans(), statuses(sim, shodantest.InternetDB))
					}
					t.Logf("%v, %v", time.Since(began), statuses(sim, shodantest.InternetDB))
				})
			})
		}
	}
}

func TestProcessesTogetherSendTheRESTAPIOneRequestASecond(t *testing.T) {
	for _, setUp := range []time.Duration{0, 150 * time.Millisecond} {
		t.Run(fmt.Sprintf("connections take %v", setUp), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.Shodan, 1, 1), shodantest.WithLatency(300*time.Millisecond))
				cfg := withKey(sim)
				cfg.Source, cfg.BulkLookup, cfg.Transport = lookup.Shodan, "off", connecting(t, sim, setUp)
				const each = 15
				began := time.Now()
				if got := lookUpShares(t, processes(t, 3, cfg), sim, each); got != 3*each {
					t.Errorf("%d of %d are indexed", got, 3*each)
				}
				if refused, peak := statuses(sim, shodantest.Shodan)[http.StatusTooManyRequests], sim.PeakPerSecond(shodantest.Shodan); refused > 0 || peak > 1 {
					t.Errorf("%d refused, %d in one second", refused, peak)
				}
				if took := time.Since(began); took > time.Duration(1.1*3*each*float64(time.Second)) {
					t.Errorf("it took %v", took)
				} else {
					t.Log(took)
				}
			})
		})
	}
}

func TestAProcessKeepsThePausesAndBansOfOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithRetryAfter(10 * time.Minute))
		engines := processes(t, 2, config(sim))
		addrs := sim.Generate(3)
		sim.Fault(shodantest.Fault{Status: 429})
		if a := lookUp(t.Context(), t, engines[0], questions(addrs[:1])...)[0]; a.Status != lookup.Failed {
			t.Fatalf("%+v", a)
		}
		asked := sim.Count("")
		if a := lookUp(t.Context(), t, engines[1], questions(addrs[1:2])...)[0]; a.Status != lookup.Failed || sim.Count("") > asked {
			t.Errorf("%+v, %d further requests", a, sim.Count("")-asked)
		}
	})
}

func TestDifferentKeysAndServicesAreDifferentRates(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithAnotherKey("OTHERSIMULATEDkeyNOTREAL12345678", "dev"))
		cfg := withKey(sim)
		cfg.RateLimitDir, cfg.Source, cfg.BulkLookup = t.TempDir(), lookup.Shodan, "off"
		other := cfg
		other.APIKey = "OTHERSIMULATEDkeyNOTREAL12345678"
		began := time.Now()
		if got := lookUpShares(t, []*lookup.Engine{start(t, cfg), start(t, other)}, sim, 10); got != 20 {
			t.Errorf("%d are indexed", got)
		}
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestProcessesGoOnWhereTheFileIsDamagedOrRemoved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(50 * time.Millisecond))
		cfg := config(sim)
		cfg.RateLimitDir = filepath.Join(t.TempDir(), "new")
		e := start(t, cfg)
		path := filepath.Join(cfg.RateLimitDir, "rate-limits.json")
		write := func(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }
		for i, damage := range []func() error{
			func() error { return write(path, "no JSON") },
			func() error { return write(path, `{"records":{"internetdb `+cfg.InternetDBURL+`":{"value":7}}}`) },
			func() error { return os.RemoveAll(cfg.RateLimitDir) },
		} {
			if err := damage(); err != nil {
				t.Fatal(err)
			}
			if a := lookUp(t.Context(), t, e, questions(sim.Generate(i + 1)[i:])...)[0]; a.Status != lookup.Indexed {
				t.Errorf("%d: %+v", i, a)
			}
		}
	})
}

// plantRate writes a record of InternetDB into the file of rate limits.
func plantRate(t *testing.T, cfg lookup.Config, value string) {
	t.Helper()
	text := fmt.Sprintf(`{"records":{%q:{"updated":%q,"value":%s}}}`, "internetdb "+cfg.InternetDBURL, time.Now().Format(time.RFC3339), value)
	if err := os.WriteFile(filepath.Join(cfg.RateLimitDir, "rate-limits.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestABanInTheFileIsCutToSixHours(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		cfg := config(sim)
		cfg.RateLimitDir, cfg.Cache = t.TempDir(), "off"
		plantRate(t, cfg, `{"banned":"2199-01-01T00:00:00Z"}`)
		e, list := start(t, cfg), questions(sim.Generate(1))
		if a := lookUp(t.Context(), t, e, list...)[0]; !strings.Contains(a.Error, "no request is sent before 2000-01-01T06:00:00Z") {
			t.Errorf("%+v", a)
		}
		time.Sleep(6*time.Hour + time.Second)
		if a := lookUp(t.Context(), t, e, list...)[0]; a.Status != lookup.Indexed {
			t.Errorf("%+v", a)
		}
	})
}

func TestAProcessThatIsKilledBlocksNobodyForMoreThanASecond(t *testing.T) {
	for name, test := range map[string]struct {
		source lookup.Source
		faults []shodantest.Fault
		ask    int           // addresses that the process that is killed looks up
		after  time.Duration // when it is killed
		bound  time.Duration // what the other needs for two addresses without it
	}{
		"with as many requests under way as may be": {lookup.InternetDB, []shodantest.Fault{{Kind: shodantest.Hang, Times: 4}}, 20, time.Second, 0},
		"while it finds out whether the service answers again": {lookup.InternetDB,
			[]shodantest.Fault{{Status: 429, Times: 1}, {Kind: shodantest.Hang, Times: 1}}, 1, 3 * time.Second, time.Second},
		"with others that wait for their turn": {lookup.Shodan, nil, 20, 2500 * time.Millisecond, 2060 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithLatency(20 * time.Millisecond))
				for _, fault := range test.faults {
					sim.Fault(fault)
				}
				addrs := sim.Generate(test.ask + 2)
				cfg := withKey(sim)
				cfg.Source, cfg.BulkLookup, cfg.RateLimitDir = test.source, "off", t.TempDir()
				ctx, kill := context.WithCancel(t.Context())
				start(t, cfg).Batch(ctx, test.ask).Add(questions(addrs[:test.ask])...)
				time.Sleep(test.after)
				// What is in the file now is what a process leaves that is killed now.
				left, err := os.ReadFile(filepath.Join(cfg.RateLimitDir, "rate-limits.json"))
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(left), `"members"`) {
					t.Fatalf("the test kills a process that does nothing: %s", left)
				}
				kill()
				time.Sleep(time.Millisecond)
				cfg.RateLimitDir = t.TempDir()
				if err := os.WriteFile(filepath.Join(cfg.RateLimitDir, "rate-limits.json"), left, 0o600); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if got := tally(lookUp(t.Context(), t, start(t, cfg), questions(addrs[test.ask:])...)); got[lookup.Indexed] != 2 {
					t.Errorf("%v", got)
				}
				if took := time.Since(began); took > test.bound+time.Second {
					t.Errorf("it took %v, want at most a second more than %v", took, test.bound)
				}
			})
		})
	}
}

func TestWhatTheFileSaysOfARateIsBounded(t *testing.T) {
	for name, value := range map[string]string{
		"a request in the future": `{"tokens":0,"tokens_at":"2199-01-01T00:00:00Z"}`,
		"no tokens for ever":      `{"tokens":-1e300,"tokens_at":"2000-01-01T00:00:00Z","updated":"2000-01-01T00:00:00Z"}`,
		"no rate":                 `{"current":1e-300,"ceiling":-1,"updated":"2000-01-01T00:00:00Z","refusal":"2000-01-01T00:00:00Z"}`,
		"a huge latency":          `{"latency":9000000000000000000,"ceiling_ttl":-1,"refusals":-7}`,
		"a pause of centuries":    `{"paused":"2199-01-01T00:00:00Z"}`,
		"many under way":          `{"members":{"gone":{"seen":"2000-01-01T00:00:00Z","under_way":1000000,"per_second":10}}}`,
		"a rate of centuries":     `{"tokens":-1e300,"members":{"gone":{"seen":"2000-01-01T00:00:00Z","under_way":0,"per_second":1e-300}}}`,
		"many levels":             `{"members":` + strings.Repeat(`{"a":`, 20_000) + `1` + strings.Repeat(`}`, 20_000) + `}`,
		"an endless wait":         `{"members":{"gone":{"seen":"2199-01-01T00:00:00Z","under_way":9,"per_second":1e-9}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				cfg := config(sim)
				cfg.RateLimitDir = t.TempDir()
				plantRate(t, cfg, value)
				began := time.Now()
				if got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(5))...)); got[lookup.Indexed] != 5 {
					t.Errorf("%v", got)
				}
				if took := time.Since(began); took > time.Minute+time.Second {
					t.Errorf("it took %v", took)
				} else {
					t.Log(took)
				}
			})
		})
	}
}

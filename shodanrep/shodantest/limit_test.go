package shodantest_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

const (
	onePath  = "/api/shodan/host/192.0.2.1?{key}"
	freePath = "/internetdb/192.0.2.1"
)

// statuses requests a path repeatedly, with pauses, and returns the statuses of the responses.
func statuses(t testing.TB, sim *shodantest.Simulator, path string, times int, pause time.Duration) []int {
	t.Helper()
	var got []int
	for i := range times {
		if i > 0 {
			time.Sleep(pause)
		}
		resp, _ := getPath(t, sim, path)
		got = append(got, resp.StatusCode)
	}
	return got
}

func TestARateLimitIsStrict(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		perSecond float64
		burst     int
		times     int
		pause     time.Duration
		want      string
		peak      int
	}{
		{"exactly at the limit all pass", 1, 1, 5, time.Second, "[200 200 200 200 200]", 1},
		{"a nanosecond too early is refused, and costs nothing", 1, 1, 4, time.Second - 1, "[200 429 200 429]", 2},
		{"a burst passes at once, and no more", 1, 3, 5, 0, "[200 200 200 429 429]", 5},
		{"what is unused is saved up to the burst only", 1, 2, 3, 0, "[200 200 429]", 3},
		{"many a second, exactly", 20, 1, 60, time.Second / 20, "", 20},
		{"a third of a second each, which no clock can halve", 3, 1, 9, time.Second / 3, "", 4},
		{"less than one a second", 0.5, 1, 3, time.Second, "[200 429 200]", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.Shodan, test.perSecond, test.burst))
				sim.AddHost(oneHost)
				time.Sleep(time.Hour) // nothing may be saved up meanwhile
				got := statuses(t, sim, onePath, test.times, test.pause)
				if test.want == "" {
					for _, status := range got {
						if status != 200 {
							t.Fatalf("got %v", got)
						}
					}
				} else if fmt.Sprint(got) != test.want {
					t.Errorf("got %v, want %s", got, test.want)
				}
				if peak := sim.PeakPerSecond(shodantest.Shodan); peak != test.peak {
					t.Errorf("at most %d a second, want %d", peak, test.peak)
				}
			})
		})
	}
}

func TestALimitIsOfAServiceAndOfAKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.Shodan, 1, 1), shodantest.WithAnotherKey("second", "dev"))
		sim.AddHost(oneHost)
		for path, want := range map[string]string{
			onePath: "[200 429]", "/api/api-info?key=second": "[200 429]", freePath: "[200 200]", "/api/api-info?key=wrong": "[401 401]",
		} {
			if got := fmt.Sprint(statuses(t, sim, path, 2, 0)); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
		// Two keys with two requests each in the same second are not four of one key.
		if peak := sim.PeakPerSecond(shodantest.Shodan); peak != 2 {
			t.Errorf("at most %d a second and key, want 2", peak)
		}
	})
}

func TestALimitedAnswerIsThatOfItsService(t *testing.T) {
	t.Parallel()
	limits := []shodantest.Option{shodantest.WithRateLimit(shodantest.Shodan, 0.1, 1), shodantest.WithRateLimit(shodantest.InternetDB, 0.1, 1)}
	for _, test := range []struct {
		name, path, body, retryAfter string
		opts                         []shodantest.Option
	}{
		{"of the REST API", onePath, apiLimited, "", limits},
		{"of InternetDB", freePath, freeLimited, "", limits},
		{"with a time to wait, in whole seconds", onePath, apiLimited, "2", append(limits[:2:2], shodantest.WithRetryAfter(1500*time.Millisecond))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.NewHandler(test.opts...)
			getPath(t, sim, test.path)
			resp, body := getPath(t, sim, test.path)
			if resp.StatusCode != 429 || body != test.body || resp.Header.Get("Retry-After") != test.retryAfter {
				t.Errorf("got %d %s, Retry-After %q", resp.StatusCode, body, resp.Header.Get("Retry-After"))
			}
		})
	}
}

func TestInternetDBBansWhoGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, 20, 1), shodantest.WithBan(3, time.Minute))
		sim.AddHost(oneHost)
		if got := fmt.Sprint(statuses(t, sim, freePath, 3, 0)); got != "[200 429 429]" || sim.Bans() != 0 {
			t.Errorf("got %s and %d bans before the third 429", got, sim.Bans())
		}
		if got := fmt.Sprint(statuses(t, sim, freePath, 1, 0)); got != "[429]" || sim.Bans() != 1 {
			t.Errorf("got %s and %d bans at the third 429", got, sim.Bans())
		}
		time.Sleep(10 * time.Second)
		if got := fmt.Sprint(statuses(t, sim, freePath, 5, 10*time.Second)); got != "[429 429 429 429 429]" {
			t.Errorf("while banned: %s", got)
		}
		time.Sleep(10*time.Second - 1)
		if got := fmt.Sprint(statuses(t, sim, freePath, 1, 0)); got != "[429]" {
			t.Errorf("just before the ban ends: %s", got)
		}
		if got := fmt.Sprint(statuses(t, sim, onePath, 1, 0)); got != "[200]" {
			t.Errorf("the REST API is banned too: %s", got)
		}
		time.Sleep(time.Nanosecond)
		if got := fmt.Sprint(statuses(t, sim, freePath, 3, 0)); got != "[200 429 429]" || sim.Bans() != 1 {
			t.Errorf("after the ban: %s and %d bans", got, sim.Bans())
		}
	})
}

func TestLatencyIsKeptSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(50 * time.Millisecond))
		addrs := sim.Generate(100)
		began := time.Now()
		var all sync.WaitGroup
		for _, addr := range addrs {
			all.Go(func() { getPath(t, sim, "/internetdb/"+addr.String()) })
		}
		all.Wait()
		if took := time.Since(began); took != 50*time.Millisecond {
			t.Errorf("a hundred at once took %v", took)
		}
		getPath(t, sim, "/internetdb/192.0.2.9")
		if peak := sim.MaxInFlight(); peak != 100 {
			t.Errorf("%d were under way at once", peak)
		}
		if peak := sim.PeakPerSecond(shodantest.InternetDB); peak != 101 {
			t.Errorf("%d in a second", peak)
		}
	})
}

func TestASimulatorWithoutRequestsKeepsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithoutRequests(), shodantest.WithRateLimit(shodantest.InternetDB, 1, 1))
		addr := sim.Generate(1)[0]
		for i, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
			if got, _ := getPath(t, sim, "/internetdb/"+addr.String()); got.StatusCode != want {
				t.Errorf("response %d has status %d, want %d", i, got.StatusCode, want)
			}
		}
		if requests := sim.Requests(); len(requests) > 0 || sim.Count("") > 0 || sim.MaxInFlight() != 1 {
			t.Errorf("%d requests are kept, %d were under way at once", len(requests), sim.MaxInFlight())
		}
	})
}

func TestACallerMayGoAwayWhileItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, _, err := try(ctx, sim.Transport(), "http://shodan.invalid/internetdb/192.0.2.1")
		if err == nil || time.Since(began) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		if _, _, err = try(ctx, sim.Transport(), "http://shodan.invalid/internetdb/192.0.2.1"); err == nil {
			t.Error("a caller that is gone already is answered")
		}
		if got := sim.Requests(); len(got) != 1 || got[0].Status != 0 {
			t.Errorf("recorded %v", got)
		}
	})
}

func TestManyKeysAndServicesAtOnce(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t, shodantest.WithRateLimit(shodantest.Shodan, 1000, 10), shodantest.WithCredits(50))
	sim.AddHost(oneHost)
	client := &http.Transport{MaxIdleConnsPerHost: 8}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				for _, path := range []string{"/api/shodan/host/192.0.2.1", "/internetdb/192.0.2.1", "/api/shodan/host/search"} {
					get(t, client, fmt.Sprintf("%s%s?query=port:22&key=%s", sim.APIURL()[:len(sim.APIURL())-len("/api")], path, shodantest.Key))
				}
				sim.AddHost(shodantest.Host{IP: fmt.Sprintf("192.0.2.%d", 10+i)})
			}
		})
	}
	all.Wait()
	if n := sim.Count(""); n != 8*20*3 {
		t.Errorf("counted %d requests", n)
	}
}

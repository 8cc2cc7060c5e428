package lookup_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// ports asks for the ports that Shodan crawls.
func ports() shodan.Call[[]int] {
	return shodan.Call[[]int]{What: "the list of ports", Path: "/shodan/ports", Query: url.Values{"unused": {"x"}}, Read: func(body []byte) ([]int, error) {
		var list []int
		return list, json.Unmarshal(body, &list)
	}}
}

func TestACallIsAskedOnceAndKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		e := start(t, withKey(sim))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				reply, err := lookup.Request(t.Context(), e, ports())
				if err != nil || len(reply.Value) == 0 || time.Since(reply.CheckedAt) > time.Minute {
					t.Errorf("%+v, %v", reply, err)
				}
			})
		}
		wg.Wait()
		time.Sleep(23 * time.Hour)
		first, err := lookup.Request(t.Context(), e, ports())
		if err != nil || sim.Count("") != 1 || time.Since(first.CheckedAt) < 22*time.Hour {
			t.Errorf("%v, %d requests, checked at %v; want the one answer within cache_ttl", err, sim.Count(""), first.CheckedAt)
		}
		time.Sleep(2 * time.Hour)
		if _, err := lookup.Request(t.Context(), e, ports()); err != nil || sim.Count("") != 2 {
			t.Errorf("%v, %d requests; want another one after cache_ttl", err, sim.Count(""))
		}
		if ports().Query.Get("key") != "" || sim.Requests()[0].Key != shodantest.Key {
			t.Error("the key belongs to the request, not to the call")
		}
	})
}

func TestWhatIsOfThisMomentIsNotKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		e := start(t, withKey(sim))
		call := ports()
		call.Volatile = true
		for range 2 {
			if _, err := lookup.Request(t.Context(), e, call); err != nil {
				t.Fatal(err)
			}
		}
		if sim.Count("") != 2 {
			t.Errorf("%d requests, want 2", sim.Count(""))
		}
	})
}

func TestWhatIsNotThereIsRememberedForAShorterTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Endpoint: "/shodan/ports", Status: 404, Body: `{"error": "No information available"}`})
		e := start(t, withKey(sim))
		for hours, requests := range []int{1, 1, 1, 1, 1, 1, 2, 2} {
			if _, err := lookup.Request(t.Context(), e, ports()); !shodan.IsKind(err, shodan.NotFound) || sim.Count("") != requests {
				t.Fatalf("after %d hours: %v, %d requests, want %d", hours, err, sim.Count(""), requests)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestCallsThatFailSayWhatAndWhy(t *testing.T) {
	for name, test := range map[string]struct {
		options []shodantest.Option
		fault   shodantest.Fault
		key     string
		call    func() error
		want    string
	}{
		"without a key":        {want: "the list of ports needs an API key: set api_key"},
		"with a wrong key":     {key: "WRONGkey", want: "the list of ports failed: Shodan refused the API key"},
		"with too low a plan":  {key: shodantest.Key, fault: shodantest.Fault{Status: 403, Body: `{"error": "Requires membership or higher to access"}`}, want: "the list of ports needs a plan that allows it"},
		"without credits left": {key: shodantest.Key, fault: shodantest.Fault{Status: 401, Body: `{"error": "Insufficient query credits"}`}, want: "the list of ports costs a query credit"},
		"with a garbled answer": {key: shodantest.Key, fault: shodantest.Fault{Status: 200, Body: `{"ports": 1`},
			want: "the list of ports failed: Shodan sent no usable response (HTTP 200"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				if test.fault.Status != 0 {
					sim.Fault(test.fault)
				}
				cfg := config(sim)
				cfg.APIKey = test.key
				_, err := lookup.Request(t.Context(), start(t, cfg), ports())
				if err == nil || !strings.Contains(err.Error(), test.want) || test.key != "" && strings.Contains(err.Error(), test.key) {
					t.Errorf("%v, want %q", err, test.want)
				}
			})
		})
	}
}

// One message stands for a query that is wrong and for one that took too long. A second try tells them apart.
func TestAQueryThatMayBeWrongIsSentTwice(t *testing.T) {
	for name, test := range map[string]struct {
		fault shodantest.Fault
		fails bool
	}{
		"with status 200":    {shodantest.Fault{Body: shodantest.BodyQueryRefused}, true},
		"with status 400":    {shodantest.Fault{Status: 400, Body: shodantest.BodyQueryRefused}, true},
		"it took long, once": {shodantest.Fault{Body: shodantest.BodyQueryRefused, Times: 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				sim.Fault(test.fault)
				_, err := lookup.Request(t.Context(), start(t, withKey(sim)), shodan.Count("port:22", nil, 0))
				if (err != nil) != test.fails || sim.Count("") != 2 {
					t.Errorf("%v after %d requests", err, sim.Count(""))
				}
			})
		})
	}
}

func TestACancelledCallEndsItsRequestAndLeavesOthersAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(5 * time.Second))
		e := start(t, withKey(sim))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		other := make(chan error, 1)
		go func() {
			_, err := lookup.Request(t.Context(), e, ports())
			other <- err
		}()
		if _, err := lookup.Request(ctx, e, ports()); err != context.DeadlineExceeded {
			t.Errorf("%v", err)
		}
		if err := <-other; err != nil || sim.Count("") != 1 {
			t.Errorf("%v, %d requests", err, sim.Count(""))
		}
	})
}

func TestSpendingIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Generate(1)
		e := start(t, withKey(sim))
		for _, query := range []string{"port:22", "port:22", "nginx"} { // the second is kept, the third is free
			if _, err := lookup.Request(t.Context(), e, shodan.Search(query, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if got := e.Spent(); got != (lookup.Spending{Requests: 2, Credits: 1}) || sim.Credits(shodantest.Key) != 10_000-1 {
			t.Errorf("%+v, and the service counts %d credits left", got, sim.Credits(shodantest.Key))
		}
	})
}

func TestAHostsHistoryIsAskedForByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.AddHost(shodantest.Host{IP: "11.0.0.1", Ports: []int{22}, History: []map[string]any{{"port": 23, "timestamp": "2025-01-01T00:00:00.000000"}}})
		e := start(t, withKey(sim))
		addr := sim.Hosts()[0]
		for question, banners := range map[lookup.Question]int{{Addr: addr, Banners: true}: 1, {Addr: addr, History: true}: 2} {
			for range 2 {
				if a := lookUp(t.Context(), t, e, question)[0]; a.Status != lookup.Indexed || len(a.Host.Banners) != banners {
					t.Errorf("%+v: %s with %d banners, want %d", question, a.Status, len(a.Host.Banners), banners)
				}
			}
		}
		if sim.Count("") != 2 {
			t.Errorf("%d requests, want one for each kind", sim.Count(""))
		}
	})
}

func TestAnAnswerThatIsPaidForAndCannotBeReadIsNotPaidForAgainAndAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Status: 200, Body: `{"matches": [{"ip_`})
		e := start(t, withKey(sim))
		if _, err := lookup.Request(t.Context(), e, shodan.Search("port:22", 1)); !shodan.IsKind(err, shodan.Unavailable) {
			t.Errorf("%v", err)
		}
		if got := e.Spent(); got != (lookup.Spending{Requests: 2, Credits: 2}) || sim.Credits(shodantest.Key) != 10_000-2 {
			t.Errorf("%+v, and the service counts %d credits left", got, sim.Credits(shodantest.Key))
		}
	})
}

func TestManyWhoAskTheSameMakeOneRequestHoweverFewMayAskAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		cfg := withKey(sim)
		cfg.MaxConcurrency = 2
		e := start(t, cfg)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := lookup.Request(t.Context(), e, shodan.Search("port:22", 1)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if sim.Count("") != 1 {
			t.Errorf("%d requests", sim.Count(""))
		}
	})
}

func TestTheSameAnswerMayBeReadInTwoWays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		e := start(t, withKey(sim))
		text := shodan.Call[string]{What: "the list of ports", Path: ports().Path, Query: ports().Query, Read: func(body []byte) (string, error) { return string(body), nil }}
		var wg sync.WaitGroup
		wg.Go(func() {
			if reply, err := lookup.Request(t.Context(), e, text); err != nil || !strings.HasPrefix(reply.Value, "[") {
				t.Errorf("%+v, %v", reply, err)
			}
		})
		if reply, err := lookup.Request(t.Context(), e, ports()); err != nil || len(reply.Value) == 0 {
			t.Errorf("%+v, %v", reply, err)
		}
		wg.Wait()
	})
}

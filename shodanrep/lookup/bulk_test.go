package lookup_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// unknown are n addresses of which the simulator knows nothing.
func unknown(n int) []netip.Addr {
	addrs := make([]netip.Addr, n)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{12, 0, byte(i >> 8), byte(i)})
	}
	return addrs
}

// bulk is a configuration for the REST API that does not wait for its pace.
func bulk(sim *shodantest.Simulator) lookup.Config {
	cfg := withKey(sim)
	cfg.Source = lookup.Shodan
	cfg.RequestsPerSecond = 1000
	return cfg
}

// endpoints counts the REST API's requests for one address and for many.
func endpoints(sim *shodantest.Simulator) (single, many int) {
	for _, r := range sim.Requests() {
		switch r.Endpoint {
		case shodantest.EndpointHost:
			single++
		case shodantest.EndpointHosts:
			many++
		}
	}
	return single, many
}

func TestAddressesMissingFromABulkAnswerAreNotIndexed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
		e := start(t, bulk(sim))
		list := append(questions(unknown(60)), questions(sim.Generate(140))...)
		slices.Reverse(list[30:160])
		for i, a := range lookUp(t.Context(), t, e, list...) {
			known := list[i].Addr.As4()[0] == 11
			switch {
			case known && (a.Status != lookup.Indexed || a.Host.Addr != list[i].Addr), !known && a.Status != lookup.NotIndexed:
				t.Errorf("%v: %+v", list[i].Addr, a)
			case a.Source != lookup.Shodan || a.CheckedAt.IsZero():
				t.Errorf("%v: %+v, want who was asked, and when", list[i].Addr, a)
			}
		}
		if single, many := endpoints(sim); single != 0 || many != 2 {
			t.Errorf("%d single and %d bulk requests, want 2 bulk ones", single, many)
		}
	})
}

func TestBulkLookupsAreAsConfigured(t *testing.T) {
	for _, test := range []struct {
		bulkLookup, plan string
		single, many     int
		status           lookup.Status
	}{
		{"auto", "corp", 0, 3, lookup.Indexed},
		{"auto", "dev", 250, 1, lookup.Indexed},
		{"on", "corp", 0, 3, lookup.Indexed},
		{"on", "dev", 0, 3, lookup.Failed},
		{"off", "corp", 250, 0, lookup.Indexed},
		{"off", "dev", 250, 0, lookup.Indexed},
	} {
		t.Run(fmt.Sprintf("%s with plan %s", test.bulkLookup, test.plan), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithPlan(test.plan))
				cfg := bulk(sim)
				cfg.BulkLookup = test.bulkLookup
				got := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(250))...)
				if n := tally(got)[test.status]; n != 250 {
					t.Errorf("%v, want all %s; the first: %+v", tally(got), test.status, got[0])
				}
				if test.status == lookup.Failed && !strings.Contains(got[0].Error, `bulk_lookup is "on"`) {
					t.Errorf("the error does not say what to do: %s", got[0].Error)
				}
				if single, many := endpoints(sim); single != test.single || many != test.many {
					t.Errorf("%d single and %d bulk requests, want %d and %d", single, many, test.single, test.many)
				}
			})
		})
	}
}

func TestABulkRefusalIsRememberedForAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("dev"))
		e := start(t, bulk(sim))
		addrs := sim.Generate(30)
		for i, step := range []struct {
			wait time.Duration
			many int // bulk requests so far
		}{{0, 1}, {59 * time.Minute, 1}, {2 * time.Minute, 2}} {
			time.Sleep(step.wait)
			lookUp(t.Context(), t, e, questions(addrs[10*i:10*i+10])...)
			if _, many := endpoints(sim); many != step.many {
				t.Errorf("after look-up %d there were %d bulk requests, want %d", i+1, many, step.many)
			}
		}
	})
}

func TestWhateverABulkLookupIsRefusedWithTheAddressesAreAskedSingly(t *testing.T) {
	faults := map[string]shodantest.Fault{
		"403 of a lesser plan":     {Status: 403, Body: shodantest.BodyPlanTooLow},
		"an upgrade to be made":    {Status: 400, Body: shodantest.BodyUpgradePlan},
		"an upgrade under 200":     {Status: 200, Body: shodantest.BodyUpgradePlan},
		"404, the IP is invalid":   {Status: 404, Body: `{"error": "Invalid IP"}`},
		"404, nothing is indexed":  {Status: 404, Body: `{"error": "No information available for that IP."}`},
		"one host, not a list":     {Status: 200, Body: `{"ip_str": "11.0.0.1", "ports": [1], "data": []}`},
		"a list, of other hosts":   {Status: 200, Body: `[{"ip_str": "8.8.8.8", "ports": [1], "data": []}]`},
		"a list, not of addresses": {Status: 200, Body: `[{"ports": [1], "data": []}]`},
	}
	for i, body := range shodantest.OddBodies {
		if body != `[]` { // which says that none of them is indexed
			faults[fmt.Sprintf("odd body %d", i)] = shodantest.Fault{Status: 200, Body: body}
		}
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
				fault.Endpoint = shodantest.EndpointHosts
				sim.Fault(fault)
				list := questions(sim.Generate(120))
				got := lookUp(t.Context(), t, start(t, bulk(sim)), list...)
				if tally(got)[lookup.Indexed] != 120 {
					t.Errorf("%v; the first: %+v", tally(got), got[0])
				}
				if _, many := endpoints(sim); many > 6 {
					t.Errorf("%d bulk requests, want no more when it is known that they are refused", many)
				}
			})
		})
	}
}

func TestOnceBulkLookupsHaveWorkedOneOddAnswerCostsOnlyItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
		e := start(t, bulk(sim))
		addrs := sim.Generate(500)
		lookUp(t.Context(), t, e, questions(addrs[:100])...)
		// Something about one host makes every bulk answer with it unreadable.
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointHosts, Target: addrs[250].String(), Body: `[{"odd": 1}]`})
		got := lookUp(t.Context(), t, e, questions(addrs[100:])...)
		if tally(got)[lookup.Indexed] != 400 {
			t.Errorf("%v", tally(got))
		}
		if single, many := endpoints(sim); single != 50 || many > 10 {
			t.Errorf("%d single and %d bulk requests, want 50 for the half with the odd one in it, and one for each other slice", single, many)
		}
	})
}

func TestOnceBulkLookupsHaveWorkedNothingFoundIsNoRefusal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
		e := start(t, bulk(sim))
		lookUp(t.Context(), t, e, questions(sim.Generate(10))...)
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointHosts, Status: 404, Body: `{"error": "No information available for that IP."}`})
		got := lookUp(t.Context(), t, e, questions(unknown(100))...)
		if tally(got)[lookup.NotIndexed] != 100 {
			t.Errorf("%v; the first: %+v", tally(got), got[0])
		}
	})
}

func TestABulkLookupThatFailsForAMomentIsTriedAgainAsOne(t *testing.T) {
	for name, fault := range map[string]shodantest.Fault{
		"502":         {Status: 502, Body: shodantest.BodyPage(502)},
		"challenge":   {Status: 403, Body: shodantest.BodyChallenge},
		"rate limit":  {Status: 429, Body: shodantest.BodyRateLimited},
		"timed out":   {Status: 200, Body: shodantest.BodyQueryRefused},
		"cut":         {Kind: shodantest.Truncated},
		"broken off":  {Kind: shodantest.BrokenOff},
		"not a byte":  {Kind: shodantest.Dropped},
		"an odd body": {Body: `null`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
				fault.Times = 2
				sim.Fault(fault)
				got := lookUp(t.Context(), t, start(t, bulk(sim)), questions(sim.Generate(100))...)
				if tally(got)[lookup.Indexed] != 100 {
					t.Errorf("%v; the first: %+v", tally(got), got[0])
				}
				if single, many := endpoints(sim); single != 0 || many != 3 {
					t.Errorf("%d single and %d bulk requests, want 3 bulk ones", single, many)
				}
			})
		})
	}
}

// recorder notes the addresses that were asked for, without their hosts.
type recorder struct {
	http.RoundTripper
	mu   sync.Mutex
	urls []string
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.urls = append(r.urls, req.URL.RequestURI())
	r.mu.Unlock()
	return r.RoundTripper.RoundTrip(req)
}

func TestBannersAreAskedForOnlyWhereNeeded(t *testing.T) {
	for _, test := range []struct {
		banners bool
		many    int // addresses
	}{{false, 1}, {true, 1}, {false, 3}, {true, 3}} {
		t.Run(fmt.Sprintf("banners %v, %d addresses", test.banners, test.many), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
				cfg := bulk(sim)
				recorder := &recorder{RoundTripper: cfg.Transport}
				cfg.Transport = recorder
				list := questions(sim.Generate(test.many))
				for i := range list {
					list[i].Banners = test.banners
				}
				for _, a := range lookUp(t.Context(), t, start(t, cfg), list...) {
					if a.Status != lookup.Indexed || len(a.Host.Banners) > 0 != test.banners {
						t.Errorf("%s with %d banners", a.Status, len(a.Host.Banners))
					}
				}
				if len(recorder.urls) != 1 || strings.Contains(recorder.urls[0], "minify=true") == test.banners {
					t.Errorf("asked for %v", recorder.urls)
				}
			})
		})
	}
}

func TestASummaryIsTakenFromAKeptAnswerWithBanners(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		e := start(t, bulk(sim))
		addr := sim.Generate(1)[0]
		lookUp(t.Context(), t, e, lookup.Question{Addr: addr, Banners: true})
		lookUp(t.Context(), t, e, lookup.Question{Addr: addr})
		if n := sim.Count(""); n != 1 {
			t.Errorf("%d requests, want 1: the whole answer has the summary too", n)
		}
		other := lookup.Question{Addr: sim.Generate(2)[1]}
		lookUp(t.Context(), t, e, other)
		other.Banners = true
		if a := lookUp(t.Context(), t, e, other)[0]; len(a.Host.Banners) == 0 || sim.Count("") != 3 {
			t.Errorf("%d banners, %d requests: a summary has no banners", len(a.Host.Banners), sim.Count(""))
		}
	})
}

func TestABulkLookupThatFailsIsSplit(t *testing.T) {
	for name, fault := range map[string]shodantest.Fault{
		"reset":           {Kind: shodantest.Dropped},
		"time-out":        {Kind: shodantest.Hang},
		"502":             {Status: 502, Body: shodantest.BodyPage(502)},
		"500 with JSON":   {Status: 500, Body: `{"error": "Internal Server Error"}`},
		"503":             {Status: 503},
		"redirect":        {Status: 302, Header: http.Header{"Location": {"https://example.com/"}}},
		"no content":      {Status: 204},
		"HTML":            {Body: shodantest.BodyPage(200)},
		"challenge":       {Status: 403, Body: shodantest.BodyChallenge},
		"truncated":       {Kind: shodantest.Truncated},
		"broken off":      {Kind: shodantest.BrokenOff},
		"an empty answer": {},
	} {
		for _, mode := range []string{"auto", "on"} {
			for before, known := range map[string]bool{"first": false, "after one that worked": true} {
				t.Run(name+", "+mode+", "+before, func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
						cfg := bulk(sim)
						cfg.BulkLookup = mode
						e := start(t, cfg)
						addrs := sim.Generate(140)
						if known {
							lookUp(t.Context(), t, e, questions(addrs[100:])...)
						}
						onBulk := fault // the other subtests run at the same time
						onBulk.Endpoint = shodantest.EndpointHosts
						sim.Fault(onBulk)
						began, asked := time.Now(), sim.Count("")
						got := lookUp(t.Context(), t, e, questions(addrs[:100])...)
						if tally(got)[lookup.Indexed] != 100 {
							t.Errorf("%v; the first: %+v", tally(got), got[0])
						}
						if single, many := endpoints(sim); single != 100 || many > 6 || sim.Count("")-asked > 105 {
							t.Errorf("%d single and %d bulk requests, want 100 single ones after three in bulk and two halves", single, many)
						}
						if took := time.Since(began); took > 2*time.Minute {
							t.Errorf("it took %v", took)
						}
					})
				})
			}
		}
	}
}

func TestAHalfThatWorksIsNotSplitFurther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
		cfg := bulk(sim)
		cfg.BulkLookup = "on"
		// The first bulk request fails with all its tries; so it is not yet known whether they work.
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointHosts, Kind: shodantest.Truncated, Times: 3})
		if got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(100))...)); got[lookup.Indexed] != 100 {
			t.Errorf("%v", got)
		}
		if single, many := endpoints(sim); single != 0 || many != 5 {
			t.Errorf("%d single and %d bulk requests, want three and two halves", single, many)
		}
	})
}

func TestWhereNothingWorksTheErrorSaysWhatHappened(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
		sim.Fault(shodantest.Fault{Status: 502})
		cfg := bulk(sim)
		cfg.BulkLookup = "on"
		for _, a := range lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(100))...) {
			if a.Status != lookup.Failed || a.Source != lookup.Shodan || !strings.Contains(a.Error, "Shodan sent no usable response (HTTP 502: Bad Gateway)") {
				t.Fatalf("%+v", a)
			}
		}
		// An address is in six requests at most, and a service that is down is left alone after 20 lookups.
		asked := map[string]int{}
		for _, r := range sim.Requests() {
			for addr := range strings.SplitSeq(r.Target, ",") {
				asked[addr]++
			}
		}
		for addr, n := range asked {
			if n > 6 {
				t.Errorf("%s was in %d requests", addr, n)
			}
		}
		if n := sim.Count(""); n > 5+2*(20+cfg.MaxConcurrency) {
			t.Errorf("%d requests", n)
		}
	})
}

func TestTheTimeAllowedGrowsWithTheAddresses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("corp"), shodantest.WithLatency(3*time.Second))
		cfg := bulk(sim)
		cfg.Timeout = time.Second
		list := questions(sim.Generate(101))
		e := start(t, cfg)
		if a := lookUp(t.Context(), t, e, list[100])[0]; a.Status != lookup.Failed || !strings.Contains(a.Error, "no response within 1s") {
			t.Errorf("%+v", a)
		}
		if got := tally(lookUp(t.Context(), t, e, list[:100]...)); got[lookup.Indexed] != 100 {
			t.Errorf("%v", got)
		}
	})
}

func TestABulkRefusalSaysInWhichWords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("dev"))
		cfg := bulk(sim)
		cfg.BulkLookup = "on"
		if a := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(2))...)[0]; a.Status != lookup.Failed || !strings.Contains(a.Error, "HTTP 403") {
			t.Errorf("%+v", a)
		}
	})
}

package lookup_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// badDays are faults that pass.
var badDays = map[string]shodantest.Fault{
	"502":             {Status: 502, Body: shodantest.BodyPage(502)},
	"520":             {Status: 520, Body: shodantest.BodyPage(520)},
	"503":             {Status: 503},
	"500":             {Status: 500, Body: `{"error": "Internal Server Error"}`},
	"challenge":       {Status: 403, Body: shodantest.BodyChallenge},
	"timed out":       {Status: 200, Body: shodantest.BodyQueryRefused},
	"an empty answer": {Status: 200},
	"an odd answer":   {Status: 200, Body: `{"detail": {"loc": []}}`},
	"cut":             {Kind: shodantest.Truncated},
	"broken off":      {Kind: shodantest.BrokenOff},
	"not a byte":      {Kind: shodantest.Dropped},
}

func TestFaultsThatPassAreTriedAgain(t *testing.T) {
	for _, source := range []lookup.Source{lookup.Shodan, lookup.InternetDB} {
		for name, fault := range badDays {
			t.Run(fmt.Sprintf("%s, %s", source, name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler()
					fault.Times = 4
					sim.Fault(fault)
					cfg := withKey(sim)
					cfg.Source = source
					if a := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(1))...)[0]; a.Status != lookup.Indexed {
						t.Errorf("%+v", a)
					}
					if n := sim.Count(""); n != 5 {
						t.Errorf("%d requests, want 5", n)
					}
				})
			})
		}
	}
}

func TestAFifthOfAllRequestsMayFail(t *testing.T) {
	for name, fault := range badDays {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				fault.Probability, fault.Seed = 0.2, 1
				sim.Fault(fault)
				cfg := config(sim)
				cfg.InternetDBRequestsPerSecond = 100
				if got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(300))...)); got[lookup.Indexed] != 300 {
					t.Errorf("%v", got)
				}
			})
		})
	}
}

func TestAFaultThatDoesNotPassIsAnErrorThatSaysWhat(t *testing.T) {
	for name, test := range map[string]struct {
		fault shodantest.Fault
		want  string
		tries int
	}{
		"502":           {badDays["502"], "Shodan sent no usable response (HTTP 502: Bad Gateway)", 6},
		"challenge":     {badDays["challenge"], "Shodan sent no usable response (HTTP 403: Forbidden)", 6},
		"a search":      {badDays["timed out"], "Shodan sent no usable response (HTTP 200: The search request timed out or your query was invalid.)", 6},
		"a bad query":   {shodantest.Fault{Status: 400, Body: shodantest.BodyQueryRefused}, "HTTP 400: The search request timed out or your query was invalid.", 2},
		"a bad request": {shodantest.Fault{Status: 414, Body: shodantest.BodyPage(414)}, "Shodan refused the request (HTTP 414: Request URI Too Long)", 1},
		"cut":           {badDays["cut"], "Shodan sent no usable response (HTTP 200: the response is not complete JSON", 6},
		"no answer":     {shodantest.Fault{Kind: shodantest.Hang}, "Shodan sent no usable response (no response within 10s)", 1},
		"invalid":       {shodantest.Fault{Status: 404, Body: `{"error": "Invalid IP"}`}, "Shodan refused the request (HTTP 404: Invalid IP)", 1},
		"another's":     {shodantest.Fault{Body: `{"ip_str": "9.9.9.9", "ports": [53], "data": []}`}, "the response is for 9.9.9.9, not for 11.0.0.1", 6},
		"not even JSON": {shodantest.Fault{Body: "<html>hello</html>"}, "the response is not a JSON object", 6},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				sim.Fault(test.fault)
				cfg := withKey(sim)
				cfg.RequestsPerSecond = 100
				a := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(1))...)[0]
				if a.Status != lookup.Failed || !strings.Contains(a.Error, test.want) || a.Source != lookup.Shodan || a.Host != nil {
					t.Errorf("%+v, want %q", a, test.want)
				}
				if strings.Contains(a.Error, "<") || strings.Contains(a.Error, shodantest.Key) {
					t.Errorf("the error has HTML or the key in it: %s", a.Error)
				}
				if n := sim.Count(""); n != test.tries {
					t.Errorf("%d requests, want %d", n, test.tries)
				}
			})
		})
	}
}

func TestTheTimeoutBoundsALookUpWithAllItsTries(t *testing.T) {
	for name, fault := range map[string]shodantest.Fault{"no answer": {Kind: shodantest.Hang}, "slow errors": {Status: 502}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithLatency(1800 * time.Millisecond))
				sim.Fault(fault)
				cfg := config(sim)
				cfg.Timeout = 5 * time.Second
				began := time.Now()
				a := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(1))...)[0]
				if took := time.Since(began); a.Status != lookup.Failed || took > 5*time.Second {
					t.Errorf("%+v after %v", a, took)
				}
			})
		})
	}
}

func TestTheTimeoutIsNotForTheWaitForATurn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(500 * time.Millisecond))
		cfg := withKey(sim)
		cfg.Source, cfg.Timeout, cfg.BulkLookup = lookup.Shodan, time.Second, "off"
		if got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(100))...)); got[lookup.Indexed] != 100 {
			t.Errorf("%v", got)
		}
	})
}

func TestAServiceThatIsDownIsLeftAloneAndTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Status: 502})
		cfg := config(sim)
		cfg.MaxConcurrency = 10
		e := start(t, cfg)
		addrs := sim.Generate(1000)
		began := time.Now()
		got := lookUp(t.Context(), t, e, questions(addrs)...)
		if tally(got)[lookup.Failed] != 1000 {
			t.Errorf("%v", tally(got))
		}
		// 20 look-ups in a row have to fail, and those under way when the last of them does go on: 10 at most.
		if n := sim.Count(""); n < 20*6 || n > 30*6 {
			t.Errorf("%d requests", n)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
		if last := got[999].Error; !strings.HasPrefix(last, "not requested: the last 2") || !strings.Contains(last, "HTTP 502") || !strings.Contains(last, "requests to InternetDB resume at 2000-01-01T00:00:") {
			t.Errorf("the row does not say why it was not asked, and until when: %s", last)
		}

		asked := sim.Count("")
		sim.ClearFaults()
		lookUp(t.Context(), t, e, questions(addrs[:10])...)
		if n := sim.Count("") - asked; n > 0 {
			t.Errorf("%d requests though the service was just down", n)
		}
		time.Sleep(11 * time.Second)
		if got := tally(lookUp(t.Context(), t, e, questions(addrs[:100])...)); got[lookup.Indexed] != 100 {
			t.Errorf("after it is back: %v", got)
		}
	})
}

func TestARefusedQueryDoesNotMakeAServiceDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := matching(100)
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Status: 400, Body: shodantest.BodyQueryRefused})
		e := start(t, withKey(sim))
		for i := range 30 {
			for _, err := range e.Search(t.Context(), fmt.Sprintf("port:80 %d", i), 10, 100) {
				if err == nil || !strings.Contains(err.Error(), "check the query") {
					t.Fatal(err)
				}
			}
		}
		if n := asked(sim, shodantest.EndpointSearch); n != 60 {
			t.Errorf("%d requests for 30 queries that are refused, want two for each", n)
		}
		if got := lookUp(t.Context(), t, e, questions(sim.Generate(1))...)[0]; got.Status != lookup.Indexed {
			t.Errorf("a lookup after them: %+v", got)
		}
	})
}

func TestOneServiceThatIsDownIsNotTheOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Service: shodantest.InternetDB, Status: 502})
		e := start(t, withKey(sim))
		addrs := sim.Generate(300)
		lookUp(t.Context(), t, e, questions(addrs)...) // more than api_lookup_limit
		if got := lookUp(t.Context(), t, e, questions(addrs[:1])...)[0]; got.Status != lookup.Indexed {
			t.Errorf("%+v", got)
		}
	})
}

// Hosts that always fail are tried for longest, so they end one after the other when all others have their responses.
func TestHostsThatAlwaysFailDoNotMakeAServiceDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		addrs := sim.Generate(600)
		for i := 0; i < len(addrs); i += 10 {
			sim.Fault(shodantest.Fault{Target: addrs[i].String(), Status: 502})
		}
		cfg := config(sim)
		cfg.InternetDBRequestsPerSecond = 1000
		e := start(t, cfg)
		for part := range slices.Chunk(addrs, 300) { // a query looks its addresses up in parts
			if got := tally(lookUp(t.Context(), t, e, questions(part)...)); got[lookup.Failed] != 30 || got[lookup.Indexed] != 270 {
				t.Errorf("%v, want 30 that failed", got)
			}
		}
	})
}

func TestAnswersBetweenFaultsKeepAServiceUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		addrs := sim.Generate(200)
		for i := range addrs {
			if i%2 == 0 {
				sim.Fault(shodantest.Fault{Target: addrs[i].String(), Status: 502})
			}
		}
		cfg := config(sim)
		cfg.MaxConcurrency = 4
		if got := tally(lookUp(t.Context(), t, start(t, cfg), questions(addrs)...)); got[lookup.Indexed] != 100 {
			t.Errorf("%v: half of the look-ups can be answered", got)
		}
	})
}

// TestAServiceThatBlocksTheClientIsLeftAlone counts the requests of a list to a service that refuses each with a page.
func TestAServiceThatBlocksTheClientIsLeftAlone(t *testing.T) {
	for _, source := range []lookup.Source{lookup.Shodan, lookup.InternetDB} {
		t.Run(string(source), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithPlan("dev"))
				sim.Fault(shodantest.Fault{Status: 403, Body: shodantest.BodyChallenge})
				e := start(t, withKey(sim))
				b := e.Batch(t.Context(), 200)
				var questions []lookup.Question
				for _, addr := range sim.Generate(200) {
					questions = append(questions, lookup.Question{Addr: addr, Source: source})
				}
				b.Add(questions...)
				for _, a := range answers(t.Context(), t, b, questions...) {
					if a.Status != lookup.Failed || !strings.Contains(a.Error, "403") && !strings.Contains(a.Error, "refuses requests from here") {
						t.Errorf("%s: %s", a.Status, a.Error)
					}
				}
				if n := len(sim.Requests()); n > 60 { // 20 in a row, what is under way then, and one after each pause
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

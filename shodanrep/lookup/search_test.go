package lookup_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// matching is a simulator with so many hosts that port:80 finds, one banner each.
func matching(n int, opts ...shodantest.Option) *shodantest.Simulator {
	sim := shodantest.NewHandler(opts...)
	for i := range n {
		sim.AddHost(shodantest.Host{IP: fmt.Sprintf("11.0.%d.%d", i/256, i%256), Ports: []int{80}})
	}
	return sim
}

// search returns how many banners a search finds, all of them different, and its error.
func search(ctx context.Context, t *testing.T, e *lookup.Engine, limit, most int64) (int, error) {
	t.Helper()
	seen := map[netip.Addr]bool{}
	for page, err := range e.Search(ctx, "port:80", limit, most) {
		if err != nil {
			return len(seen), err
		}
		for _, b := range page.Banners {
			if seen[b.Addr] {
				t.Errorf("%v comes twice", b.Addr)
			}
			seen[b.Addr] = true
		}
	}
	return len(seen), nil
}

// page is an answer with one banner for each address.
func page(total int, addrs ...string) string {
	matches := make([]string, len(addrs))
	for i, addr := range addrs {
		matches[i] = fmt.Sprintf(`{"ip_str": %q, "port": 80, "transport": "tcp", "timestamp": "2026-01-01T00:00:00"}`, addr)
	}
	return fmt.Sprintf(`{"matches": [%s], "total": %d}`, strings.Join(matches, ","), total)
}

func TestASearchAsksForNoMorePagesThanItsRowsNeed(t *testing.T) {
	for _, test := range []struct {
		name           string
		hosts          int
		limit, most    int64
		want           int
		counts, search int // requests
	}{
		{"all of them, counted first", 250, lookup.AllRows, 1000, 250, 1, 3},
		{"all of no more than a page", 100, lookup.AllRows, 1000, 100, 1, 1},
		{"none, by the count, which is free", 0, lookup.AllRows, 1000, 0, 1, 0},
		{"none, by a page, as the limit needs no count", 0, 20, 1000, 0, 0, 1},
		{"a limit within a page", 250, 20, 1000, 100, 0, 1},
		{"a limit of a page", 250, 100, 1000, 100, 0, 1},
		{"a limit beyond a page", 250, 101, 1000, 200, 0, 2},
		{"a limit beyond all", 250, 900, 1000, 250, 0, 3},
		{"a limit of more than are allowed, where there are fewer", 250, 5000, 300, 250, 1, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := matching(test.hosts)
				e := start(t, withKey(sim))
				n, err := search(t.Context(), t, e, test.limit, test.most)
				if err != nil || n != test.want {
					t.Errorf("%d banners, %v; want %d", n, err, test.want)
				}
				if counts, searches := asked(sim, shodantest.EndpointCount), asked(sim, shodantest.EndpointSearch); counts != test.counts || searches != test.search {
					t.Errorf("%d counts and %d pages, want %d and %d", counts, searches, test.counts, test.search)
				}
				if left := sim.Credits(shodantest.Key); left != 10_000-test.search {
					t.Errorf("%d credits are left after %d pages", left, test.search)
				}
			})
		})
	}
}

// asked is how many requests an endpoint had.
func asked(sim *shodantest.Simulator, endpoint string) int {
	return len(slices.DeleteFunc(sim.Requests(), func(r shodantest.Request) bool { return r.Endpoint != endpoint }))
}

func TestPagesThatAreNeededAreAskedForSideBySide(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := matching(1700, shodantest.WithLatency(10*time.Second))
		cfg := withKey(sim)
		cfg.RequestsPerSecond, cfg.Timeout = 1000, time.Minute
		began := time.Now()
		if n, err := search(t.Context(), t, start(t, cfg), 1700, 1700); err != nil || n != 1700 {
			t.Errorf("%d banners, %v", n, err)
		}
		// The first alone, since it says how many there are, and then 16 in groups of 8.
		if took := time.Since(began); took > 35*time.Second || sim.MaxInFlight() != 8 {
			t.Errorf("it took %v, with %d requests at once", took, sim.MaxInFlight())
		}
	})
}

func TestASearchThatWouldCostTooMuchCostsNothing(t *testing.T) {
	for limit, want := range map[int64]string{
		lookup.AllRows: "searching for port:80 would bring 250 banners, more than search_limit = 100",
		120:            "searching for port:80 would bring 120 banners, more than search_limit = 100",
	} {
		t.Run(want, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := matching(250)
				n, err := search(t.Context(), t, start(t, withKey(sim)), limit, 100)
				if err == nil || !strings.Contains(err.Error(), want) || n != 0 || sim.Credits(shodantest.Key) != 10_000 {
					t.Errorf("limit %d: %d banners, %v, %d credits left", limit, n, err, sim.Credits(shodantest.Key))
				}
			})
		})
	}
}

func TestPagesThatMove(t *testing.T) {
	many := func(from, to int) (addrs []string) {
		for i := from; i < to; i++ {
			addrs = append(addrs, fmt.Sprintf("11.0.1.%d", i))
		}
		return addrs
	}
	for _, test := range []struct {
		name  string
		limit int64
		pages []string
		want  int
		err   string
	}{
		{"and have banners again", lookup.AllRows, []string{page(150, many(0, 100)...), page(150, many(90, 150)...)}, 150, ""},
		{"and have fewer than a hundred, before the last", lookup.AllRows, []string{page(150, many(0, 97)...), page(150, many(100, 150)...)}, 147, ""},
		{"and are asked for further where a limit is not reached", 100, []string{page(150, many(0, 97)...), page(150, many(100, 150)...)}, 147, ""},
		{"and end with an empty one", lookup.AllRows, []string{page(250, many(0, 97)...), page(250)}, 97, ""},
		{"and grow beyond what is allowed", lookup.AllRows, []string{page(250, many(0, 100)...), page(1250, many(100, 200)...)}, 100, "more than search_limit = 1000"},
		{"and are the same again and again", 150, []string{page(9000, many(0, 100)...)}, 100, "searching for port:80 failed: Shodan sent no usable response (5 pages had only 100 of 150 banners)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := matching(1) // so that the count is not 0
				for i, body := range test.pages {
					f := shodantest.Fault{Endpoint: shodantest.EndpointSearch, Times: 1, Body: body}
					if i == len(test.pages)-1 {
						f.Times = 0
					}
					sim.Fault(f)
				}
				n, err := search(t.Context(), t, start(t, withKey(sim)), test.limit, 1000)
				if n != test.want || test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
					t.Errorf("%d banners, %v; want %d, %q", n, err, test.want, test.err)
				}
			})
		})
	}
}

func TestAPageThatFailsFailsTheSearch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := matching(250)
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Skip: 2, Status: 502, Body: shodantest.BodyPage(502)})
		n, err := search(t.Context(), t, start(t, withKey(sim)), lookup.AllRows, 1000)
		if err == nil || !strings.Contains(err.Error(), "searching for port:80 failed: Shodan sent no usable response (HTTP 502") || n > 200 {
			t.Errorf("%d banners, %v", n, err)
		}
	})
}

func TestASearchThatIsGivenUpAsksForNoMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := matching(600, shodantest.WithLatency(time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		if _, err := search(ctx, t, start(t, withKey(sim)), lookup.AllRows, 1000); err != context.DeadlineExceeded {
			t.Errorf("%v", err)
		}
		n := sim.Count("")
		time.Sleep(time.Minute)
		if sim.Count("") != n || n > 5 {
			t.Errorf("%d requests, and then %d", n, sim.Count(""))
		}
	})
}

// searched returns what a search of a network makes of its addresses, by their last part, and the text of an error.
func searched(t *testing.T, e *lookup.Engine, network string, most int64) (map[string]lookup.Answer, string) {
	t.Helper()
	prefix := netip.MustParsePrefix(network)
	answer, err := e.SearchNetwork(t.Context(), prefix, most)
	if err != nil {
		return nil, err.Error()
	}
	answers := map[string]lookup.Answer{}
	for addr := prefix.Addr(); prefix.Contains(addr); addr = addr.Next() {
		answers[addr.String()] = answer(addr)
	}
	return answers, ""
}

func TestASearchOfANetworkAnswersForAllItsAddresses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.AddHost(shodantest.Host{IP: "11.0.0.1", Ports: []int{22, 443}, Vulns: []string{"CVE-2024-6387"}, Tags: []string{"vpn"}})
		sim.AddHost(shodantest.Host{IP: "11.0.0.5", Ports: []int{80}}) // outside
		answers, failure := searched(t, start(t, withKey(sim)), "11.0.0.0/30", 1000)
		if failure != "" || len(answers) != 4 {
			t.Fatal(answers, failure)
		}
		for addr, a := range answers {
			want := lookup.NotIndexed
			if addr == "11.0.0.1" {
				want = lookup.Indexed
			}
			if a.Status != want || a.Source != lookup.Shodan || a.CheckedAt.IsZero() || (a.Host == nil) != (want != lookup.Indexed) {
				t.Errorf("%s: %+v, want %s", addr, a, want)
			}
		}
		if h := answers["11.0.0.1"].Host; h == nil || !slices.Equal(h.Ports, []int{22, 443}) || len(h.Vulns) != 1 || !slices.Equal(h.Tags, []string{"vpn"}) {
			t.Errorf("%+v", h)
		}
		if sim.Credits(shodantest.Key) != 10_000-1 || sim.Count("") != 2 {
			t.Errorf("%d credits left after %d requests", sim.Credits(shodantest.Key), sim.Count(""))
		}
	})
}

func TestASearchOfANetworkThatIsNotWholeClearsNobody(t *testing.T) {
	for name, test := range map[string]struct {
		fault shodantest.Fault
		want  string // of the addresses without a banner
		all   bool   // of the others too
	}{
		"fewer banners than it counts":   {shodantest.Fault{Body: page(3, "11.0.0.1", "11.0.0.2")}, "gave 2 of the 3 banners that it counts, and this address may have one of the others", false},
		"none, though it counts some":    {shodantest.Fault{Body: page(3)}, "gave 0 of the 3 banners", true},
		"a banner of somebody else":      {shodantest.Fault{Body: page(2, "11.0.0.1", "11.9.9.9")}, "the response has a banner of 11.9.9.9, which was not searched for", true},
		"a banner of nobody":             {shodantest.Fault{Body: page(2, "11.0.0.1", "")}, "which was not searched for", true},
		"no answer":                      {shodantest.Fault{Status: 502, Body: shodantest.BodyPage(502)}, "sent no usable response (HTTP 502", true},
		"a refusal of the query":         {shodantest.Fault{Status: 400, Body: shodantest.BodyQueryRefused}, "The search request timed out or your query was invalid.", true},
		"too many requests, all the way": {shodantest.Fault{Status: 429, Body: shodantest.BodyRateLimited}, "Shodan", true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := matching(8)
				test.fault.Endpoint = shodantest.EndpointSearch
				sim.Fault(test.fault)
				answers, failure := searched(t, start(t, withKey(sim)), "11.0.0.0/29", 1000)
				if failure != "" || len(answers) != 8 {
					t.Fatal(answers, failure)
				}
				for addr, a := range answers {
					if !test.all && (addr == "11.0.0.1" || addr == "11.0.0.2") {
						if a.Status != lookup.Indexed {
							t.Errorf("%s: %+v", addr, a)
						}
					} else if a.Status != lookup.Failed || !strings.Contains(a.Error, test.want) || a.Source != lookup.Shodan {
						t.Errorf("%s: %+v, want %q", addr, a, test.want)
					}
				}
			})
		})
	}
}

func TestASearchOfANetworkWithoutABannerCostsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := matching(8)
		answers, failure := searched(t, start(t, withKey(sim)), "11.0.9.0/29", 1000)
		if failure != "" || len(answers) != 8 {
			t.Fatal(answers, failure)
		}
		for addr, a := range answers {
			if a.Status != lookup.NotIndexed || a.Source != lookup.Shodan || a.CheckedAt.IsZero() {
				t.Errorf("%s: %+v", addr, a)
			}
		}
		if sim.Credits(shodantest.Key) != 10_000 || sim.Count("") != 1 {
			t.Errorf("%d credits left after %d requests", sim.Credits(shodantest.Key), sim.Count(""))
		}
	})
}

func TestASearchOfANetworkThatIsRefusedSaysWhatItNeeds(t *testing.T) {
	for want, test := range map[string]struct {
		opts []shodantest.Option
		key  string
		most int64
	}{
		"searching for net:11.0.0.0/24 needs a plan that allows it":                             {[]shodantest.Option{shodantest.WithPlan("oss")}, shodantest.Key, 1000},
		"searching for net:11.0.0.0/24 costs a query credit":                                    {[]shodantest.Option{shodantest.WithCredits(0)}, shodantest.Key, 1000},
		"counting net:11.0.0.0/24 failed: Shodan refused the API key":                           {nil, "WRONGkey", 1000},
		"counting net:11.0.0.0/24 needs an API key":                                             {nil, "", 1000},
		"searching for net:11.0.0.0/24 would bring 256 banners, more than search_limit = 255, ": {nil, shodantest.Key, 255},
	} {
		t.Run(want, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := matching(256, test.opts...)
				cfg := config(sim)
				cfg.APIKey = test.key
				if _, failure := searched(t, start(t, cfg), "11.0.0.0/24", test.most); !strings.HasPrefix(failure, want) || test.key != "" && strings.Contains(failure, test.key) {
					t.Errorf("%s, want %s", failure, want)
				}
			})
		})
	}
}

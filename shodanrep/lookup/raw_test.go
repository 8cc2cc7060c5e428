package lookup_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// bannersIn counts the banners of an answer's text, -1 where there is no text.
func bannersIn(t *testing.T, a lookup.Answer) int {
	t.Helper()
	if a.Host == nil || a.Host.Raw == nil {
		return -1
	}
	var host struct{ Data []any }
	if err := json.Unmarshal(a.Host.Raw, &host); err != nil {
		t.Error(err)
	}
	return len(host.Data)
}

func TestTheAnswersTextGoesOnlyToWhoAsksForIt(t *testing.T) {
	for _, kept := range []string{"memory", "off"} {
		t.Run(kept, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				sim.AddHost(shodantest.Host{IP: "11.0.0.1", Ports: []int{22, 80}, History: []map[string]any{{"port": 23, "timestamp": "2025-01-01T00:00:00.000000"}}})
				cfg := withKey(sim)
				cfg.Cache = kept
				e := start(t, cfg)
				q := lookup.Question{Addr: sim.Hosts()[0]}
				for _, test := range []struct {
					name string
					want int
					ask  func(lookup.Question) lookup.Question
				}{
					{"the summary", 0, func(q lookup.Question) lookup.Question { return q }},
					{"with banners", 2, func(q lookup.Question) lookup.Question { q.Banners = true; return q }},
					{"the history", 3, func(q lookup.Question) lookup.Question { q.History = true; return q }},
					{"InternetDB", 0, func(q lookup.Question) lookup.Question { q.Source = lookup.InternetDB; return q }},
					// A whole answer is in the cache by now, and is not what was asked for.
					{"the summary again", 0, func(q lookup.Question) lookup.Question { return q }},
				} {
					without := test.ask(q)
					with := without
					with.Raw = true
					got := lookUp(t.Context(), t, e, without, with)
					if bannersIn(t, got[0]) != -1 || bannersIn(t, got[1]) != test.want {
						t.Errorf("%s: %d and %d banners, want no text and %d", test.name, bannersIn(t, got[0]), bannersIn(t, got[1]), test.want)
					}
					synctest.Wait()
				}
			})
		})
	}
}

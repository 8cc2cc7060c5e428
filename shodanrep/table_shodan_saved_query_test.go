package shodanrep

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestSavedQueriesAreSearchedFor(t *testing.T) {
	sim := shodantest.New(t)
	s := mustConnect(t, withoutCache(sim))
	for name, test := range map[string]struct {
		search   []string
		rows     map[any]int // by the text searched for
		requests int
	}{
		"one text":                 {[]string{"nginx"}, map[any]int{"nginx": 6}, 1},
		"a text with odd letters":  {[]string{`product:"nginx" & x=1`}, map[any]int{}, 1},
		"two texts":                {[]string{"nginx", "Germany"}, map[any]int{"nginx": 6, "Germany": 5}, 2},
		"what none has":            {[]string{"nothing"}, map[any]int{}, 1},
		"what several pages have":  {[]string{":"}, map[any]int{":": 23}, 3},
		"a text and what none has": {[]string{"rdp", "nothing"}, map[any]int{"rdp": 5}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(sim.Requests())
			rows := s.mustRun(t, query{table: "shodan_saved_query", quals: map[string]*proto.QualValue{"search": texts(test.search...)}})
			found := map[any]int{}
			for _, r := range rows {
				found[r["search"]]++
				if r["sort"] != nil || r["total"] != int64(test.rows[r["search"]]) {
					t.Errorf("%v", r)
				}
			}
			asked := sim.Requests()[before:]
			if !maps.Equal(found, test.rows) || len(asked) != test.requests {
				t.Errorf("%v of %d requests, want %v of %d", found, len(asked), test.rows, test.requests)
			}
			for _, r := range asked {
				if !slices.Contains(test.search, r.Target) {
					t.Errorf("%q was searched for", r.Target)
				}
			}
		})
	}
}

func TestSavedQueriesAreSorted(t *testing.T) {
	sim := shodantest.New(t)
	s := mustConnect(t, keyed(sim))
	rows := s.mustRun(t, query{table: "shodan_saved_query", quals: map[string]*proto.QualValue{"sort": texts("votes")}, limit: 2})
	for _, r := range rows {
		if r["sort"] != "votes" || r["votes"] != int64(9) {
			t.Errorf("%v is not among those with the most votes", r)
		}
	}
	rows = s.mustRun(t, query{table: "shodan_saved_query", quals: map[string]*proto.QualValue{"sort": texts("timestamp", "votes")}, limit: 1})
	if len(rows) != 1 {
		t.Errorf("%d rows, want 1", len(rows))
	}
}

func TestSavedQueriesSayHowTheyAreAskedFor(t *testing.T) {
	s := mustConnect(t, keyed(shodantest.New(t)))
	for want, quals := range map[string]map[string]*proto.QualValue{
		`sort = "name": use "timestamp" or "votes"`:        {"sort": texts("name")},
		`sort = "": use "timestamp" or "votes"`:            {"sort": texts("")},
		"leave sort out":                                   {"sort": texts("votes"), "search": texts("nginx")},
		`search = " ": give a text`:                        {"search": texts(" ")},
		"search is compared with a value that is only kno": {"search": {}},
	} {
		if rows, err := s.run(t, query{table: "shodan_saved_query", quals: quals}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d rows, error %v, want %s", len(rows), err, want)
		}
	}
}

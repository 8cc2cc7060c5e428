package shodanrep

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestAFacetThatIsNoFilterIsARow(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Endpoint: "/shodan/host/search/filters", Body: `["net", "port"]`})
	sim.Fault(shodantest.Fault{Endpoint: "/shodan/host/search/facets", Body: `["port", "domain"]`})
	s := mustConnect(t, keyed(sim))
	var found []string
	for _, r := range s.mustRun(t, query{table: "shodan_search_filter"}) {
		found = append(found, fmt.Sprintf("%v %v %v", r["name"], r["is_filter"], r["is_facet"]))
	}
	slices.Sort(found)
	if !slices.Equal(found, []string{"domain false true", "net true false", "port true true"}) {
		t.Errorf("%v", found)
	}
}

func TestNamesAreNotListedWithoutTheFacets(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Endpoint: "/shodan/host/search/facets", Status: 403, Body: shodantest.BodyPlanTooLow})
	rows, err := mustConnect(t, keyed(sim)).run(t, query{table: "shodan_search_filter"})
	if err == nil || !strings.Contains(err.Error(), "the list of search facets needs a plan") {
		t.Errorf("%d rows, error %v", len(rows), err)
	}
}

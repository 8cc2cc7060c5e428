package shodanrep

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func facets(facet *proto.QualValue, queries ...string) query {
	s := searching("shodan_search_facet", queries...)
	s.quals["facet"] = facet
	return s
}

func number64(n int64) *proto.QualValue {
	return &proto.QualValue{Value: &proto.QualValue_Int64Value{Int64Value: n}}
}

// A facetValue is a row of the facets, but for the query.
type facetValue struct{ facet, value, count, rank, total, size, title any }

func facetValues(rows []row) map[facetValue]bool {
	got := map[facetValue]bool{}
	for _, r := range rows {
		got[facetValue{r["facet"], r["value"], r["count"], r["rank"], r["total"], r["size"], r["title"]}] = true
	}
	return got
}

func TestAFacetHasARowForEachValue(t *testing.T) {
	sim := simulate(t)
	rows := mustConnect(t, keyed(sim)).mustRun(t, facets(texts("country", "port", "vuln"), "nginx"))
	want := map[facetValue]bool{
		{"country", "US", int64(3), int64(1), int64(3), int64(10), "country US"}: true,
		{"port", "443", int64(2), int64(1), int64(3), int64(10), "port 443"}:     true,
		{"port", "80", int64(1), int64(2), int64(3), int64(10), "port 80"}:       true,
	}
	if diff := cmp.Diff(want, facetValues(rows)); diff != "" {
		t.Error(diff)
	}
	if sim.Count("") != 1 || sim.Credits(shodantest.Key) != 10_000 {
		t.Errorf("%d requests for three facets, %d credits left", sim.Count(""), sim.Credits(shodantest.Key))
	}
}

func TestFacetsOfAListOfQueriesWithASize(t *testing.T) {
	sim := simulate(t)
	search := facets(texts("port", "country"), "net:11.0.0.0/8", "port:9")
	search.quals["size"] = number64(1)
	rows := mustConnect(t, keyed(sim)).mustRun(t, search)
	for _, r := range rows {
		if r["query"] != "net:11.0.0.0/8" { // the other finds nothing
			t.Errorf("%v", r)
		}
	}
	want := map[facetValue]bool{
		{"country", "US", int64(5), int64(1), int64(5), int64(1), "country US"}: true,
		{"port", "443", int64(2), int64(1), int64(5), int64(1), "port 443"}:     true,
	}
	if diff := cmp.Diff(want, facetValues(rows)); diff != "" || sim.Count("") != 2 {
		t.Errorf("%d requests for two queries: %s", sim.Count(""), diff)
	}
}

func TestFacetsThatCannotBeAskedFor(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		facet *proto.QualValue
		size  *proto.QualValue
		want  string
	}{
		"with a size in the name":  {texts("country:5"), nil, `facet = "country:5" is no name of a facet: use one such as country`},
		"with two in one":          {texts("country,port"), nil, "is no name of a facet"},
		"of a list, of which one":  {texts("country", "Port"), nil, `facet = "Port" is no name of a facet`},
		"without a name":           {texts(""), nil, "is no name of a facet"},
		"of a name that is not":    {texts("nonesuch"), nil, "counting port:22 by nonesuch failed: Shodan sent no usable response (HTTP 400: The search request timed out or your query was invalid.)"},
		"with a size of nothing":   {texts("country"), number64(0), "size = 0: use a whole number from 1 on"},
		"with a size of less":      {texts("country"), number64(-3), "size = -3: use a whole number from 1 on"},
		"known only when it runs":  {&proto.QualValue{}, nil, "facet is compared with a value that is only known when the query runs, or with NULL (leave those out: where … is not null): write the values out"},
		"without saying which one": {nil, nil, "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			search := facets(tt.facet, "port:22")
			if search.quals["size"] = tt.size; tt.size == nil {
				delete(search.quals, "size")
			}
			if tt.facet == nil {
				delete(search.quals, "facet")
			}
			rows, err := mustConnect(t, keyed(simulate(t))).run(t, search)
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(rows) != 0 {
				t.Errorf("%d rows, error %v, want %s", len(rows), err, tt.want)
			}
		})
	}
}

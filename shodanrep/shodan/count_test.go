package shodan_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestCapturedCountsAreReadWhole(t *testing.T) {
	t.Parallel()
	if r, err := shodan.Count("nginx", nil, 0).Read(captured(t, "api", "host_count.json")); err != nil || r.Total.V != 18372973 || r.Facets != nil {
		t.Errorf("%+v, %v", r, err)
	}
	r, err := shodan.Count("nginx", []string{"country"}, 10).Read(captured(t, "api", "host_count-with_facets.json"))
	if err != nil || r.Total.V != 18372339 || len(r.Facets["country"]) != 10 {
		t.Fatalf("%+v, %v", r, err)
	}
	if first := r.Facets["country"][0]; first.Value != "US" || first.Count.V != 6513358 {
		t.Errorf("%+v", first)
	}
}

func TestACountAsksForItsFacetsAtOnce(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t, shodantest.WithCredits(0))
	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Ports: []int{443, 22}})
	sim.AddHost(shodantest.Host{IP: "192.0.2.2", Ports: []int{22}, CountryCode: "DE"})
	c := &shodan.Client{BaseURL: sim.APIURL(), Key: shodantest.Key}
	call := shodan.Count("port:22,443", []string{"country", "port"}, 1)
	if call.What != "counting port:22,443 by country, port" || call.Credits != 0 {
		t.Errorf("%+v", call)
	}
	r, _, err := shodan.Do(t.Context(), c.Get, call)
	if err != nil {
		t.Fatal(err)
	}
	count := func(n int64) shodan.Null[int64] { return shodan.Null[int64]{V: n, Valid: true} }
	want := &shodan.CountResult{Total: count(3), Facets: map[string]shodan.FacetValues{"country": {{Count: count(2), Value: "US"}}, "port": {{Count: count(2), Value: "22"}}}}
	if diff := cmp.Diff(want, r); diff != "" || sim.Count("") != 1 {
		t.Errorf("%d requests: %s", sim.Count(""), diff)
	}
}

func TestFacetValuesOfAnyType(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]shodan.Text{`"US"`: "US", `443`: "443", `true`: "true", `1.5`: "1.5", `340282366920938463463374607431768211456`: "340282366920938463463374607431768211456", `null`: "", `{}`: "", `"a\u0000b"`: "ab"} {
		r, err := shodan.Count("x", []string{"f"}, 1).Read([]byte(`{"total": 1, "facets": {"f": [{"count": 1, "value": ` + value + `}]}}`))
		if err != nil || len(r.Facets["f"]) != 1 || r.Facets["f"][0].Value != want {
			t.Errorf("%s: %+v, %v", value, r, err)
		}
	}
}

func TestWhatIsNoCountIsAnError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"matches": [], "total": null}`:                 "the response has no total",
		`{"total": "many"}`:                              "the response has no total",
		`{"total": -1}`:                                  "the response has no total",
		`{"total": 99999999999999999999}`:                "the response has no total",
		`{"total": 3}`:                                   "the response has no list of the facet country",
		`{"total": 3, "facets": null}`:                   "the response has no list of the facet country",
		`{"total": 3, "facets": {"port": []}}`:           "the response has no list of the facet country",
		`{"total": 3, "facets": {"country": {"US": 3}}}`: "the response has no list of the facet country",
		`[]`: "the response is not a JSON object",
		`{"total": 3, "facets": {"country": [{"count": 3, "value"`: "the response is not complete JSON",
		`{"total": 3, "facets": {"country": [3, null]}}`:           "",
		`{"total": 0}`: "",
		`{"total": "3", "facets": {"country": [], "port": 1}}`: "",
	} {
		_, err := shodan.Count("x", []string{"country"}, 1).Read([]byte(body))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	for _, body := range []string{
		`{"matches": []}`, `{"matches": [{"ip_str": "192.0.2.1", "port": 22}, null], "total": 2}`, `{"matches": ["192.0.2.1"], "total": 1}`, `{"matches": {}, "total": 0}`,
		`{"matches": [], "total": "many"}`, `{"matches": [], "total": -1}`, `{"matches": [], "total": 1e400}`,
	} {
		if r, err := shodan.ParseSearch([]byte(body)); err == nil {
			t.Errorf("%s is taken for %+v", body, r)
		}
	}
}

func TestBlanksAroundAQueryAreNotRequested(t *testing.T) {
	t.Parallel()
	const query = "port:443 org:\"Example  Hosting\""
	for name, values := range map[string]url.Values{
		"search": shodan.Search(" "+query+"\n", 1).Query, "count": shodan.Count(query+" ", nil, 0).Query, "exploits": shodan.FindExploits("\t"+query, 1).Query,
	} {
		if got := values.Get("query"); got != query {
			t.Errorf("%s requests %q, want %q", name, got, query)
		}
	}
}

package lookup_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

const jarm = "29d29d00029d29d00042d42d000000aabbccddeeff00112233445566778899aa"

// related is a simulator with so many hosts that have the same JARM.
func related(n int, opts ...shodantest.Option) *shodantest.Simulator {
	sim := shodantest.NewHandler(opts...)
	for i := range n {
		sim.AddHost(shodantest.Host{
			IP: fmt.Sprintf("198.51.100.%d", i), Ports: []int{443},
			Banners: []map[string]any{{"port": 443, "ssl": map[string]any{"jarm": jarm}}},
		})
	}
	return sim
}

func TestQueries(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pivot       shodan.Pivot
		value, want string
	}{
		{shodan.JARM, "29d29d", "ssl.jarm:29d29d"},
		{shodan.JA3S, "aa56", "ssl.ja3s:aa56"},
		{shodan.FingerprintSHA256, "AA56", "ssl.cert.fingerprint:AA56"},
		{shodan.ASN, "AS64496", "asn:AS64496"},
		{shodan.Organization, "Example", `org:"Example"`},
		{shodan.Organization, "Example, Inc.", `org:"Example, Inc."`},
		{shodan.SubjectCN, "www.example.com", `ssl.cert.subject.cn:"www.example.com"`},
		{shodan.SubjectCN, `x" port:22 "`, `ssl.cert.subject.cn:"x  port:22"`},
		{shodan.JARM, "29d29d port:22", `ssl.jarm:"29d29d port:22"`},
		{shodan.ASN, "AS1,AS2", `asn:"AS1,AS2"`},
		{shodan.CertSerial, "407449141326595738408186001353304769843596", "ssl.cert.serial:407449141326595738408186001353304769843596"},
		{shodan.Favicon, "-442749392", "http.favicon.hash:-442749392"},
		{shodan.HTTPHTML, "12", "http.html_hash:12"},
		{shodan.BannerHash, "-7", "hash:-7"},
		{shodan.HASSH, "5cc9", "ssh.hassh:5cc9"},
		{shodan.SSHHostKey, "16:27:ac", `"16:27:ac"`},
	} {
		if got := lookup.Query(test.pivot, test.value); got != test.want {
			t.Errorf("%s %q: %s, want %s", test.pivot, test.value, got, test.want)
		}
	}
}

func TestCanonicalASN(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"AS64496": "AS64496", "as64496": "AS64496", "64496": "AS64496", " 64496 ": "AS64496", "AS": "AS", "": "", "Example": "Example",
		"AS4294967295": "AS4294967295", "4294967296": "4294967296", "-1": "-1",
	} {
		if got := lookup.CanonicalASN(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestWhatCanBeSearched(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	data := config(sim)
	data.DataFiles = []string{download(t, "192.0.2.1")}
	for _, test := range []struct {
		name   string
		engine *lookup.Engine
		source lookup.Source
		want   string // part of the error, none if empty
	}{
		{"with a key", start(t, withKey(sim)), "", ""},
		{"with a key, by name", start(t, withKey(sim)), lookup.Shodan, ""},
		{"with files", start(t, data), "", ""},
		{"with files, by name", start(t, data), lookup.Dataset, ""},
		{"with files, but not by this name", start(t, data), lookup.Shodan, "needs an API key"},
		{"with nothing", start(t, config(sim)), "", "needs an API key whose plan allows searches, or a dataset"},
		{"InternetDB", start(t, withKey(sim)), lookup.InternetDB, "InternetDB cannot be searched"},
		{"a slip", start(t, withKey(sim)), "sohdan", "is no source"},
	} {
		err := test.engine.CheckSearch(test.source)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestRelatedHosts(t *testing.T) {
	itself := netip.MustParseAddr("198.51.100.0")
	for _, test := range []struct {
		name     string
		limit    int
		source   lookup.Source
		dataset  []string // addresses
		found    map[lookup.Source]int
		searches int
	}{
		{"are all but the address itself", 1000, "", nil, map[lookup.Source]int{lookup.Shodan: 219}, 3},
		{"are no more than asked for", 20, "", nil, map[lookup.Source]int{lookup.Shodan: 20}, 1},
		{"are on as many pages as needed", 150, "", nil, map[lookup.Source]int{lookup.Shodan: 150}, 2},
		{"are first those of the dataset", 20, "", []string{"203.0.113.1", "203.0.113.2"}, map[lookup.Source]int{lookup.Dataset: 2, lookup.Shodan: 18}, 1},
		{"are not searched for where the dataset has enough", 2, "", []string{"203.0.113.1", "203.0.113.2"}, map[lookup.Source]int{lookup.Dataset: 2}, 0},
		{"are counted once where both have them", 1000, "", []string{"198.51.100.7"}, map[lookup.Source]int{lookup.Dataset: 1, lookup.Shodan: 218}, 3},
		{"are the dataset's alone where it is named", 20, lookup.Dataset, []string{"203.0.113.1"}, map[lookup.Source]int{lookup.Dataset: 1}, 0},
		{"are not the dataset's where Shodan is named", 20, lookup.Shodan, []string{"203.0.113.1"}, map[lookup.Source]int{lookup.Shodan: 20}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := related(220)
				cfg := withKey(sim)
				if test.dataset != nil {
					cfg.DataFiles = []string{download(t, test.dataset...)}
				}
				e := start(t, cfg)
				value := jarm
				if test.dataset != nil {
					// What download writes.
					value = "29d29d"
					for i := range 220 {
						sim.AddHost(shodantest.Host{IP: fmt.Sprintf("198.51.100.%d", i), Ports: []int{443},
							Banners: []map[string]any{{"port": 443, "ssl": map[string]any{"jarm": value}}}})
					}
				}
				for range 2 { // the second time from the cache
					list, err := e.Related(t.Context(), shodan.JARM, value, itself, test.source, test.limit)
					if err != nil {
						t.Fatal(err)
					}
					found := map[lookup.Source]int{}
					for _, r := range list {
						found[r.Source]++
						if r.Banner.Addr == itself {
							t.Error("the address is related to itself")
						}
					}
					if fmt.Sprint(found) != fmt.Sprint(test.found) {
						t.Errorf("%v, want %v", found, test.found)
					}
					if n := sim.Count(""); n != test.searches {
						t.Errorf("%d requests, want %d", n, test.searches)
					}
				}
			})
		})
	}
}

func TestARefusedSearchSaysWhatItNeeds(t *testing.T) {
	for _, test := range []struct {
		name, want string
		opts       []shodantest.Option
		fault      *shodantest.Fault
	}{
		{"a plan that is too low", `needs a plan that allows searches: the API key's plan does not allow this`, []shodantest.Option{shodantest.WithPlan("oss")}, nil},
		{"no credits", "costs a query credit: the API key has no query credits left", []shodantest.Option{shodantest.WithCredits(0)}, nil},
		{"an upgrade", "needs a plan that allows searches", nil, &shodantest.Fault{Status: 400, Body: shodantest.BodyUpgradePlan}},
		{"no answer", "searching for ssl.jarm:29d29d failed: Shodan sent no usable response", nil, &shodantest.Fault{Status: 502, Body: shodantest.BodyPage(502)}},
		{"odd matches", "the response has no list of matches", nil, &shodantest.Fault{Body: `{"matches": null, "total": "many"}`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := related(1, test.opts...)
				if test.fault != nil {
					sim.Fault(*test.fault)
				}
				e := start(t, withKey(sim))
				_, err := e.Related(t.Context(), shodan.JARM, "29d29d", netip.Addr{}, "", 10)
				if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), shodantest.Key) {
					t.Errorf("%v, want %q", err, test.want)
				}
			})
		})
	}
}

func TestTheRichLookUpOfOneAddress(t *testing.T) {
	for _, test := range []struct {
		name    string
		addr    string
		source  lookup.Source
		key     bool
		dataset bool
		want    lookup.Source
		status  lookup.Status
	}{
		{"is in the dataset, where that has it", "203.0.113.1", "", true, true, lookup.Dataset, lookup.Indexed},
		{"is on the REST API, where the dataset does not have it", "11.0.0.1", "", true, true, lookup.Shodan, lookup.Indexed},
		{"is on the REST API, whatever the list's limit", "11.0.0.1", "", true, false, lookup.Shodan, lookup.Indexed},
		{"ends with the dataset, where there is no key", "11.0.0.1", "", false, true, lookup.Dataset, lookup.NotIndexed},
		{"is where the query says", "11.0.0.1", lookup.InternetDB, true, true, lookup.InternetDB, lookup.Indexed},
		{"is of no reserved address", "10.0.0.1", "", true, false, "", lookup.Reserved},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				sim.Generate(1)
				cfg := config(sim)
				cfg.APILookupLimit = 0
				if test.key {
					cfg.APIKey = shodantest.Key
				}
				if test.dataset {
					cfg.DataFiles = []string{download(t, "203.0.113.1")}
				}
				question := lookup.Question{Addr: netip.MustParseAddr(test.addr), Source: test.source, Banners: true, RequireBanners: true}
				a := lookUp(t.Context(), t, start(t, cfg), question)[0]
				if a.Source != test.want || a.Status != test.status {
					t.Errorf("%+v; want %s from %q", a, test.status, test.want)
				}
			})
		})
	}
}

package shodantest_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// getPath sends a request to a simulator in the same process; path begins with the service's, and {key} in it is the
// key.
func getPath(t testing.TB, sim *shodantest.Simulator, path string) (*http.Response, string) {
	t.Helper()
	return get(t, sim.Transport(), "http://shodan.invalid"+strings.ReplaceAll(path, "{key}", "key="+shodantest.Key))
}

// get requests a URL and returns the response with its body.
func get(t testing.TB, via http.RoundTripper, url string) (*http.Response, string) {
	t.Helper()
	resp, body, err := try(t.Context(), via, url)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// try is get for requests that may fail.
func try(ctx context.Context, via http.RoundTripper, url string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	resp, err := (&http.Client{Transport: via}).Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// object reads a JSON object.
func object(t testing.TB, body string) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return doc
}

func keys(doc map[string]any) []string { return slices.Sorted(maps.Keys(doc)) }

const (
	nothingKnown  = `{"error": "No information available for that IP."}`
	planTooLow    = `{"error": "Requires membership or higher to access"}`
	creditsSpent  = `{"error": "Insufficient query credits, please upgrade your API plan or wait for the monthly limit to reset"}`
	queryRefused  = `{"error": "The search request timed out or your query was invalid."}`
	apiLimited    = `{"error": "Request rate limit reached (1 request/ second). Please wait a second before trying again and slow down your API calls."}`
	freeLimited   = `{"error": "Rate limit exceeded. Contact sales@shodan.io if you need a higher rate limit."}`
	oneFreeAnswer = `{"cpes":["cpe:/a:openbsd:openssh:8.9p1","cpe:/a:f5:nginx:1.18.0"],"hostnames":["www.example.com"],` +
		`"ip":"192.0.2.1","ports":[22,443],"tags":["cloud"],"vulns":["CVE-2021-44228"]}`
)

var oneHost = shodantest.Host{
	IP: "192.0.2.1", Ports: []int{22, 443}, Hostnames: []string{"www.example.com"}, Tags: []string{"cloud"},
	Vulns: []string{"CVE-2021-44228"}, CPEs: []string{"cpe:/a:openbsd:openssh:8.9p1", "cpe:/a:f5:nginx:1.18.0"},
}

func TestEveryRequestIsAnsweredAsTheServicesDo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, path string
		opts       []shodantest.Option
		status     int
		body       string // whole, or its beginning where it ends in "…"
	}{
		{"a host", "/api/shodan/host/192.0.2.1?{key}", nil, 200, `{"area_code":null,"asn":"AS64496","city":"Springfield",…`},
		{"a host, at the bare root", "/shodan/host/192.0.2.1?{key}", nil, 200, `{"area_code":null,…`},
		{"a host of which nothing is known", "/api/shodan/host/192.0.2.9?{key}", nil, 404, nothingKnown},
		{"a host that is no address", "/api/shodan/host/999.1.1.1?{key}", nil, 404, `{"error": "Invalid IP"}`},
		{"a host with a wrong key", "/api/shodan/host/192.0.2.1?key=wrong", nil, 401, "<html>\n <head>\n  <title>401 Unauthorized</title>…"},
		{"a host without a key", "/api/shodan/host/192.0.2.1", nil, 401, "<html>…"},
		{"a host with a key of one's own", "/api/shodan/host/192.0.2.1?key=own", []shodantest.Option{shodantest.WithKey("own")}, 200, `{"area_code"…`},
		{"a host with the key that WithKey took away", "/api/shodan/host/192.0.2.1?{key}", []shodantest.Option{shodantest.WithKey("own")}, 401, "<html>…"},
		{"a host with another key", "/api/shodan/host/192.0.2.1?key=second", []shodantest.Option{shodantest.WithAnotherKey("second", "plus")}, 200, `{"area_code"…`},
		{"a host on the free plan", "/api/shodan/host/192.0.2.1?{key}", []shodantest.Option{shodantest.WithPlan("oss")}, 403, planTooLow},
		{"a search on the free plan", "/api/shodan/host/search?query=x&{key}", []shodantest.Option{shodantest.WithPlan("oss")}, 403, planTooLow},
		{"many hosts on a plan without them", "/api/shodan/host/192.0.2.1,192.0.2.2?{key}", []shodantest.Option{shodantest.WithPlan("plus")}, 403, planTooLow},
		{"many hosts", "/api/shodan/host/192.0.2.9,192.0.2.1?{key}", []shodantest.Option{shodantest.WithPlan("corp")}, 200, `[{"area_code"…`},
		{"many hosts whatever the plan", "/api/shodan/host/192.0.2.9,192.0.2.8?{key}", []shodantest.Option{shodantest.WithBulk(true)}, 200, `[]`},
		{"many hosts switched off", "/api/shodan/host/192.0.2.9,192.0.2.8?{key}",
			[]shodantest.Option{shodantest.WithPlan("corp"), shodantest.WithBulk(false)}, 403, planTooLow},
		{"many hosts of which one is no address", "/api/shodan/host/192.0.2.1,x?{key}", []shodantest.Option{shodantest.WithBulk(true)}, 404, `{"error": "Invalid IP"}`},
		{"more hosts than fit a request", "/api/shodan/host/" + strings.Repeat("192.0.2.1,", 100) + "192.0.2.1?{key}",
			[]shodantest.Option{shodantest.WithBulk(true)}, 400, `{"error": "At most 100 IPs can be looked up in one request"}`},
		{"a search with a filter and no credits", "/api/shodan/host/search?query=port:22&{key}", []shodantest.Option{shodantest.WithCredits(0)}, 401, creditsSpent},
		{"a second page and no credits", "/api/shodan/host/search?query=nginx&page=2&{key}", []shodantest.Option{shodantest.WithCredits(0)}, 401, creditsSpent},
		{"a search for words, which is free", "/api/shodan/host/search?query=nothing&{key}", []shodantest.Option{shodantest.WithCredits(0)}, 200, `{"matches":[],"total":0}`},
		{"a count, which is free", "/api/shodan/host/count?query=port:22&{key}", []shodantest.Option{shodantest.WithCredits(0)}, 200, `{"matches":[],"total":1}`},
		{"a search that can't be read", "/api/shodan/host/search?query=port:&{key}", nil, 400, queryRefused},
		{"a search for nothing", "/api/shodan/host/search?{key}", nil, 400, queryRefused},
		{"a search by a facet that there is not", "/api/shodan/host/search?query=x&facets=nope&{key}", nil, 400, queryRefused},
		{"a page that is no number", "/api/shodan/host/search?query=x&page=one&{key}", nil, 400, queryRefused},
		{"how a query is read", "/api/shodan/host/search/tokens?query=ssh+port:22&{key}", nil, 200,
			`{"attributes":{"port":["22"]},"errors":[],"filters":["port"],"string":"ssh"}`},
		{"how a query that can't be read is read", "/api/shodan/host/search/tokens?query=nope:22&{key}", nil, 200,
			`{"attributes":{},"errors":["there is no filter \"nope\""],"filters":[],"string":""}`},
		{"the filters", "/api/shodan/host/search/filters?{key}", nil, 200, `["asn","city","country",…`},
		{"the facets", "/api/shodan/host/search/facets?{key}", nil, 200, `["asn","city","country",…`},
		{"the key", "/api/api-info?{key}", nil, 200, `{"https":false,"monitored_ips":0,"plan":"dev","query_credits":10000,…`},
		{"the account", "/api/account/profile?{key}", nil, 200, `{"created":"2026-01-15T12:00:00.000000","credits":0,"display_name":null,"member":true}`},
		{"the ports", "/api/shodan/ports?{key}", nil, 200, `[21,22,53,…`},
		{"the protocols", "/api/shodan/protocols?{key}", nil, 200, `{"auto":…`},
		{"the address of a name", "/api/dns/resolve?hostnames=www.example.com,example.org&{key}", nil, 200, `{"example.org":null,"www.example.com":"192.0.2.1"}`},
		{"the names of an address", "/api/dns/reverse?ips=192.0.2.1,192.0.2.9,x&{key}", nil, 200, `{"192.0.2.1":["www.example.com"],"192.0.2.9":null,"x":null}`},
		{"the names of a domain", "/api/dns/domain/example.com?{key}", nil, 200,
			`{"data":[{"last_seen":"2026-01-15T12:00:00.000000+00:00","subdomain":"www","type":"A","value":"192.0.2.1"}],"domain":"example.com","more":false,"subdomains":["www"],"tags":[]}`},
		{"the names of a domain without credits", "/api/dns/domain/example.com?{key}", []shodantest.Option{shodantest.WithCredits(0)}, 401, creditsSpent},
		{"the names of a domain that nobody has", "/api/dns/domain/example.net?{key}", nil, 404, `{"error": "No information available for that domain."}`},
		{"the names of a domain with a plan that is too low", "/api/dns/domain/example.com?{key}", []shodantest.Option{shodantest.WithPlan("oss")}, 403, planTooLow},
		{"the second page of a domain with a plan that may not page", "/api/dns/domain/example.com?page=2&{key}", nil, 403, `{"error": "Paging through DNS records requires enterprise access"}`},
		{"the records of a domain of a type that it lacks", "/api/dns/domain/example.com?type=MX&{key}", nil, 200, `{"data":[],"domain":"example.com","more":false,"subdomains":[],"tags":[]}`},
		{"the caller's own address", "/api/tools/myip?{key}", nil, 200, `"127.0.0.1"`},
		{"a path that there is not", "/api/shodan/nope?{key}", nil, 404, "<html>…"},
		{"InternetDB", "/internetdb/192.0.2.1", nil, 200, oneFreeAnswer},
		{"InternetDB, at the bare root", "/192.0.2.1", nil, 200, oneFreeAnswer},
		{"InternetDB of a host of which nothing is known", "/internetdb/192.0.2.9", nil, 404, `{"detail":"No information available"}`},
		{"InternetDB of what is no address", "/internetdb/example.com", nil, 422,
			`{"detail":[{"loc":["path","ip"],"msg":"value is not a valid IPv4 or IPv6 address","type":"value_error.ipvanyaddress"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.NewHandler(test.opts...)
			sim.AddHost(oneHost)
			resp, body := getPath(t, sim, test.path)
			beginning, open := strings.CutSuffix(test.body, "…")
			if resp.StatusCode != test.status || body != test.body && !(open && strings.HasPrefix(body, beginning)) {
				t.Errorf("got %d %s\nwant %d %s", resp.StatusCode, body, test.status, test.body)
			}
			kind := "application/json"
			if strings.HasPrefix(body, "<") {
				kind = "text/html; charset=UTF-8"
			}
			if got := resp.Header.Get("Content-Type"); got != kind {
				t.Errorf("its type is %s, not %s", got, kind)
			}
		})
	}
}

func TestAServerIsAskedAtBothAddresses(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	sim.AddHost(oneHost)
	if resp, body := get(t, nil, sim.APIURL()+"/shodan/host/192.0.2.1?key="+shodantest.Key); resp.StatusCode != 200 || object(t, body)["ip_str"] != "192.0.2.1" {
		t.Errorf("the REST API answers %d %s", resp.StatusCode, body)
	}
	resp, body := get(t, nil, sim.InternetDBURL()+"/192.0.2.1")
	if resp.StatusCode != 200 || body != oneFreeAnswer {
		t.Errorf("InternetDB answers %d %s", resp.StatusCode, body)
	}
	if age := resp.Header.Get("Cache-Control"); age != "public, max-age=432000" {
		t.Errorf("InternetDB's answer may be kept: %s", age)
	}
	post, err := http.Post(sim.InternetDBURL()+"/192.0.2.1", "", nil)
	if err != nil || post.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a POST gets %v %v", post, err)
	}
}

func TestAHostHasEveryKeyThatRealOnesHave(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	sim.AddHost(shodantest.Host{
		IP: "2001:db8::1", Ports: []int{443, 22, 9999}, Tags: []string{"vpn"}, Vulns: []string{"CVE-2020-1"}, OS: "Linux",
		LastUpdate: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC),
		Banners: []map[string]any{
			{"port": 443, "ssl": shodantest.TLS("example.com", time.Now()), "tags": []string{"self-signed"}, "vulns": map[string]any{"CVE-2020-2": shodantest.Vuln("CVE-2020-2")}},
		},
		History: []map[string]any{{"port": 21, "timestamp": "2020-01-01T00:00:00.000000"}},
	})
	_, body := getPath(t, sim, "/shodan/host/2001:db8::1?{key}")
	doc := object(t, body)
	if want := strings.Fields("area_code asn city country_code country_name data domains hostnames ip ip_str isp last_update latitude longitude org os ports region_code tags vulns"); !slices.Equal(keys(doc), want) {
		t.Error(cmp.Diff(want, keys(doc)))
	}
	for key, want := range map[string]any{
		"ports": []any{22.0, 443.0, 9999.0}, "tags": []any{"vpn", "self-signed"}, "vulns": []any{"CVE-2020-1", "CVE-2020-2"},
		"last_update": "2026-02-03T04:05:06.000000", "os": "Linux", "isp": "Example Networks", "ip_str": "2001:db8::1",
	} {
		if diff := cmp.Diff(want, doc[key]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	banners := doc["data"].([]any)
	if len(banners) != 3 {
		t.Fatalf("%d banners", len(banners))
	}
	for _, banner := range banners {
		banner := banner.(map[string]any)
		for _, key := range strings.Fields("_shodan data domains hash hostnames ip ip_str isp location org os port timestamp transport") {
			if _, ok := banner[key]; !ok {
				t.Errorf("the banner of port %v lacks %s", banner["port"], key)
			}
		}
	}

	_, minified := getPath(t, sim, "/shodan/host/2001:db8::1?minify=true&{key}")
	general := object(t, minified)
	if data, ok := general["data"].([]any); !ok || len(data) != 0 {
		t.Errorf("minified it still has data: %v", general["data"])
	}
	doc["data"], general["data"] = nil, nil
	if diff := cmp.Diff(doc, general); diff != "" {
		t.Errorf("minified it differs in more than its data: %s", diff)
	}
	_, history := getPath(t, sim, "/shodan/host/2001:db8::1?history=true&{key}")
	if n := len(object(t, history)["data"].([]any)); n != 4 {
		t.Errorf("with its history it has %d banners, not 4", n)
	}
}

func TestAHostWithoutVulnerabilitiesHasNoListOfThem(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	sim.AddHost(shodantest.Host{IP: "192.0.2.1"})
	_, body := getPath(t, sim, "/shodan/host/192.0.2.1?{key}")
	if doc := object(t, body); doc["vulns"] != nil || len(doc["data"].([]any)) != 0 {
		t.Error(body)
	}
	_, body = getPath(t, sim, "/internetdb/192.0.2.1")
	if want := `{"cpes":[],"hostnames":[],"ip":"192.0.2.1","ports":[],"tags":[],"vulns":[]}`; body != want {
		t.Error(body)
	}
}

func TestRawAnswersAreGivenWordForWord(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	raw := `{ "ip_str": "192.0.2.1", "ports": [8080,  22], "tags": null, "data": [{"port": "22", "cpe23": ["cpe:2.3:a:openbsd:openssh:8.9", "cpe:2.3:o:linux:linux_kernel:*"]}, 7] }`
	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Raw: json.RawMessage(raw)})
	sim.AddHost(shodantest.Host{IP: "192.0.2.2", Raw: json.RawMessage(`[]`), RawInternetDB: json.RawMessage(`{"ip": 2}`)})
	for path, want := range map[string]string{
		"/shodan/host/192.0.2.1?{key}": raw,
		"/internetdb/192.0.2.1":        `{"cpes":["cpe:/a:openbsd:openssh:8.9","cpe:/o:linux:linux_kernel"],"hostnames":[],"ip":"192.0.2.1","ports":[22,8080],"tags":[],"vulns":[]}`,
		"/shodan/host/192.0.2.2?{key}": `[]`,
		"/internetdb/192.0.2.2":        `{"ip": 2}`,
	} {
		if _, body := getPath(t, sim, path); body != want {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestHostsCanBeReplacedAndRemoved(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	for _, ip := range []string{"192.0.2.2", "192.0.2.1", "192.0.2.2"} {
		sim.AddHost(shodantest.Host{IP: ip, Org: "the newest"})
	}
	first, second := netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.1")
	if got := sim.Hosts(); !slices.Equal(got, []netip.Addr{first, second}) {
		t.Errorf("the hosts are %v", got)
	}
	sim.RemoveHost(first)
	sim.RemoveHost(first)
	if got := sim.Hosts(); !slices.Equal(got, []netip.Addr{second}) {
		t.Errorf("the hosts are %v", got)
	}
	if resp, _ := getPath(t, sim, "/internetdb/192.0.2.2"); resp.StatusCode != 404 {
		t.Errorf("a host removed is answered %d", resp.StatusCode)
	}
	defer func() {
		if recover() == nil {
			t.Error("a host without an address is taken")
		}
	}()
	sim.AddHost(shodantest.Host{})
}

func TestRequestsAreRecorded(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	sim := shodantest.NewHandler(shodantest.WithLog(&lines), shodantest.WithCredits(5), shodantest.WithBulk(true))
	sim.AddHost(oneHost)
	for _, path := range []string{
		"/api/shodan/host/192.0.2.1?{key}", "/api/shodan/host/192.0.2.1,192.0.2.2?{key}", "/api/shodan/host/search?query=port:22&{key}",
		"/api/api-info?{key}", "/internetdb/192.0.2.9", "/api/api-info?key=wrong",
	} {
		getPath(t, sim, path)
	}
	want := []shodantest.Request{
		{Service: "shodan", Endpoint: shodantest.EndpointHost, Target: "192.0.2.1", Key: shodantest.Key, Status: 200},
		{Service: "shodan", Endpoint: shodantest.EndpointHosts, Target: "192.0.2.1,192.0.2.2", Key: shodantest.Key, Status: 200},
		{Service: "shodan", Endpoint: shodantest.EndpointSearch, Target: "port:22", Key: shodantest.Key, Status: 200},
		{Service: "shodan", Endpoint: shodantest.EndpointInfo, Key: shodantest.Key, Status: 200},
		{Service: "internetdb", Endpoint: shodantest.EndpointInternetDB, Target: "192.0.2.9", Status: 404},
		{Service: "shodan", Endpoint: shodantest.EndpointInfo, Key: "wrong", Status: 401},
	}
	got := sim.Requests()
	for i := range got {
		if got[i].Time.IsZero() {
			t.Error("a request has no time")
		}
		got[i].Time = time.Time{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if all, api, free := sim.Count(""), sim.Count(shodantest.Shodan), sim.Count(shodantest.InternetDB); all != 6 || api != 5 || free != 1 {
		t.Errorf("counted %d, %d and %d", all, api, free)
	}
	if n := sim.Credits(shodantest.Key); n != 4 {
		t.Errorf("%d credits are left, not 4", n)
	}
	if log := lines.String(); strings.Count(log, "\n") != 6 || strings.Contains(log, shodantest.Key) {
		t.Errorf("the log is\n%s", log)
	}
}

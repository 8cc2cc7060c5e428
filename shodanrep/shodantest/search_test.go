package shodantest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

var (
	expired = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	valid   = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

// searched has four hosts with six banners, named below by address and port.
func searched(opts ...shodantest.Option) *shodantest.Simulator {
	sim := shodantest.NewHandler(opts...)
	web := func(port int, title, cn string, until time.Time) map[string]any {
		http := shodantest.HTTP(title, "nginx")
		http["favicon"] = map[string]any{"hash": -1776962843}
		return map[string]any{"port": port, "product": "nginx", "version": "1.18.0", "data": "HTTP/1.1 200 OK\r\nServer: nginx\r\n", "http": http, "ssl": shodantest.TLS(cn, until)}
	}
	sim.AddHost(shodantest.Host{
		IP: "192.0.2.1", Org: "Example Networks, Inc.", ASN: "AS64496", Hostnames: []string{"www.example.com"}, Tags: []string{"cloud"},
		LastUpdate: time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC),
		Banners:    []map[string]any{web(443, "Welcome", "www.example.com", valid), {"port": 22, "product": "OpenSSH", "data": "SSH-2.0-OpenSSH_9.6", "vulns": map[string]any{"CVE-2024-6387": shodantest.Vuln("CVE-2024-6387")}}},
	})
	sim.AddHost(shodantest.Host{
		IP: "192.0.2.2", Org: "Example Hosting", ASN: "AS64497", CountryCode: "DE", CountryName: "Germany", City: "Berlin", RegionCode: "BE",
		LastUpdate: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC),
		Banners:    []map[string]any{web(8443, "Login page", "example.com", expired)},
	})
	sim.AddHost(shodantest.Host{
		IP: "198.51.100.7", Org: "Other", ASN: "AS64496", OS: "Windows Server 2019", LastUpdate: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		Banners: []map[string]any{{"port": 3389, "product": "Remote Desktop Protocol", "data": "Remote Desktop\r\nProtocol"}, {"port": 53, "transport": "udp", "data": "x"}},
	})
	sim.AddHost(shodantest.Host{
		IP: "2001:db8::7", Org: "Other", LastUpdate: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Banners: []map[string]any{web(443, "Welcome", "www.example.com", valid)},
	})
	return sim
}

// matches searches and names the banners found.
func matches(t testing.TB, sim *shodantest.Simulator, query string) (names []string, total int) {
	t.Helper()
	resp, body := getPath(t, sim, "/shodan/host/search?{key}&query="+url.QueryEscape(query))
	if resp.StatusCode != 200 {
		t.Fatalf("%s: %d %s", query, resp.StatusCode, body)
	}
	var page struct {
		Matches []struct {
			IP   string `json:"ip_str"`
			Port int
		}
		Total int
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Matches {
		names = append(names, fmt.Sprint(m.IP[len(m.IP)-3:], "/", m.Port))
	}
	return names, page.Total
}

func TestSearchesFindWhatTheySayAndNoMore(t *testing.T) {
	t.Parallel()
	sim := searched()
	ssl := shodantest.TLS("www.example.com", valid)
	cert := ssl["cert"].(map[string]any)
	fingerprint := cert["fingerprint"].(map[string]any)
	const shared, all = "2.1/443 ::7/443", "2.1/443 2.1/22 2.2/8443 0.7/3389 0.7/53 ::7/443"
	for query, want := range map[string]string{
		"ip:192.0.2.1":                        "2.1/443 2.1/22",
		"ip:192.0.2.2,2001:db8:0::7":          "2.2/8443 ::7/443",
		"net:192.0.2.0/30":                    "2.1/443 2.1/22 2.2/8443",
		"net:198.51.100.0/24,192.0.2.2":       "2.2/8443 0.7/3389 0.7/53",
		"net:0.0.0.0/0,::/0":                  all,
		"port:443":                            shared,
		"port:443,22":                         "2.1/443 2.1/22 ::7/443",
		`org:"Example Networks, Inc."`:        "2.1/443 2.1/22",
		`org:"example"`:                       "2.1/443 2.1/22 2.2/8443",
		`org:"exam"`:                          "",
		`org:"Inc. Example"`:                  "",
		`org:"Example Hosting",other`:         "2.2/8443 0.7/3389 0.7/53 ::7/443",
		"asn:as64497":                         "2.2/8443",
		"asn:AS6449":                          "",
		"product:nginx":                       "2.1/443 2.2/8443 ::7/443",
		`product:"remote desktop"`:            "0.7/3389",
		"version:1.18":                        "2.1/443 2.2/8443 ::7/443",
		"tag:cloud":                           "2.1/443 2.1/22",
		"vuln:cve-2024-6387":                  "2.1/22",
		"country:de":                          "2.2/8443",
		"city:Berlin state:be":                "2.2/8443",
		"-country:de":                         "2.1/443 2.1/22 0.7/3389 0.7/53 ::7/443",
		"hostname:example.com":                "2.1/443 2.1/22",
		"os:windows":                          "0.7/3389 0.7/53",
		"transport:udp":                       "0.7/53",
		`ssl.cert.subject.cn:"example.com"`:   "2.1/443 2.2/8443 ::7/443",
		"ssl.cert.subject.cn:www.example.com": shared,
		"ssl.cert.issuer.cn:R3":               "2.1/443 2.2/8443 ::7/443",
		"ssl.cert.expired:true":               "2.2/8443",
		fmt.Sprint("ssl.cert.serial:", cert["serial"]):                                shared,
		fmt.Sprint("ssl.cert.fingerprint:", fingerprint["sha1"]):                      shared,
		fmt.Sprint("ssl.cert.fingerprint:", fingerprint["sha256"]):                    shared,
		fmt.Sprint("ssl.chain.fingerprint:", fingerprint["sha256"]):                   shared,
		fmt.Sprint("ssl.jarm:", ssl["jarm"]):                                          shared,
		fmt.Sprint("ssl.ja3s:", ssl["ja3s"]):                                          shared,
		"http.favicon.hash:-1776962843":                                               "2.1/443 2.2/8443 ::7/443",
		fmt.Sprint("http.html_hash:", shodantest.HTTP("Login page", "")["html_hash"]): "2.2/8443",
		`http.title:"login page" http.status:200`:                                     "2.2/8443",
		"nginx":                           "2.1/443 2.2/8443 ::7/443",
		"desktop protocol":                "0.7/3389",
		`"desktop protocol"`:              "0.7/3389",
		`"protocol desktop"`:              "",
		"nginx -country:US":               "2.2/8443",
		"nginx ssh":                       "",
		"nginx port:443 net:192.0.2.0/24": "2.1/443",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			names, total := matches(t, sim, query)
			if got := strings.Join(names, " "); got != want || total != len(names) {
				t.Errorf("found %s (%d), want %s", got, total, want)
			}
		})
	}
	// A hash of the data, whatever it is.
	_, body := getPath(t, sim, "/shodan/host/192.0.2.1?{key}")
	hash := object(t, body)["data"].([]any)[1].(map[string]any)["hash"].(float64)
	if names, _ := matches(t, sim, fmt.Sprintf("hash:%.0f", hash)); !slices.Equal(names, []string{"2.1/22"}) {
		t.Errorf("found %v", names)
	}
}

func TestASerialNumberIsFoundInHexadecimalToo(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Banners: []map[string]any{{"port": 443, "ssl": map[string]any{"cert": map[string]any{"serial": json.Number("340282366920938463463374607431768211456")}}}}})
	for _, query := range []string{"ssl.cert.serial:340282366920938463463374607431768211456", "ssl.cert.serial:100000000000000000000000000000000"} {
		if _, total := matches(t, sim, query); total != 1 {
			t.Errorf("%s finds %d", query, total)
		}
	}
}

func TestSearchesComeInPages(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler(shodantest.WithCredits(3))
	for i := range 205 {
		sim.AddHost(shodantest.Host{IP: fmt.Sprintf("192.0.2.%d", i), Ports: []int{80}, LastUpdate: expired.Add(time.Duration(i) * time.Second)})
	}
	seen := map[string]bool{}
	for page, want := range map[string]int{"": 100, "1": 100, "2": 100, "3": 5, "4": 0} {
		_, body := getPath(t, sim, "/shodan/host/search?{key}&query=nginx&page="+page)
		doc := object(t, body)
		found := doc["matches"].([]any)
		if len(found) != want || doc["total"] != 205.0 {
			t.Errorf("page %q has %d of %v", page, len(found), doc["total"])
		}
		for _, match := range found {
			seen[match.(map[string]any)["ip_str"].(string)] = true
		}
		if page == "1" && found[0].(map[string]any)["ip_str"] != "192.0.2.204" {
			t.Error("the newest is not the first")
		}
	}
	if len(seen) != 205 {
		t.Errorf("the pages have %d hosts", len(seen))
	}
	if n := sim.Credits(shodantest.Key); n != 0 {
		t.Errorf("three pages after the first left %d of 3 credits", n)
	}
}

func TestMatchesComeInTheFormAskedFor(t *testing.T) {
	t.Parallel()
	sim := searched()
	first := func(options string) map[string]any {
		_, body := getPath(t, sim, "/shodan/host/search?{key}&query=country:DE"+options)
		return object(t, body)["matches"].([]any)[0].(map[string]any)
	}
	whole := first("&minify=false")
	if _, ok := whole["opts"]; !ok {
		t.Error("minify=false leaves opts out")
	}
	delete(whole, "opts")
	for _, options := range []string{"", "&minify=true", "&minify=True"} {
		if diff := cmp.Diff(whole, first(options)); diff != "" {
			t.Errorf("%q: %s", options, diff)
		}
	}
	want := map[string]any{"ip_str": "192.0.2.2", "ssl": map[string]any{"cert": map[string]any{"subject": map[string]any{"CN": "example.com"}, "version": 2.0}}}
	if diff := cmp.Diff(want, first("&fields=ip_str,ssl.cert.subject.CN,ssl.cert.version,nope")); diff != "" {
		t.Error(diff)
	}
}

func TestFacetsCountTheMatches(t *testing.T) {
	t.Parallel()
	sim := searched()
	for endpoint, size := range map[string]int{"search": 6, "count": 0} {
		_, body := getPath(t, sim, "/shodan/host/"+endpoint+"?{key}&query=-port:1&facets=country,port:2,tag,org")
		doc := object(t, body)
		if n := len(doc["matches"].([]any)); n != size || doc["total"] != 6.0 {
			t.Errorf("%s has %d matches of %v", endpoint, n, doc["total"])
		}
		value := func(count int, value any) map[string]any {
			return map[string]any{"count": float64(count), "value": value}
		}
		want := map[string]any{
			"country": []any{value(5, "US"), value(1, "DE")}, "port": []any{value(2, 443.0), value(1, 22.0)}, "tag": []any{value(2, "cloud")},
			"org": []any{value(3, "Other"), value(2, "Example Networks, Inc."), value(1, "Example Hosting")},
		}
		if diff := cmp.Diff(want, doc["facets"]); diff != "" {
			t.Errorf("%s: %s", endpoint, diff)
		}
	}
	_, body := getPath(t, sim, "/shodan/host/count?{key}&query=nothing")
	if doc := object(t, body); !slices.Equal(slices.Sorted(maps.Keys(doc)), []string{"matches", "total"}) {
		t.Errorf("without facets it has %v", keys(doc))
	}
	for _, facets := range []string{"country:0", "country:x", ",", "nope:5"} {
		if resp, body := getPath(t, sim, "/shodan/host/count?{key}&query=x&facets="+facets); resp.StatusCode != 400 || body != queryRefused {
			t.Errorf("facets=%s is answered %d %s", facets, resp.StatusCode, body)
		}
	}
}

package shodantest_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// captures is the folder of responses of the real services, which is not in the repository.
func captures(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "captures")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real services' answers are not in %s: there is nothing to compare with", dir)
	}
	return dir
}

func read(t testing.TB, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// legacy are keys of captures from before 2022, which current responses do not have.
var legacy = []string{"country_code3", "dma_code", "postal_code"}

// shape describes the type of a JSON value: the keys of an object, each with its value's type, and the first item of a
// list. A null and what stands in its place elsewhere have no type.
func shape(value any) any {
	switch v := value.(type) {
	case map[string]any:
		shapes := map[string]any{}
		for key, item := range v {
			shapes[key] = shape(item)
		}
		return shapes
	case []any:
		return "list"
	case nil:
		return nil
	}
	return fmt.Sprintf("%T", value)
}

// differ compares the shapes of two JSON texts; what is null in one may be anything in the other.
func differ(t testing.TB, want, got string) string {
	t.Helper()
	var values [2]any
	for i, text := range []string{want, got} {
		if err := json.Unmarshal([]byte(text), &values[i]); err != nil {
			t.Fatalf("%v in %.200s", err, text)
		}
		if doc, ok := values[i].(map[string]any); ok {
			for _, key := range legacy {
				delete(doc, key)
			}
		}
	}
	nullable := cmp.FilterValues(func(a, b any) bool { return a == nil || b == nil }, cmp.Ignore())
	return cmp.Diff(shape(values[0]), shape(values[1]), nullable)
}

func TestInventedAnswersHaveTheShapeOfReal(t *testing.T) {
	t.Parallel()
	dir := captures(t)
	sim := searched()
	sim.AddHost(shodantest.Host{IP: "192.0.2.80", Ports: []int{22, 443}, Hostnames: []string{"www.example.com"}})
	generated := sim.Generate(50)
	withoutVulns := slices.IndexFunc(generated, func(addr netip.Addr) bool { return shodantest.GeneratedHost(addr).Vulns == nil })
	for file, path := range map[string]string{
		"host/1.1.1.1_2023-07_3c7.json":          "/shodan/host/192.0.2.80?{key}",
		"host/140.82.121.4_2021-08_3c7.json":     "/shodan/host/192.0.2.2?{key}",
		"host/8.8.8.8_2023-03_devcybernico.json": fmt.Sprintf("/shodan/host/%v?{key}", generated[withoutVulns]),
		"host/jshodan_shodan_host_minified.json": "/shodan/host/192.0.2.2?minify=true&{key}",
		"internetdb/1.1.1.1.json":                "/internetdb/192.0.2.80",
		"search/two_matches_uncover.json":        "/shodan/host/search?query=nginx&facets=country&{key}",
		"api/host_search.json":                   "/shodan/host/search?query=nginx&{key}",
		"api/host_count.json":                    "/shodan/host/count?query=nginx&{key}",
		"api/host_count-with_facets.json":        "/shodan/host/count?query=nginx&facets=country&{key}",
		"api/host_tokens.json":                   "/shodan/host/search/tokens?query=nginx&{key}",
		"api/rest_info.json":                     "/api-info?{key}",
		"api/rest_ports.json":                    "/shodan/ports?{key}",
		"api/account_profile.json":               "/account/profile?{key}",
		"api/query_search.json":                  "/shodan/query/search?query=nginx&{key}",
		"api/query_tags.json":                    "/shodan/query/tags?{key}",
		"api/tools_my_ip.json":                   "/tools/myip?{key}",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			_, body := getPath(t, sim, path)
			if strings.Contains(file, "jshodan") { // of 2017, when hosts had no list of domains
				body = strings.Replace(body, `"domains":[],`, "", 1)
			}
			if diff := differ(t, read(t, dir, file), body); diff != "" {
				t.Errorf("real (-) and invented (+): %s", diff)
			}
		})
	}
	for file, path := range map[string]string{ // whose keys are names, addresses and protocols
		"api/dns_resolve.json":    "/dns/resolve?hostnames=www.example.com&{key}",
		"api/dns_reverse.json":    "/dns/reverse?ips=192.0.2.80&{key}",
		"api/rest_protocols.json": "/shodan/protocols?{key}",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			_, body := getPath(t, sim, path)
			kinds := [2]map[string]bool{{}, {}}
			for i, text := range []string{read(t, dir, file), body} {
				for _, value := range object(t, text) {
					kinds[i][fmt.Sprintf("%T", value)] = true
				}
			}
			if !maps.Equal(kinds[0], kinds[1]) {
				t.Errorf("real values are %v, invented ones %v", kinds[0], kinds[1])
			}
		})
	}
}

func TestInventedDomainsHaveTheShapeOfReal(t *testing.T) {
	t.Parallel()
	dir := captures(t)
	sim := shodantest.NewHandler()
	sim.AddRecords("example.com", shodantest.Record{Type: "NS", Value: "ns1.example.com"})
	_, body := getPath(t, sim, "/dns/domain/example.com?{key}")
	// The capture is of 2019, when all records came on one page.
	real, invented := object(t, read(t, dir, "api/dns_domain.json")), object(t, strings.Replace(body, `,"more":false`, "", 1))
	if diff := cmp.Diff(shape(real), shape(invented)); diff != "" {
		t.Errorf("real (-) and invented (+): %s", diff)
	}
	if diff := cmp.Diff(shape(real["data"].([]any)[0]), shape(invented["data"].([]any)[0])); diff != "" {
		t.Errorf("a record, real (-) and invented (+): %s", diff)
	}
}

func TestInventedItemsOfListsHaveTheShapeOfReal(t *testing.T) {
	t.Parallel()
	dir := captures(t)
	sim := searched()
	for file, path := range map[string]string{
		"api/query_search.json": "/shodan/query/search?query=nginx&{key}",
		"api/query_tags.json":   "/shodan/query/tags?{key}",
	} {
		real := object(t, read(t, dir, file))["matches"].([]any)[0]
		_, body := getPath(t, sim, path)
		if diff := cmp.Diff(shape(real), shape(object(t, body)["matches"].([]any)[0])); diff != "" {
			t.Errorf("%s, real (-) and invented (+): %s", file, diff)
		}
	}
}

func TestInventedBannersHaveWhatAllRealOnesHave(t *testing.T) {
	t.Parallel()
	dir := captures(t)
	sim := searched()
	_, real443 := object(t, read(t, dir, "host/1.1.1.1_2023-07_3c7.json")), bannerOf(t, read(t, dir, "host/1.1.1.1_2023-07_3c7.json"), 443)
	_, body := getPath(t, sim, "/shodan/host/192.0.2.1?{key}")
	invented := bannerOf(t, body, 443)
	for _, path := range []string{"location", "_shodan", "http", "ssl", "ssl/cert", "ssl/cert/fingerprint", "ssl/cipher", "ssl/trust", "ssl/cert/pubkey"} {
		a, b := real443, invented
		for key := range strings.SplitSeq(path, "/") {
			a, b = a[key].(map[string]any), b[key].(map[string]any)
		}
		// Some web servers have a favicon, and that one had none to look at.
		want, got := keys(a), slices.DeleteFunc(keys(b), func(key string) bool { return key == "favicon" })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, real (-) and invented (+): %s", path, diff)
		}
	}
	always := keys(real443)
	files, err := filepath.Glob(filepath.Join(dir, "host", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, banner := range object(t, read(t, file))["data"].([]any) {
			always = slices.DeleteFunc(always, func(key string) bool { _, ok := banner.(map[string]any)[key]; return !ok })
		}
	}
	for _, host := range sim.Hosts() {
		_, body := getPath(t, sim, "/shodan/host/"+host.String()+"?{key}")
		for _, banner := range object(t, body)["data"].([]any) {
			for _, key := range always {
				if _, ok := banner.(map[string]any)[key]; !ok {
					t.Errorf("the banner of %v lacks %s", host, key)
				}
			}
		}
	}
}

func bannerOf(t testing.TB, host string, port int) map[string]any {
	t.Helper()
	for _, banner := range object(t, host)["data"].([]any) {
		if banner := banner.(map[string]any); banner["port"] == float64(port) {
			return banner
		}
	}
	t.Fatalf("there is no banner of port %d", port)
	return nil
}

func TestErrorsAreWordForWordThoseOfTheServices(t *testing.T) {
	t.Parallel()
	dir := captures(t)
	sim := shodantest.NewHandler(shodantest.WithCredits(0), shodantest.WithRateLimit(shodantest.InternetDB, 1e-3, 1), shodantest.WithAnotherKey("free", "oss"))
	limited := shodantest.NewHandler(shodantest.WithRateLimit(shodantest.Shodan, 1e-3, 1))
	getPath(t, limited, "/api-info?{key}")
	for _, test := range []struct {
		file, path string
		sim        *shodantest.Simulator
	}{
		{"internetdb_404.json", "/internetdb/192.0.2.1", sim},
		{"internetdb_429.json", "/internetdb/192.0.2.1", sim},
		{"api_401_badkey.html", "/api-info?key=wrong", sim},
		{"api_401_quota.json", "/shodan/host/search?query=port:22&{key}", sim},
		{"api_403_membership.json", "/shodan/host/192.0.2.1?key=free", sim},
		{"api_404_noinfo.json", "/shodan/host/192.0.2.1?{key}", sim},
		{"api_429_error-field.txt", "/api-info?{key}", limited},
		{"api_search_timeout_error-field.txt", "/shodan/host/search?query=port:&{key}", sim},
	} {
		_, body := getPath(t, test.sim, test.path)
		want := strings.TrimSpace(read(t, dir, "errors", test.file))
		if strings.HasSuffix(test.file, ".txt") { // only the text of the error field is known
			body, _ = object(t, body)["error"].(string)
		}
		if body != want {
			t.Errorf("%s: %s, want %s", test.file, body, want)
		}
	}
	// Web servers differ in how they break lines.
	if got, want := strings.Fields(shodantest.BodyPage(502)), strings.Fields(read(t, dir, "errors", "api_502_nginx.html")); !slices.Equal(got, want) {
		t.Errorf("the page is %v, want %v", got, want)
	}
}

func TestCapturedHostsAreAnsweredWordForWord(t *testing.T) {
	t.Parallel()
	dir := captures(t)
	sim := shodantest.New(t, shodantest.WithBulk(true))
	files, err := filepath.Glob(filepath.Join(dir, "host", "*.json"))
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		addr := sim.AddCapture(t, file)
		_, body := getPath(t, sim, "/shodan/host/"+addr.String()+"?{key}")
		if body != strings.TrimSpace(read(t, file)) {
			t.Errorf("%s is not answered as it is", file)
		}
		capture := object(t, body)
		_, brief := getPath(t, sim, "/internetdb/"+addr.String())
		doc := object(t, brief)
		ports := capture["ports"].([]any)
		slices.SortFunc(ports, func(a, b any) int { return int(a.(float64) - b.(float64)) })
		for key, want := range map[string]any{"ip": addr.String(), "ports": ports, "hostnames": capture["hostnames"], "tags": capture["tags"]} {
			if diff := cmp.Diff(want, doc[key]); diff != "" {
				t.Errorf("%s: %s in InternetDB's answer: %s", file, key, diff)
			}
		}
		_, minified := getPath(t, sim, "/shodan/host/"+addr.String()+"?minify=true&{key}")
		capture["data"], capture["ports"] = []any{}, object(t, minified)["ports"]
		if diff := cmp.Diff(capture, object(t, minified)); diff != "" {
			t.Errorf("%s, minified: %s", file, diff)
		}
	}
	_, list := getPath(t, sim, "/shodan/host/8.8.8.8,192.0.2.1,1.1.1.1?{key}")
	var hosts []map[string]any
	if err := json.Unmarshal([]byte(list), &hosts); err != nil || len(hosts) != 2 || hosts[0]["ip_str"] != "8.8.8.8" {
		t.Errorf("a list of them is answered with %d hosts, %v", len(hosts), err)
	}
	_, cpes := getPath(t, sim, "/internetdb/188.166.148.225")
	if got := object(t, cpes)["cpes"].([]any); len(got) == 0 || !strings.HasPrefix(got[0].(string), "cpe:/") {
		t.Errorf("the CPEs are %v", got)
	}
	for query, want := range map[string]int{
		"ssl.cert.subject.cn:cloudflare-dns.com port:443": 1, "asn:AS14061": 4, `product:"cobalt strike beacon"`: 1, "net:8.8.8.0/24": 3,
	} {
		if _, total := matches(t, sim, query); total != want {
			t.Errorf("%s finds %d, want %d", query, total, want)
		}
	}
}

func TestFilesOfAllKindsAreLoaded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("host.json", `{"ip_str": "192.0.2.1", "ports": [22], "data": []}`)
	write("list.json", `[{"ip_str": "192.0.2.2", "ports": []}, {"ip_str": "192.0.2.3", "ports": []}]`)
	write("page.json", `{"matches": [{"ip_str": "192.0.2.4", "port": 22, "org": "Four", "location": {"country_code": "DE"}}], "total": 1}`)
	write("notes.txt", "not for loading")
	file, err := os.Create(filepath.Join(dir, "download.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(file)
	fmt.Fprintln(zip, `{"ip_str": "192.0.2.5", "port": 22, "timestamp": "2026-01-02T00:00:00.000000"}`)
	fmt.Fprintln(zip, `{"ip_str": "2001:db8::5", "port": 22}`)
	fmt.Fprintln(zip, `{"ip_str": "192.0.2.5", "port": 80, "hostnames": ["five.example"]}`)
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	sim := shodantest.NewHandler()
	addrs, err := sim.Load(dir)
	if err != nil || len(addrs) != 6 {
		t.Fatalf("loaded %v, %v", addrs, err)
	}
	for path, want := range map[string]string{
		"/internetdb/192.0.2.5":                              `{"cpes":[],"hostnames":["five.example"],"ip":"192.0.2.5","ports":[22,80],"tags":[],"vulns":[]}`,
		"/shodan/host/192.0.2.1?{key}":                       `{"ip_str": "192.0.2.1", "ports": [22], "data": []}`,
		"/shodan/host/count?query=org:Four+country:DE&{key}": `{"matches":[],"total":1}`,
	} {
		if _, body := getPath(t, sim, path); body != want {
			t.Errorf("%s: %s", path, body)
		}
	}

	empty := t.TempDir()
	for name, test := range map[string]struct{ path, err string }{
		"nothing there":       {filepath.Join(dir, "nothing"), "no such file or directory"},
		"a folder without":    {empty, empty + " has no .json or .json.gz files"},
		"no address":          {write("bad1.json", `{"ip_str": "x"}`), `bad1.json: neither a host nor a banner: "ip_str" is not an address`},
		"no JSON":             {write("bad2.json", `{"ip_str"`), "bad2.json: unexpected EOF"},
		"no object":           {write("bad3.json", `3`), "bad3.json: json: cannot unmarshal number"},
		"no banners":          {write("bad4.json", `{"matches": [1]}`), "bad4.json: a banner is not a JSON object"},
		"no gzip":             {write("bad5.json.gz", `{}`), "bad5.json.gz: unexpected EOF"},
		"a list of no object": {write("bad6.json", `[null]`), "bad6.json: no JSON object"},
	} {
		if _, err := sim.Load(test.path); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, want %s", name, err, test.err)
		}
	}
}

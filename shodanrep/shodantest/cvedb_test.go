package shodantest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// vulnerable is a simulator with two CVEs of its own and one that a host has.
func vulnerable(opts ...shodantest.Option) *shodantest.Simulator {
	sim := shodantest.NewHandler(opts...)
	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Banners: []map[string]any{{
		"port": 443, "cpe": []string{"cpe:/a:f5:nginx:1.18.0"},
		"vulns": map[string]any{"CVE-2021-23017": map[string]any{"cvss": "7.7", "epss": 0.74, "kev": true, "summary": "overwrites memory"}, "MS15-034": shodantest.Vuln("")},
	}}})
	sim.AddCVE(shodantest.CVE{
		ID: "CVE-2024-0001", Summary: "the newer", CVSS: 9.3, CVSSVersion: 4, EPSS: 0.1, RankingEPSS: 0.2, References: []string{"https://example.com/1"},
		Published: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), CPEs: []string{"cpe:2.3:a:example:shop:1.0", "cpe:2.3:a:f5:nginx:1.18.0"},
	})
	sim.AddCVE(shodantest.CVE{ID: "CVE-2024-0002", Published: time.Date(2024, 5, 5, 0, 0, 0, 0, time.UTC), Raw: json.RawMessage(`{"cve_id": 2}`)})
	return sim
}

func TestCVEDBAnswersForOneCVE(t *testing.T) {
	t.Parallel()
	sim := vulnerable()
	for path, want := range map[string]string{
		"/cvedb/cve/CVE-2024-0001": `200 {"cpes":["cpe:2.3:a:example:shop:1.0","cpe:2.3:a:f5:nginx:1.18.0"],"cve_id":"CVE-2024-0001","cvss":9.3,"cvss_v2":null,"cvss_v3":null,` +
			`"cvss_v4":9.3,"cvss_version":4,"epss":0.1,"kev":false,"propose_action":null,"published_time":"2024-05-06T07:08:09","ranking_epss":0.2,"ransomware_campaign":null,` +
			`"references":["https://example.com/1"],"summary":"the newer"}`,
		"/cvedb/cve/CVE-2024-0002": `200 {"cve_id": 2}`,
		"/cvedb/cve/CVE-2024-0003": `404 {"detail":"No information available"}`,
		"/cvedb/cve/MS15-034":      `404 {"detail":"No information available"}`,
		"/cvedb/dashboard":         `404 {"detail":"Not Found"}`,
	} {
		if resp, body := getPath(t, sim, path); fmt.Sprintf("%d %s", resp.StatusCode, body) != want {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	_, body := getPath(t, sim, "/cvedb/cve/CVE-2021-23017")
	doc := object(t, body)
	for key, want := range map[string]any{"cvss": 7.7, "cvss_v3": 7.7, "epss": 0.74, "kev": true, "summary": "overwrites memory", "cpes": []any{"cpe:2.3:a:f5:nginx:1.18.0"}} {
		if diff := cmp.Diff(want, doc[key]); diff != "" {
			t.Errorf("%s of the host's CVE: %s", key, diff)
		}
	}
	if !strings.HasPrefix(doc["published_time"].(string), "2021-") {
		t.Errorf("a CVE of 2021 was published at %v", doc["published_time"])
	}
	sim.Generate(1)
	if resp, _ := getPath(t, sim, "/cvedb/cve/CVE-2015-2000"); resp.StatusCode != 200 {
		t.Errorf("a CVE that a generated host may have is answered %d", resp.StatusCode)
	}
}

func TestCVEDBListsCVEs(t *testing.T) {
	t.Parallel()
	sim := vulnerable()
	for query, want := range map[string]string{
		"":                                 "[CVE-2024-0001 CVE-2024-0002 CVE-2021-23017]",
		"sort_by_epss=true":                "[CVE-2021-23017 CVE-2024-0001 CVE-2024-0002]",
		"is_kev=true":                      "[CVE-2021-23017]",
		"product=nginx":                    "[CVE-2024-0001 CVE-2021-23017]",
		"product=nginx&limit=1":            "[CVE-2024-0001]",
		"product=nginx&skip=1":             "[CVE-2021-23017]",
		"product=nginx&skip=9":             "[]",
		"product=apache":                   "404",
		"cpe23=cpe:2.3:a:x:y:1":            "404",
		"product=x&cpe23=cpe:2.3":          "400",
		"cpe23=cpe:/a:f5:nginx":            "422",
		"limit=many":                       "422",
		"start_date=yesterday":             "422",
		"cpe23=cpe:2.3:a:example:shop:1.0": "[CVE-2024-0001]",
		"start_date=2024-05-05T00:00:00&end_date=2024-05-06":            "[CVE-2024-0002]",
		"start_date=2024-05-05T00:00:01":                                "[CVE-2024-0001]",
		"end_date=2024-05-06T07:08:09&start_date=2024-05-06&is_kev=1":   "[]",
		"start_date=2024-05-06T07:08:09&end_date=2024-05-06T07:08:09":   "[CVE-2024-0001]",
		"start_date=2024-05-06T07:08:09&end_date=2024-05-06T07:08:09.5": "422",
	} {
		resp, body := getPath(t, sim, "/cvedb/cves?"+query)
		got := fmt.Sprint(resp.StatusCode)
		if resp.StatusCode == 200 {
			ids := []string{}
			for _, item := range object(t, body)["cves"].([]any) {
				ids = append(ids, item.(map[string]any)["cve_id"].(string))
			}
			got = fmt.Sprint(ids)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for path, want := range map[string]string{
		"/cvedb/cves?count=true&product=nginx": `{"total":2}`,
		"/cvedb/cpes?count=true&product=nginx": `{"total":1}`,
		"/cvedb/cpes?product=nginx":            `{"cpes":["cpe:2.3:a:f5:nginx:1.18.0"]}`,
		"/cvedb/cpes?product=nothing":          `{"detail":"No information available"}`,
		"/cvedb/cpes":                          `{"detail":[{"loc":["query","product"],"msg":"Input should match the pattern of product","type":"string_pattern_mismatch"}]}`,
	} {
		if _, body := getPath(t, sim, path); body != want {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// TestInventedCVEsHaveTheKeysOfTheSpecification reads CVEDB's own specification.
func TestInventedCVEsHaveTheKeysOfTheSpecification(t *testing.T) {
	t.Parallel()
	schemas := object(t, read(t, captures(t), "specs", "cvedb-openapi.json"))["components"].(map[string]any)["schemas"].(map[string]any)
	sim := vulnerable()
	_, one := getPath(t, sim, "/cvedb/cve/CVE-2024-0001")
	_, many := getPath(t, sim, "/cvedb/cves")
	for schema, doc := range map[string]map[string]any{"CVEWithCPEs": object(t, one), "CVE": object(t, many)["cves"].([]any)[0].(map[string]any)} {
		properties := schemas[schema].(map[string]any)["properties"].(map[string]any)
		if diff := cmp.Diff(keys(properties), keys(doc)); diff != "" {
			t.Errorf("%s, specified (-) and invented (+): %s", schema, diff)
		}
	}
}

func TestCVEDBHasLimitsAndFaultsOfItsOwn(t *testing.T) {
	t.Parallel()
	sim := vulnerable(shodantest.WithRateLimit(shodantest.CVEDB, 0.001, 1), shodantest.WithRetryAfter(time.Second))
	if got := fmt.Sprint(statuses(t, sim, "/cvedb/cves?product=nginx", 2, 0)); got != "[200 429]" {
		t.Errorf("it answers %s", got)
	}
	if got := fmt.Sprint(statuses(t, sim, "/internetdb/192.0.2.1", 2, 0)); got != "[200 200]" || sim.Bans() != 0 {
		t.Errorf("InternetDB answers %s", got)
	}
	sim = vulnerable()
	sim.Fault(shodantest.Fault{Service: shodantest.CVEDB, Endpoint: shodantest.EndpointCVE, Target: "CVE-2024-0001", Times: 1, Status: 502, Body: shodantest.BodyPage(502)})
	if got := fmt.Sprint(statuses(t, sim, "/cvedb/cve/CVE-2024-0001", 2, 0)); got != "[502 200]" {
		t.Errorf("it answers %s", got)
	}
	subjects := []string{}
	for _, r := range sim.Requests() {
		subjects = append(subjects, r.Service+" "+r.Target)
	}
	if !slices.Equal(subjects, []string{"cvedb CVE-2024-0001", "cvedb CVE-2024-0001"}) || sim.Count(shodantest.CVEDB) != 2 {
		t.Errorf("recorded %q", subjects)
	}
	if sim.CVEDBURL() != "http://shodan.invalid/cvedb" {
		t.Error(sim.CVEDBURL())
	}
}

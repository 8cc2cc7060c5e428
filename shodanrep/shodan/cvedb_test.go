package shodan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestACVEIsReadWhole(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	published := time.Date(2021, 12, 10, 10, 15, 9, 0, time.UTC)
	sim.AddCVE(shodantest.CVE{
		ID: "CVE-2021-44228", Summary: "Log4j runs code\x00", CVSS: 10, CVSSVersion: 3.1, EPSS: 0.94, RankingEPSS: 0.999, KEV: true, ProposeAction: "Update it.",
		RansomwareCampaign: "Known", References: []string{"https://example.com"}, Published: published, CPEs: []string{"cpe:2.3:a:apache:log4j:2.0"},
	})
	db := shodan.CVEDB{BaseURL: sim.CVEDBURL()}
	got, _, err := shodan.Do(t.Context(), db.Get, shodan.FindCVE("CVE-2021-44228"))
	if err != nil {
		t.Fatal(err)
	}
	is := func(f float64) shodan.Null[float64] { return shodan.Null[float64]{V: f, Valid: true} }
	want := shodan.CVE{
		ID: "CVE-2021-44228", Summary: "Log4j runs code", CVSS: is(10), CVSSVersion: is(3.1), CVSSv3: is(10), EPSS: is(0.94), RankingEPSS: is(0.999),
		KEV: shodan.Null[bool]{V: true, Valid: true}, ProposeAction: "Update it.", RansomwareCampaign: "Known", References: shodan.Texts{"https://example.com"},
		PublishedTime: shodan.Time{Time: published}, CPEs: shodan.Texts{"cpe:2.3:a:apache:log4j:2.0"},
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Error(diff)
	}
	list, _, err := shodan.Do(t.Context(), db.Get, shodan.FindCVEs(shodan.CVEQuery{Product: "log4j", KEV: true, Start: published, End: published.Add(time.Second), Limit: 2}))
	want.CPEs, want.Vendor, want.Product, want.Version = nil, "apache", "log4j", "2.0" // only lists have these
	if diff := cmp.Diff([]shodan.CVE{want}, list); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestACVEThatIsOddCostsOnlyWhatIsOdd(t *testing.T) {
	t.Parallel()
	one, err := shodan.FindCVE("CVE-2021-44228").Read([]byte(`{"cve_id": "cve-2021-44228", "cvss": "9.8", "cvss_v2": {}, "epss": null, "kev": "true", "references": "x", "published_time": 7}`))
	if err != nil || one.CVSS.V != 9.8 || one.CVSSv2.Valid || one.EPSS.Valid || !one.KEV.V || len(one.References) != 1 || one.PublishedTime.Ptr() != nil || one.CPEs != nil {
		t.Errorf("%+v, %v", one, err)
	}
	// The length says whether there is another page, so what is no CVE counts too.
	list, err := shodan.FindCVEs(shodan.CVEQuery{}).Read([]byte(`{"cves": [{"cve_id": "CVE-2020-1"}, 3, null, {"summary": "x"}, {"cve_id": "CVE-2020-2"}]}`))
	if err != nil || len(list) != 5 || list[0].ID != "CVE-2020-1" || list[1].ID != "" || list[4].ID != "CVE-2020-2" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestWhatIsNoAnswerOfCVEDBIsAnError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"cve_id": "CVE-2020-1"}`: `the response is for "CVE-2020-1", not for CVE-2021-44228`,
		`{}`:                       `the response is for "", not for CVE-2021-44228`,
		`[]`:                       "the response is not a JSON object",
		`{"cve_id": "CVE-2021-4`:   "the response is not complete JSON: unexpected end of JSON input",
	} {
		if _, err := shodan.FindCVE("CVE-2021-44228").Read([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	for body, want := range map[string]string{
		`{"total": 3}`:   "the response has no list of CVEs",
		`{"cves": {}}`:   "the response has no list of CVEs",
		`{"cves": null}`: "the response has no list of CVEs",
		`{"cves": [`:     "the response is not complete JSON: unexpected end of JSON input",
	} {
		if _, err := shodan.FindCVEs(shodan.CVEQuery{}).Read([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestIDsAndCPEsAreWrittenAsCVEDBDoes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CVE-2021-44228": "CVE-2021-44228", " cve-2021-44228 ": "CVE-2021-44228", "CVE-2020-0001": "CVE-2020-0001",
		"MS15-034": "", "CVE-2021": "", "CVE-2021-44228/../../x": "", "": "",
	} {
		if id, ok := shodan.CanonicalCVE(text); ok != (want != "") || ok && id != want {
			t.Errorf("%q is %q, %v", text, id, ok)
		}
	}
	for text, want := range map[string]string{
		"cpe:2.3:a:f5:nginx:1.18.0": "cpe:2.3:a:f5:nginx:1.18.0", "cpe:/a:f5:nginx:1.18.0": "cpe:2.3:a:f5:nginx:1.18.0",
		"cpe:2.3:a:f5:nginx:1.18.0:*:*:*:*:*:*:*": "cpe:2.3:a:f5:nginx:1.18.0:*:*:*:*:*:*:*",
		"cpe:/a:f5:nginx":                         "", "cpe:2.3:a:f5:nginx": "", "cpe:2.3:x:f5:nginx:1": "", "nginx": "",
	} {
		if cpe, ok := shodan.CanonicalCPE(text); ok != (want != "") || ok && cpe != want {
			t.Errorf("%q is %q, %v", text, cpe, ok)
		}
	}
}

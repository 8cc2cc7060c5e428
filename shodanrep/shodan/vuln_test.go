package shodan_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestVulnerabilitiesAreByTheirOneID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`["cve-2020-0001", "CVE-2020-0001", " CVE-2020-0001", "\tCVE-2020-0002\n"]`: {"CVE-2020-0001", "CVE-2020-0002"},
		`["CVE-2020-0001,CVE-2020-0002", "CVE-2020-0003; cve-2020-0004"]`:           {"CVE-2020-0001", "CVE-2020-0002", "CVE-2020-0003", "CVE-2020-0004"},
		`"CVE-2020-0001, CVE-2020-0002"`:                                            {"CVE-2020-0001", "CVE-2020-0002"},
		`["", " ", ",", "CVE", "CVE-1,CVE-2", "CVE-20-0001", "CVE-2020-", "7", 7]`:  {},
		`["ms15-034", "MS17-010", "MS-15", "GHSA-jfh8-c2jp-5v3q", "CNVD-2020-10487", "CNNVD-202112-799"]`: {
			"CNNVD-202112-799", "CNVD-2020-10487", "GHSA-JFH8-C2JP-5V3Q", "MS15-034", "MS17-010"},
		`["!CVE-2020-0001", "! CVE-2020-0002", "CVE-2020-0003,!CVE-2020-0004"]`: {"CVE-2020-0003"},
		`{"cve-2020-0001 ": {}, "CVE-2020-0001": {}, "": {}, "!CVE-2020-0002": {}, "CVE-2020-0003,CVE-2020-0004": {}}`: {
			"CVE-2020-0001", "CVE-2020-0003", "CVE-2020-0004"},
	} {
		var v shodan.VulnMap
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, v.IDs()); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestTwoSpellingsOfAnIDAreOneVulnerability(t *testing.T) {
	t.Parallel()
	var v shodan.VulnMap
	if err := json.Unmarshal([]byte(`{"CVE-2020-0001": {"verified": false, "cvss": 5, "cvss_version": 2, "kev": false}, "cve-2020-0001": {"verified": true, "cvss": 9, "epss": 0.5, "kev": true, "summary": "s"}}`), &v); err != nil {
		t.Fatal(err)
	}
	got := v["CVE-2020-0001"]
	if len(v) != 1 || !got.Verified.V || !got.KEV.V || got.CVSS.V != 5 || got.CVSSVersion.V != 2 || got.EPSS.V != 0.5 || got.Summary != "s" {
		t.Errorf("%+v", v)
	}
}

func TestAMissingKEVIsFalseBesideEPSSAndElseUnknown(t *testing.T) {
	t.Parallel()
	no, yes, unknown := shodan.Null[bool]{Valid: true}, shodan.Null[bool]{V: true, Valid: true}, shodan.Null[bool]{}
	for text, want := range map[string]shodan.Null[bool]{
		`{"verified": false, "cvss": "7.2"}`: unknown,
		`{"epss": null}`:                     unknown,
		`{"epss": "high"}`:                   unknown,
		`{"epss": 0.1}`:                      no,
		`{"epss": "0"}`:                      no,
		`{"epss": 0.1, "kev": null}`:         no,
		`{"epss": 0.1, "kev": true}`:         yes,
		`{"kev": true}`:                      yes,
		`{"kev": false}`:                     no,
		`{"epss": 0.1, "kev": "perhaps"}`:    unknown,
		`null`:                               unknown,
	} {
		var v shodan.VulnMap
		if err := json.Unmarshal([]byte(`{"CVE-2019-0211": `+text+`}`), &v); err != nil || len(v) != 1 {
			t.Fatal(v, err)
		}
		if got := v["CVE-2019-0211"].KEV; got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func TestBannersOf2017AreReadWhole(t *testing.T) {
	t.Parallel()
	b, err := shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.31", "port": 443, "title": "Shop", "opts": {"vulns": ["CVE-2014-0160", "!CVE-2015-0204"], "heartbleed": "x"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"CVE-2014-0160"}, b.Vulns.IDs()); diff != "" || !b.Vulns["CVE-2014-0160"].Verified.V {
		t.Errorf("%+v", b.Vulns)
	}
	if b.HTTP == nil || b.HTTP.Title != "Shop" {
		t.Errorf("%+v", b.HTTP)
	}
	if h := shodan.MergeBanners([]shodan.Banner{*b}); len(h.Vulns) != 1 {
		t.Errorf("%+v", h.Vulns)
	}
	// Beside the newer places the older ones only add.
	b, err = shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.31", "port": 443, "title": "old", "http": {"title": "new"}, "vulns": {"CVE-2014-0160": {"verified": false, "cvss": 5}},
		"opts": {"vulns": ["CVE-2014-0160", "CVE-2014-0224"]}}`))
	if err != nil || b.HTTP.Title != "new" || !b.Vulns["CVE-2014-0160"].Verified.V || b.Vulns["CVE-2014-0160"].CVSS.V != 5 || len(b.Vulns) != 2 {
		t.Errorf("%+v %+v, %v", b.HTTP, b.Vulns, err)
	}
	for _, opts := range []string{`[]`, `"x"`, `{"vulns": 7}`, `{"vulns": []}`, `{"vulns": ["!CVE-2014-0160"]}`} {
		if b, err := shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.31", "port": 443, "opts": ` + opts + `}`)); err != nil || b.Vulns != nil || b.HTTP != nil {
			t.Errorf("%s: %+v %v", opts, b, err)
		}
	}
}

func TestOnlyPortsArePorts(t *testing.T) {
	t.Parallel()
	h, err := shodan.ParseInternetDB([]byte(`{"ip": "192.0.2.1", "ports": [-1, 0, 1, 65535, 65536, 99999999999, "443"], "tags": [], "vulns": []}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shodan.Ints{1, 443, 65535}, h.Ports); diff != "" {
		t.Error(diff)
	}
	h, err = shodan.ParseHost([]byte(`{"ip_str": "192.0.2.1", "ports": [-1, 0, 80, 99999999999], "data": [{"port": 0}, {"port": -1}, {"port": 70000}, {"port": 80}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shodan.Ints{0, 80}, h.Ports); diff != "" {
		t.Error(diff)
	}
	var valid []bool
	for _, b := range h.Banners {
		valid = append(valid, b.Port.Valid)
	}
	if diff := cmp.Diff([]bool{true, false, false, true}, valid); diff != "" {
		t.Errorf("the ports of the banners: %s", diff)
	}
	if h, err = shodan.ParseHost([]byte(`{"ip_str": "192.0.2.1", "ports": [0], "data": [{"port": -1}]}`)); err != nil || h.Ports == nil || len(h.Ports) != 0 {
		t.Errorf("%v, %v", h, err)
	}
	if _, err := shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.1", "port": 65536}`)); err == nil {
		t.Error("a line without a port is taken for a banner")
	}
}

func TestTimesThatCannotBeStoredAreMissing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"9999-12-31T23:59:59-01:00": false, "9999-12-31T23:59:59.999999999": true, "9999-12-31T23:59:59+01:00": true,
		"0001-01-01T00:30:00+01:00": false, "0000-06-01T00:00:00": false, "00000101000000Z": false, "0001-01-02T00:00:00": true,
	} {
		if got := shodan.ParseTime(text); got.IsZero() == want {
			t.Errorf("%s is read as %v", text, got)
		}
	}
	h, err := shodan.ParseHost([]byte(`{"ip_str": "192.0.2.1", "ports": [80], "last_update": "9999-12-31T23:59:59-01:00",
		"data": [{"port": 80, "timestamp": "9999-12-31T23:59:59-01:00", "ssl": {"cert": {"expires": "99991231235959Z"}}}]}`))
	if err != nil || h.LastUpdate.Ptr() != nil || h.Banners[0].Timestamp.Ptr() != nil {
		t.Errorf("%+v, %v", h, err)
	}
	if want := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC); !h.Banners[0].SSL.Cert.Expires.Equal(want) {
		t.Errorf("%v", h.Banners[0].SSL.Cert.Expires)
	}
}

func TestBannersOfAPortThatDifferInHostNameAreAllCurrent(t *testing.T) {
	t.Parallel()
	line := func(hour, name, product string) shodan.Banner {
		b, err := shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.50", "port": 443, "transport": "tcp", "timestamp": "2026-05-01T` + hour + `:00:00", "product": "` + product + `", ` + name + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return *b
	}
	requested := func(name string) string { return `"_shodan": {"options": {"hostname": "` + name + `"}}` }
	host := func(name string) string { return `"http": {"host": "` + name + `"}` }
	h := shodan.MergeBanners([]shodan.Banner{
		line("10", requested("a.example.com"), "older a"), line("11", requested("A.example.com."), "a"),
		line("10", host("b.example.com"), "b"), line("09", requested("b.example.com"), "older b"),
		line("10", host("192.0.2.50"), "none"), line("08", `"info": "x"`, "older none"), line("09", host("[2001:db8::1]"), "older none"),
	})
	var products []string
	for _, b := range h.Banners {
		products = append(products, string(b.Product))
	}
	if want := []string{"none", "a", "b"}; !slices.Equal(want, products) || len(h.Ports) != 1 {
		t.Errorf("%v, want %v; ports %v", products, want, h.Ports)
	}
}

func TestTheVulnerabilitiesOfAHostAreTheWorstOfItsBanners(t *testing.T) {
	t.Parallel()
	h, err := shodan.ParseHost([]byte(`{"ip_str": "192.0.2.1", "data": [
		{"port": 1, "vulns": {"CVE-2020-0001": {"verified": true, "epss": 0.5, "kev": true}}}, {"port": 2, "vulns": {"CVE-2020-0001": {"verified": false, "cvss": 5}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := h.Vulns["CVE-2020-0001"]
	if len(slices.Collect(maps.Keys(h.Vulns))) != 1 || !got.Verified.V || !got.KEV.V || got.EPSS.V != 0.5 || got.CVSS.V != 5 {
		t.Errorf("%+v", h.Vulns)
	}
}

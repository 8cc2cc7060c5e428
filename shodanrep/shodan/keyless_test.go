package shodan_test

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// ofAKey is what only a service with keys can speak of.
var ofAKey = regexp.MustCompile(`(?i)\bkey|api_key|\bplan\b|upgrade`)

func TestAServiceWithoutKeysNeverBlamesAKey(t *testing.T) {
	t.Parallel()
	const credits = `{"error": "Insufficient query credits"}`
	for _, test := range []struct {
		status int
		body   string
		want   shodan.Kind
	}{
		{403, `{"detail": "Forbidden"}`, shodan.Limited},
		{403, `{}`, shodan.Limited},
		{403, ``, shodan.Limited},
		{402, `{}`, shodan.Limited},
		{402, `{"detail": "Payment Required"}`, shodan.Limited},
		{401, `{}`, shodan.Limited},
		{401, credits, shodan.Limited},
		{200, `{"detail": "requires membership"}`, shodan.Unavailable},
		{400, credits, shodan.Invalid},
		{500, credits, shodan.Unavailable},
		{403, `<html>blocked by the proxy</html>`, shodan.Unavailable},
		{404, `{"detail": "No information available"}`, shodan.NotFound},
	} {
		t.Run(fmt.Sprintf("%d %s", test.status, test.body), func(t *testing.T) {
			t.Parallel()
			base := responding(t, test.status, map[string]string{"Retry-After": "7"}, test.body).BaseURL
			_, internetDB := (&shodan.InternetDB{BaseURL: base}).Host(t.Context(), addr)
			_, cveDB := (&shodan.CVEDB{BaseURL: base}).Get(t.Context(), "/cve/CVE-2024-0001", url.Values{})
			for _, err := range []error{internetDB, cveDB} {
				var failure *shodan.Error
				if !errors.As(err, &failure) || failure.Kind != test.want || ofAKey.MatchString(err.Error()) {
					t.Errorf("%v, want the kind %v and not a word of a key", err, test.want)
				}
				if test.want == shodan.Limited && failure.RetryAfter.Seconds() != 7 {
					t.Errorf("the pause that it asks for is %v", failure.RetryAfter)
				}
			}
		})
	}
}

func TestAnAnswerWithoutItsAddressOrItsListsIsUnexpected(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"ports": []}`, `{"ip": "not an address", "ports": [80]}`, `{"ip": null, "ports": [80]}`,
		`{"ip": "192.0.2.1", "ports": [80], "vulns": 7}`, `{"ip": "192.0.2.1", "ports": [80], "tags": 7}`,
		`{"ip": "192.0.2.1", "ports": [80], "hostnames": {}}`, `{"ip": "192.0.2.1", "ports": [80], "cpes": true}`,
		`{"ip": "192.0.2.1", "ports": "80,4444"}`, `{"ip": "192.0.2.1", "ports": {}}`, `{"ip": "192.0.2.1", "vulns": 7}`,
		`{"ip": "192.0.2.9", "ports": [80]}`, `{"vulns": 7}`, `{"ip": "192.0.2.1", "ports": [80], "tags": []}`, `{"ip": "192.0.2.1", "ports": [80], "vulns": []}`,
		`{"ip": "192.0.2.1", "ports": [{"port": 80}], "tags": [], "vulns": []}`, `{"ip": "192.0.2.1", "ports": ["http"], "tags": [], "vulns": []}`,
		`{"ip": "192.0.2.1", "ports": [80], "tags": [], "vulns": [{"cve_id": "CVE-2024-0001"}]}`, `{"ip": "192.0.2.1", "ports": [80], "tags": [["c2"]], "vulns": []}`,
		`{"ip": "192.0.2.1", "ports": [80], "tags": [], "vulns": null}`, `{"ip": "192.0.2.1", "ports": [80], "tags": null, "vulns": []}`,
	} {
		t.Run("InternetDB "+body, func(t *testing.T) {
			t.Parallel()
			h, err := (&shodan.InternetDB{BaseURL: responding(t, 200, nil, body).BaseURL}).Host(t.Context(), addr)
			if !errors.Is(err, shodan.ErrUnexpected) || !shodan.IsKind(err, shodan.Unavailable) {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
	for _, body := range []string{
		`{"ports": [80], "data": []}`, `{"ip_str": "x", "ports": [80], "data": []}`, `{"ports": "80,4444", "data": []}`,
		`{"ip_str": "192.0.2.1", "ports": "80,4444", "data": []}`, `{"ip_str": "192.0.2.1", "ports": [80], "data": "none"}`,
		`{"ip_str": "192.0.2.1", "ports": [80], "data": [], "vulns": 7}`, `{"ip_str": "192.0.2.1", "ports": [80], "data": {}}`,
		`{"ip_str": "192.0.2.1", "ports": [80], "data": [], "domains": 7}`, `{"ip_str": "192.0.2.9", "ports": [80]}`,
		`{"ip_str": "192.0.2.1", "ports": [{"port": 80}], "data": []}`, `{"ip_str": "192.0.2.1", "ports": [], "data": [[{"port": 80}]]}`,
		`{"ip_str": "192.0.2.1", "ports": [80], "data": [], "vulns": [{"cve_id": "CVE-2024-0001"}]}`,
		`{"ip_str": "192.0.2.1", "ports": null, "data": []}`, `{"ip_str": "192.0.2.1", "data": []}`, `{"ip_str": "192.0.2.1", "ports": null, "data": ["text"]}`,
	} {
		t.Run("the REST API "+body, func(t *testing.T) {
			t.Parallel()
			h, err := responding(t, 200, nil, body).Host(t.Context(), addr, shodan.HostOptions{})
			if !errors.Is(err, shodan.ErrUnexpected) || !shodan.IsKind(err, shodan.Unavailable) {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
	for _, body := range []string{
		`{"ip": 3221225985, "ports": [80], "data": null, "tags": "vpn", "vulns": {"CVE-2024-0001": {}}, "hostnames": null}`,
		`{"ip": 3221225985, "ports": [null], "data": [null], "tags": [""], "vulns": ["!CVE-2014-0160"], "hostnames": []}`,
	} {
		if _, err := responding(t, 200, nil, body).Host(t.Context(), addr, shodan.HostOptions{}); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

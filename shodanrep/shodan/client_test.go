package shodan_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const key = "NOTaREALkeyNOTaREALkeyNOTaREALke"

var addr = netip.MustParseAddr("192.0.2.1")

// responding starts a service that always sends the same response, and returns a client of it.
func responding(t *testing.T, status int, header map[string]string, body string) *shodan.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return &shodan.Client{BaseURL: server.URL, Key: key}
}

func TestEveryErrorOfTheServicesIsOfAKind(t *testing.T) {
	t.Parallel()
	const html = "<html><body>An error</body></html>"
	for name, tt := range map[string]struct {
		status int
		body   string
		want   shodan.Kind
	}{
		"a wrong key":                     {401, html, shodan.BadKey},
		"spent credits":                   {401, `{"error": "Insufficient query credits, please upgrade your API plan or wait for the monthly limit to reset"}`, shodan.CreditsSpent},
		"a plan too low":                  {403, `{"error": "Requires membership or higher to access"}`, shodan.PlanTooLow},
		"a plan without filters":          {200, `{"error": "Please upgrade your API plan to use filters or paging."}`, shodan.PlanTooLow},
		"nothing indexed":                 {404, `{"error": "No information available for that IP."}`, shodan.NotFound},
		"nothing indexed, InternetDB":     {404, `{"detail":"No information available"}`, shodan.NotFound},
		"a wrong path":                    {404, html, shodan.Unavailable},
		"an invalid address":              {404, `{"error": "Invalid IP"}`, shodan.Invalid},
		"an invalid request":              {400, `{"error": "Invalid IP"}`, shodan.Invalid},
		"a validation error":              {422, `{"detail":[{"loc":["path","ip"],"msg":"value is not a valid IPv4 or IPv6 address","type":"value_error"}]}`, shodan.Invalid},
		"too many requests":               {429, `{"error": "Request rate limit reached (1 request/ second). Please wait a second before trying again and slow down your API calls."}`, shodan.Limited},
		"too many requests under 503":     {503, `{"error": "Request rate limit reached (1 request/ second)."}`, shodan.Limited},
		"too many requests under 200":     {200, `{"error": "Request rate limit reached (1 request/ second)."}`, shodan.Limited},
		"too many requests, without JSON": {429, html, shodan.Limited},
		"a search that timed out":         {400, `{"error": "The search request timed out or your query was invalid."}`, shodan.Unavailable},
		"a request too long for a proxy":  {414, html, shodan.Invalid},
		"a request that took too long":    {408, `{"error": "Request Timeout"}`, shodan.Unavailable},
		"a bad request, by a proxy":       {400, html, shodan.Invalid},
		"a bad gateway":                   {502, html, shodan.Unavailable},
		"an odd status of a proxy":        {520, html, shodan.Unavailable},
		"a challenge page":                {403, html, shodan.Unavailable},
		"HTML where JSON should be":       {200, html, shodan.Unavailable},
		"truncated JSON":                  {200, `{"ip_str": "192.0.2.1", "ports": [80`, shodan.Unavailable},
		"another address's answer":        {200, `{"ip_str": "192.0.2.2", "ports": [80], "data": []}`, shodan.Unavailable},
		"an empty answer":                 {200, "", shodan.Unavailable},
		"an error that holds the key":     {400, `{"error": "bad key ` + key + `"}`, shodan.Invalid},
		"an error that holds HTML":        {400, `{"error": "<html>"}`, shodan.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := responding(t, tt.status, nil, tt.body).Host(t.Context(), addr, shodan.HostOptions{})
			var failure *shodan.Error
			if !errors.As(err, &failure) || failure.Kind != tt.want {
				t.Fatalf("%v, want an error of the kind %v", err, tt.want)
			}
			if strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "<") {
				t.Errorf("the error has the key or HTML in it: %v", err)
			}
		})
	}
}

func TestARefusalWithoutAKeySaysWhoRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status  int
		header  map[string]string
		body    string
		refuses bool
		want    string
	}{
		"JSON":                 {403, nil, `{"detail": "Forbidden"}`, true, "InternetDB refuses requests from here (127.0.0.1:%s: HTTP 403: Forbidden)"},
		"nothing":              {401, nil, "", true, "InternetDB refuses requests from here (127.0.0.1:%s: HTTP 401: Unauthorized)"},
		"a page":               {403, nil, "<html>blocked</html>", false, "InternetDB sent no usable response (HTTP 403: Forbidden, with an HTML page of 127.0.0.1:%s, perhaps by a proxy or firewall)"},
		"a page of Cloudflare": {403, map[string]string{"Cf-Ray": "8f2-FRA"}, "<html>blocked</html>", true, "InternetDB refuses requests from here (127.0.0.1:%s: HTTP 403: Forbidden)"},
		"its challenge":        {403, map[string]string{"Cf-Mitigated": "challenge"}, "<html>Just a moment...</html>", true, "InternetDB refuses requests from here (127.0.0.1:%s: HTTP 403: Forbidden)"},
		"a redirect":           {302, map[string]string{"Location": "http://user:secret@portal.example/login?to=x"}, "", false, "InternetDB sent no usable response (HTTP 302: a redirect to portal.example, which is not followed)"},
		"the rate, under 403":  {403, nil, `{"error": "Rate limit exceeded."}`, false, "InternetDB received too many requests (HTTP 403: Rate limit exceeded.)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := responding(t, test.status, test.header, test.body)
			_, err := (&shodan.InternetDB{BaseURL: c.BaseURL}).Host(t.Context(), addr)
			var failure *shodan.Error
			want := strings.Replace(test.want, "%s", c.BaseURL[strings.LastIndex(c.BaseURL, ":")+1:], 1)
			if !errors.As(err, &failure) || failure.RefusesClient() != test.refuses || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// TestARefusalThatIsNotForTheKeyIsForTheClient is about what Cloudflare, in front of the service, sends to clients that it
// blocks. More requests would prolong that.
func TestARefusalThatIsNotForTheKeyIsForTheClient(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		header map[string]string
		body   string
		want   shodan.Kind
	}{
		"a text":               {403, nil, "error code: 1020", shodan.Limited},
		"a page of Cloudflare": {403, map[string]string{"Server": "cloudflare"}, "<html>", shodan.Limited},
		"a page that names it": {403, nil, "<html>Attention Required! | Cloudflare</html>", shodan.Limited},
		"another page":         {403, nil, "<html>blocked by the firewall</html>", shodan.Unavailable},
		"a refused key":        {401, map[string]string{"Cf-Ray": "8f2-FRA"}, "<html>", shodan.BadKey},
		"a plan":               {403, map[string]string{"Cf-Ray": "8f2-FRA"}, `{"error": "Requires membership or higher to access"}`, shodan.PlanTooLow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := responding(t, test.status, test.header, test.body).Host(t.Context(), addr, shodan.HostOptions{})
			var failure *shodan.Error
			if !errors.As(err, &failure) || failure.Kind != test.want || failure.RefusesClient() != (test.want == shodan.Limited) {
				t.Errorf("%v, want an error of the kind %v", err, test.want)
			}
		})
	}
}

// roundTrip is a transport that, unlike that of net/http, does not set the request of a response.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARefusalThroughAnyTransportSaysWhoRefuses(t *testing.T) {
	t.Parallel()
	transport := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(`{"detail": "Forbidden"}`))}, nil
	})
	c := &shodan.InternetDB{BaseURL: "http://internetdb.example", HTTP: &http.Client{Transport: transport}}
	const want = "InternetDB refuses requests from here (internetdb.example: HTTP 403: Forbidden)"
	if _, err := c.Host(t.Context(), addr); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestRetryAfterAndMaxAgeAreRead(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{"7": 7 * time.Second, "": 0, "soon": 0, "-3": 0} {
		_, err := responding(t, 429, map[string]string{"Retry-After": value}, "{}").Host(t.Context(), addr, shodan.HostOptions{})
		var failure *shodan.Error
		if !errors.As(err, &failure) || failure.RetryAfter != want {
			t.Errorf("Retry-After: %q is read as %v, want %v", value, failure.RetryAfter, want)
		}
	}
	c := responding(t, 200, map[string]string{"Cache-Control": "public, max-age=432000"}, `{"cpes":[],"hostnames":[],"ip":"192.0.2.1","ports":[53],"tags":[],"vulns":[]}`)
	h, err := (&shodan.InternetDB{BaseURL: c.BaseURL}).Host(t.Context(), addr)
	if err != nil || h.MaxAge != 120*time.Hour || h.CPEs == nil || h.Domains != nil {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestTheKeyGoesNowhereElse(t *testing.T) {
	t.Parallel()
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.URL.String()+" "+r.Header.Get("Referer"))
	}))
	t.Cleanup(other.Close)
	_, err := responding(t, 302, map[string]string{"Location": other.URL}, "").Host(t.Context(), addr, shodan.HostOptions{})
	if !shodan.IsKind(err, shodan.Unavailable) || len(elsewhere) != 0 {
		t.Errorf("a redirect is followed to %v: %v", elsewhere, err)
	}
	c := &shodan.Client{BaseURL: "http://127.0.0.1:1", Key: key}
	if _, err := c.Host(t.Context(), addr, shodan.HostOptions{}); !shodan.IsKind(err, shodan.Unavailable) || strings.Contains(err.Error(), key) {
		t.Errorf("%v", err)
	}
	if _, _, err := shodan.Do(t.Context(), (&shodan.Client{BaseURL: "http://bad host", Key: key}).Get, shodan.Search("x", 1)); err == nil || strings.Contains(err.Error(), key) {
		t.Errorf("%v", err)
	}
}

func TestBulkAnswersAreForWhatWasAsked(t *testing.T) {
	t.Parallel()
	requested := []netip.Addr{addr, netip.MustParseAddr("192.0.2.2")}
	hosts, err := responding(t, 200, nil, `[{"ip_str": "192.0.2.1", "ports": [80], "data": []}]`).Hosts(t.Context(), requested, shodan.HostOptions{})
	if err != nil || len(hosts) != 1 || hosts[addr] == nil {
		t.Errorf("%v, %v", hosts, err)
	}
	for _, body := range []string{`[{"ip_str": "192.0.2.9", "ports": [80]}]`, `[null]`, `{"ip_str": "192.0.2.1", "ports": []}`, `[`} {
		if hosts, err := responding(t, 200, nil, body).Hosts(t.Context(), requested, shodan.HostOptions{}); err == nil {
			t.Errorf("%s is taken for %v", body, hosts)
		}
	}
}

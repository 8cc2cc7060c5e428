package shodan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// captured reads a real response.
func captured(t *testing.T, path ...string) []byte {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "captures")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the captured answers are not beside the project, in %s", dir)
	}
	body, err := os.ReadFile(filepath.Join(append([]string{dir}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestAListOfSomethingElseIsAnError checks responses that have the form of a list and nothing of its items.
func TestAListOfSomethingElseIsAnError(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"error": ""}`, `{"error": null}`, `{"error": {"code": 1}}`, `{}`} {
		if protocols, err := shodan.Protocols().Read([]byte(body)); err == nil {
			t.Errorf("%s is taken for the protocols %v", body, protocols)
		}
	}
}

func TestCapturedErrorsAreOfTheirKind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file    string
		status  int
		want    shodan.Kind
		keyless shodan.Kind // of InternetDB, where no key can be at fault
	}{
		{"api_401_badkey.html", 401, shodan.BadKey, shodan.Unavailable},
		{"api_401_quota.json", 401, shodan.CreditsSpent, shodan.Limited},
		{"api_403_membership.json", 403, shodan.PlanTooLow, shodan.Limited},
		{"api_404_noinfo.json", 404, shodan.NotFound, shodan.NotFound},
		{"api_502_nginx.html", 502, shodan.Unavailable, shodan.Unavailable},
		{"internetdb_404.json", 404, shodan.NotFound, shodan.NotFound},
		{"internetdb_429.json", 429, shodan.Limited, shodan.Limited},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			body := captured(t, "errors", test.file)
			c := responding(t, test.status, nil, string(body))
			_, rest := c.Host(t.Context(), addr, shodan.HostOptions{})
			_, internetDB := (&shodan.InternetDB{BaseURL: c.BaseURL}).Host(t.Context(), addr)
			for err, want := range map[error]shodan.Kind{rest: test.want, internetDB: test.keyless} {
				if !shodan.IsKind(err, want) || strings.Contains(err.Error(), "<") {
					t.Errorf("%v, want the kind %v", err, want)
				}
			}
		})
	}
}

func TestCapturedHostsAreReadWhole(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(filepath.Join("..", "..", "..", "shared", "captures", "host"))
	if err != nil {
		t.Skip("the captured answers are not beside the project")
	}
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			t.Parallel()
			body := captured(t, "host", entry.Name())
			h, err := shodan.ParseHost(body)
			if err != nil {
				t.Fatal(err)
			}
			var raw struct {
				IP        string   `json:"ip_str"`
				Ports     []int    `json:"ports"`
				Tags      []string `json:"tags"`
				Vulns     []string `json:"vulns"`
				Hostnames []string `json:"hostnames"`
				Org, ASN  string
				Data      []struct {
					Port      int
					Timestamp string
					Vulns     map[string]any
					SSL       *struct{ Cert *struct{ Serial json.Number } }
				}
			}
			if err := json.Unmarshal(body, &raw); err != nil {
				t.Fatal(err)
			}
			slices.Sort(raw.Ports)
			slices.Sort(raw.Vulns)
			slices.Sort(raw.Tags)
			if h.Addr.String() != raw.IP || !slices.Equal(h.Ports, raw.Ports) || !slices.Equal(h.Tags, raw.Tags) || len(h.Hostnames) != len(raw.Hostnames) ||
				string(h.Organization) != raw.Org || string(h.ASN) != raw.ASN || h.LastUpdate.IsZero() {
				t.Errorf("%+v", h)
			}
			if raw.Vulns != nil && !slices.Equal(h.Vulns.IDs(), raw.Vulns) {
				t.Errorf("vulns %v, want %v", h.Vulns.IDs(), raw.Vulns)
			}
			if len(h.Banners) != len(raw.Data) {
				t.Fatalf("%d banners of %d", len(h.Banners), len(raw.Data))
			}
			for i, want := range raw.Data {
				b := h.Banners[i]
				if int(b.Port.V) != want.Port || b.Timestamp.IsZero() || len(b.Vulns) != len(want.Vulns) || b.Addr != h.Addr || b.Module == "" {
					t.Errorf("banner %d: %+v", i, b)
				}
				if want.SSL != nil && want.SSL.Cert != nil && string(b.SSL.Cert.Serial) != want.SSL.Cert.Serial.String() {
					t.Errorf("banner %d: serial %s, want %s", i, b.SSL.Cert.Serial, want.SSL.Cert.Serial)
				}
			}
			// What is kept makes the same host again.
			again, err := shodan.ParseHost(h.Raw)
			if err != nil || !reflect.DeepEqual(again, h) {
				t.Errorf("read again it is another host: %v", err)
			}
		})
	}
}

func TestTheCapturedInternetDBAnswerIsReadWhole(t *testing.T) {
	t.Parallel()
	h, err := shodan.ParseInternetDB(captured(t, "internetdb", "1.1.1.1.json"))
	if err != nil {
		t.Fatal(err)
	}
	if h.Addr != netip.MustParseAddr("1.1.1.1") || len(h.Ports) == 0 || h.CPEs == nil || h.Hostnames == nil || h.Tags == nil || h.Vulns == nil || h.Banners != nil {
		t.Errorf("%+v", h)
	}
}

func TestTheClientAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t, shodantest.WithPlan("corp"))
	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Ports: []int{443, 22}, Tags: []string{"vpn"}, Vulns: []string{"CVE-2021-44228"}, Org: "Example"})
	sim.AddHost(shodantest.Host{IP: "2001:db8::1", Ports: []int{53}})
	c := &shodan.Client{BaseURL: sim.APIURL() + "/", Key: shodantest.Key, UserAgent: "test"}
	missing := netip.MustParseAddr("192.0.2.99")
	six := netip.MustParseAddr("2001:db8::1")

	for minify, banners := range map[bool]int{true: 0, false: 2} {
		h, err := c.Host(t.Context(), addr, shodan.HostOptions{Minify: minify})
		if err != nil || h.Addr != addr || !slices.Equal(h.Ports, []int{22, 443}) || len(h.Banners) != banners || h.Organization != "Example" {
			t.Errorf("minify %v: %+v, %v", minify, h, err)
		}
	}
	if _, err := c.Host(t.Context(), missing, shodan.HostOptions{}); !shodan.IsKind(err, shodan.NotFound) {
		t.Errorf("%v", err)
	}
	if h, err := c.Host(t.Context(), six, shodan.HostOptions{}); err != nil || h.Addr != six {
		t.Errorf("%+v, %v", h, err)
	}
	hosts, err := c.Hosts(t.Context(), []netip.Addr{addr, missing, six}, shodan.HostOptions{Minify: true})
	if err != nil || len(hosts) != 2 || hosts[addr] == nil || hosts[six] == nil {
		t.Errorf("%v, %v", hosts, err)
	}
	if result, _, err := shodan.Do(t.Context(), c.Get, shodan.Search("vuln:CVE-2021-44228", 1)); err != nil || result.Total.V != 1 || len(result.Matches) != 1 || result.Matches[0].Addr != addr {
		t.Errorf("%+v, %v", result, err)
	}
	if result, _, err := shodan.Do(t.Context(), c.Get, shodan.Search("port:53", 2)); err != nil || len(result.Matches) != 0 || result.Total.V != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	idb := &shodan.InternetDB{BaseURL: sim.InternetDBURL()}
	if h, err := idb.Host(t.Context(), addr); err != nil || !slices.Equal(h.Ports, []int{22, 443}) || h.MaxAge != 5*24*time.Hour || h.Vulns.IDs()[0] != "CVE-2021-44228" {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := idb.Host(t.Context(), missing); !shodan.IsKind(err, shodan.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestEveryOddBodyIsAnErrorAndNoHost(t *testing.T) {
	t.Parallel()
	for _, body := range shodantest.OddBodies {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			c := responding(t, 200, nil, body)
			for what, send := range map[string]func() (any, error){
				"Hosts": func() (any, error) {
					return c.Hosts(t.Context(), []netip.Addr{addr, addr.Next()}, shodan.HostOptions{})
				},
				"Search": func() (any, error) {
					page, _, err := shodan.Do(t.Context(), c.Get, shodan.Search("x", 1))
					return page, err
				},
			} {
				if what == "Hosts" && body == "[]" {
					continue // which says that none of them is indexed
				}
				if answer, err := send(); err == nil {
					t.Errorf("%s is taken for %+v", what, answer)
				} else if shodan.IsKind(err, shodan.NotFound) {
					t.Errorf("%s: %v, which says that nothing is indexed", what, err)
				}
			}
			h, err := c.Host(t.Context(), addr, shodan.HostOptions{})
			if err == nil && len(h.Ports)+len(h.Banners) == 0 && !strings.Contains(body, `"ports": {`) && !strings.Contains(body, `"ports": [`) && !strings.Contains(body, `"data"`) {
				t.Errorf("it is taken for %+v", h)
			}
		})
	}
}

func TestTheContextEndsARequest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/192.0.2.2") {
			w.WriteHeader(200)
			fmt.Fprint(w, `{"ports": [`)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	c := &shodan.Client{BaseURL: server.URL, Key: key}
	for _, addr := range []netip.Addr{addr, addr.Next()} { // before and within the answer
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := c.Host(ctx, addr, shodan.HostOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v: %v", addr, err)
		}
		cancel()
	}
}

func TestHeadersOfTime(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for value, want := range map[string]time.Duration{"3600": time.Hour, "9223372036854775807": year, "99999999999999999999": year, "0": 0, "1.5": 0, "-5": 0} {
		_, err := responding(t, 503, map[string]string{"Retry-After": value}, "").Host(t.Context(), addr, shodan.HostOptions{})
		var failure *shodan.Error
		if !errors.As(err, &failure) || failure.RetryAfter != want {
			t.Errorf("Retry-After %s: %v, want %v", value, failure.RetryAfter, want)
		}
	}
	_, err := responding(t, 429, map[string]string{"Retry-After": time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}, "").Host(t.Context(), addr, shodan.HostOptions{})
	var failure *shodan.Error
	if !errors.As(err, &failure) || failure.RetryAfter < 59*time.Minute || failure.RetryAfter > time.Hour {
		t.Errorf("a date in an hour: %v", failure.RetryAfter)
	}
	// By the clock of the service, which is not that of this machine.
	_, err = responding(t, 503, map[string]string{"Date": "Mon, 02 Jan 2006 15:04:05 GMT", "Retry-After": "Mon, 02 Jan 2006 15:05:05 GMT"}, "").Host(t.Context(), addr, shodan.HostOptions{})
	if !errors.As(err, &failure) || failure.RetryAfter != time.Minute {
		t.Errorf("a date in a minute by another clock: %v", failure.RetryAfter)
	}
	for value, want := range map[string]time.Duration{
		"max-age=60": time.Minute, "public,max-age=60,must-revalidate": time.Minute, "private": 0, "max-age=-1": 0, "max-age=x": 0, "s-maxage=60": 0,
		"max-age=9223372036854775807": year,
	} {
		c := responding(t, 200, map[string]string{"Cache-Control": value}, `{"ip": "192.0.2.1", "ports": [], "tags": [], "vulns": []}`)
		if h, err := (&shodan.InternetDB{BaseURL: c.BaseURL}).Host(t.Context(), addr); err != nil || h.MaxAge != want {
			t.Errorf("Cache-Control: %s: %+v, %v; want %v", value, h, err, want)
		}
	}
}

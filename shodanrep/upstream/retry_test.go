package upstream

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The last try may have milliseconds left. That it got no response in them says less than the response before.
func TestATryThatIsCutShortDoesNotHideWhyTheOneBeforeFailed(t *testing.T) {
	for name, test := range map[string]struct {
		faults []shodantest.Fault
		want   string
	}{
		"a page, then no response": {[]shodantest.Fault{{Status: 502, Times: 1}, {Kind: shodantest.Hang}}, "HTTP 502"},
		"no response":              {[]shodantest.Fault{{Kind: shodantest.Hang}}, "no response within 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				for _, f := range test.faults {
					sim.Fault(f)
				}
				c := client(internetDB(sim), cache.Off{}, 1)
				got := lookUp(t.Context(), c, []netip.Addr{netip.MustParseAddr("11.0.0.1")})
				if err := got[0].Err; err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
			})
		})
	}
}

// A request that found no connection was not sent, and costs nothing.
func TestOnlyRequestsThatWereSentAreCounted(t *testing.T) {
	addr := []netip.Addr{netip.MustParseAddr("11.0.0.1")}
	for name, test := range map[string]struct {
		transport transportFunc
		want      int64
	}{
		"no connection": {func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}, 0},
		"no proxy": {func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}
		}, 0},
		"an unusable proxy": {func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("%w: x", shodan.ErrProxy) }, 0},
		"no response": {func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
		}, maxTries},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := NewInternetDB(Endpoint{URL: "http://internetdb.test", Transport: test.transport})
				got := lookUp(t.Context(), client(s, cache.Off{}, 1), addr)
				if got[0].Err == nil || s.Requests() != test.want {
					t.Errorf("%v, %d requests, want %d", got[0].Err, s.Requests(), test.want)
				}
			})
		})
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A response that is too long is not sent for again: it would be as long, and cost as much.
func TestAResponseThatIsTooLongIsNotTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := NewInternetDB(Endpoint{URL: "http://internetdb.test", Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, ContentLength: shodan.MaxBody + 1, Body: http.NoBody, Request: req}, nil
		})})
		got := lookUp(t.Context(), client(s, cache.Off{}, 1), []netip.Addr{netip.MustParseAddr("11.0.0.1")})
		if err := got[0].Err; !errors.Is(err, shodan.ErrTooLong) || s.Requests() != 1 {
			t.Errorf("%v after %d requests", err, s.Requests())
		}
	})
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

const (
	// requestTimeout is how long a service may take to respond.
	requestTimeout = 10 * time.Second
	// clockTolerance is how far the clock may be from a service's clock: the Date header has whole seconds, and a
	// request takes time.
	clockTolerance = time.Minute
)

// keyAndSources checks the API key, and says in which source addresses would be looked up, if that is known.
func (d *doctor) keyAndSources(ctx context.Context, line lineFunc, c embedded.Connection, s shodanrep.ConnectionSummary) {
	if planAllows, err := d.key(ctx, line, c, s); err == nil {
		sources(line, s, planAllows)
	}
}

// key checks the API key, and reports whether its plan may look up hosts. It returns an error if that is unknown.
func (d *doctor) key(ctx context.Context, line lineFunc, c embedded.Connection, s shodanrep.ConnectionSummary) (planAllows bool, err error) {
	if s.KeyOrigin == "" {
		line(checkOK, "API key", "none: addresses are looked up in InternetDB, which needs none and is free for "+
			"non-commercial use; api_key or SHODAN_API_KEY sets one")
		if err := shodanrep.CheckKeyFile(); err != nil {
			line(checkWarning, "API key", "%v", err)
		}
		return false, nil
	}
	line(checkOK, "API key", "from %s", s.KeyOrigin)
	rows, err := d.query(ctx, c, "select plan, query_credits, scan_credits from shodan_api_info")
	if err != nil {
		line(checkError, "API key", "%v", err)
		return false, err
	}
	plan, credits := rows[0]["plan"], rows[0]["query_credits"]
	// Shodan's free plan, since the middle of 2023.
	if plan == "oss" {
		line(checkWarning, "plan", "oss, Shodan's free plan, may neither look up hosts nor search: addresses are looked up in InternetDB")
		return false, nil
	}
	result := checkOK
	if n, ok := credits.(int64); ok && n == 0 {
		result = checkWarning
	}
	line(result, "plan", "%v; %s query credits left this month, which searches cost and host lookups do not", plan, orUnknown(credits))
	return true, nil
}

func orUnknown(v any) string {
	if n, ok := v.(int64); ok {
		return humanize.Comma(n)
	}
	return "an unknown number of"
}

// certificates checks the files that name the certificates of services.
func certificates(line lineFunc) {
	for _, variable := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value := os.Getenv(variable); value != "" {
			if !shodan.UsesCertificateFiles {
				line(checkOK, "certificates", "are those that this system trusts; %s is not used", variable)
				continue
			}
			result, missing := checkOK, ""
			for _, path := range filepath.SplitList(value) {
				if _, err := os.Stat(path); err != nil {
					result, missing = checkError, ": "+err.Error()
				}
			}
			line(result, "certificates", "%s = %s%s", variable, value, missing)
		}
	}
}

// A service is one that doctor tries to reach.
type service struct {
	name, url string
	needed    bool          // otherwise only some tables use it
	skew      chan<- skewed // takes one value, also if the service was not reached
}

// skewed is how far the clock is ahead of a service's clock, if that is known.
type skewed struct {
	skew  time.Duration
	known bool
}

// networkChecks check that the services can be reached, through which proxy, and then the clock.
func networkChecks(ctx context.Context, s shodanrep.ConnectionSummary) (checks []checkFunc) {
	needsInternetDB := s.InternetDBFile == "" && (s.Source == "auto" || s.Source == "internetdb")
	services := []service{{name: "InternetDB", url: s.InternetDBURL, needed: needsInternetDB}, {name: "CVEDB", url: s.CVEDBURL}}
	if s.KeyOrigin != "" {
		services = append(services, service{name: "REST API", url: s.APIURL, needed: true})
	}
	skews := make([]<-chan skewed, len(services)) // in the order of the services, so that the clock's line is always the same
	for i, service := range services {
		skew := make(chan skewed, 1)
		service.skew, skews[i] = skew, skew
		checks = append(checks, func(line lineFunc) { service.check(ctx, line) })
	}
	return append(checks, func(line lineFunc) { checkClock(line, skews) })
}

// check checks that the service can be reached.
func (s service) check(ctx context.Context, line lineFunc) {
	by := proxyOf(s.url)
	took, skew, err := reach(ctx, s.url)
	s.skew <- skewed{skew, err == nil}
	if err != nil {
		result := checkWarning
		if s.needed {
			result = checkError
		}
		line(result, s.name, "%s cannot be reached%s: %v; check the network, and HTTPS_PROXY if you need a proxy", s.url, by, err)
		return
	}
	line(checkOK, s.name, "%s responds in %v%s", s.url, max(took.Round(time.Millisecond), time.Millisecond), by)
}

// checkClock compares the clock with those of the services that were reached.
func checkClock(line lineFunc, skews []<-chan skewed) {
	compared := false
	for _, one := range skews {
		switch s := <-one; {
		case !s.known:
		case s.skew.Abs() > clockTolerance:
			line(checkWarning, "clock", "this machine's clock is %v off a service's: set it, or cached responses expire at the wrong time", s.skew.Round(time.Second))
			return
		default:
			compared = true
		}
	}
	if compared {
		line(checkOK, "clock", "agrees with the services'")
	}
}

// proxyOf names the proxy for requests to an address, without its password.
func proxyOf(address string) string {
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return ""
	}
	proxy, err := lookup.Proxy(request)
	switch {
	case err != nil:
		return "" // the error of the request says it
	case proxy != nil:
		return " through the proxy " + proxy.Redacted()
	}
	return ""
}

// reach sends one request to a service, without the API key. Any response will do. It returns how long the response
// took, and how far the clock is ahead of the service's clock.
func reach(ctx context.Context, address string) (took, skew time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, waitlimit.Of(requestTimeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address+"/", nil)
	if err != nil {
		return 0, 0, err
	}
	request.Header.Set("User-Agent", "steampipe-plugin-shodanrep/"+shodanrep.Version())
	transport := http.DefaultTransport.(*http.Transport).Clone()
	lookup.UseProxy(transport)
	defer transport.CloseIdleConnections()
	began := time.Now()
	response, err := transport.RoundTrip(request)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no response within %v", requestTimeout)
	}
	if err != nil {
		if reason, ok := err.(*url.Error); ok {
			err = reason.Err
		}
		return 0, 0, shodan.WithAdvice(err)
	}
	response.Body.Close()
	took = time.Since(began)
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		skew = time.Since(date)
	}
	return took, skew, nil
}

// history opens the history, and says where it is and how large. A query does not fail because of one that cannot be used.
func (d *doctor) history(ctx context.Context, line lineFunc, c embedded.Connection) {
	store, err := shodanrep.OpenHistory(c.Name, c.Config, hclog.NewNullLogger()) // the line says why it cannot be used
	if err != nil {
		line(checkError, "history", "%v", err)
		return
	}
	defer store.Close()
	stats, err := store.Stats(ctx)
	switch {
	case err != nil:
		line(checkWarning, "history", "%v", err)
	case !store.Records():
		line(checkOK, "history", "off: what is looked up is not recorded")
	default:
		line(checkOK, "history", "%s: %s, %s, %s", stats.Location, display.Plural(stats.Addresses, "address"),
			display.Plural(stats.States, "state"), humanize.Bytes(uint64(max(0, stats.Bytes))))
	}
}

// cache opens the cache, and says how large it is.
func (d *doctor) cache(ctx context.Context, line lineFunc, c embedded.Connection) {
	store, err := shodanrep.OpenCache(ctx, c.Name, c.Config, d.logger(false))
	if err != nil {
		line(checkWarning, "cache", "%v; until then each process has a cache of its own, in memory", err)
		return
	}
	defer store.Close()
	stats, err := store.Stats(ctx)
	if err != nil {
		line(checkWarning, "cache", "%v", err)
		return
	}
	if stats.IsOff() {
		line(checkOK, "cache", "off: responses are not kept, and each lookup sends a request")
		return
	}
	line(checkOK, "cache", "%s: %s, %s", stats.Location, display.Plural(stats.Entries, "response"), humanize.Bytes(uint64(max(0, stats.Bytes))))
}

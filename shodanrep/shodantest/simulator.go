// Package shodantest simulates Shodan's REST API, InternetDB, CVEDB and exploit search: their responses, errors, limits
// and faults, for hosts that a test makes or that were captured. It does not use the clients of package shodan, so that
// a mistake in a client cannot hide here as well.
//
//	sim := shodantest.New(t, shodantest.WithRateLimit(shodantest.Shodan, 1, 1))
//	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Ports: []int{22, 443}, Vulns: []string{"CVE-2021-44228"}})
//	client := &shodan.Client{BaseURL: sim.APIURL(), Key: shodantest.Key}
//
// To start it from a shell: go run ./shodanrep/tools/simulator
package shodantest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The services of the simulator.
const (
	Shodan     = "shodan"     // the REST API
	InternetDB = "internetdb" // the free service
	CVEDB      = "cvedb"      // the database of vulnerabilities
	Exploits   = "exploits"   // the exploit search
)

// The paths of the services. The REST API is also at the root, for clients such as python3-shodan whose base URL has no
// path.
const (
	APIPath        = "/api"
	InternetDBPath = "/internetdb"
	CVEDBPath      = "/cvedb"
	ExploitsPath   = "/exploits"
)

// Key is the API key that the simulator accepts by default, see WithKey. It has the form of Shodan's keys.
const Key = "SIMULATEDkeyNOTaREALone012345678"

// HookSecret is in the URL of an alert's webhook. Shodan's response contains it, and nothing may show it.
const HookSecret = "INVENTEDhookSECRET"

// Simulator is an http.Handler for all services. It is safe for concurrent use.
type Simulator struct {
	settings
	base   string // scheme, host and prefix of the URLs of the services
	prefix string // optional prefix of their paths; empty without a server

	mu        sync.RWMutex
	hosts     map[netip.Addr]*entry
	added     []*entry            // in order, for searches
	generated int                 // how many generated hosts exist
	records   map[string][]Record // by domain
	cves      map[string]CVE
	exploits  []Exploit

	record record
	faults faults

	limits struct {
		sync.Mutex
		buckets  map[caller]*bucket
		accounts map[string]*account
		strikes  int // 429s of InternetDB since the last ban
		banned   time.Time
		bans     int
	}
}

// simulators counts the simulators of the process.
var simulators atomic.Int64

// New starts a simulator on a free port of 127.0.0.1. It stops at the end of the test.
func New(t testing.TB, opts ...Option) *Simulator {
	t.Helper()
	s := NewHandler(opts...)
	// A later simulator may get the port of an earlier one, and clients store facts on a service, such as a ban, by its
	// URL. So each simulator has a number in its URL.
	s.prefix = fmt.Sprintf("/simulator-%d", simulators.Add(1))
	server := httptest.NewServer(s)
	s.base = server.URL + s.prefix
	t.Cleanup(func() {
		server.CloseClientConnections() // Close would wait for requests with a Hang fault
		server.Close()
	})
	return s
}

// NewHandler makes a simulator without a server, for another server or for use through Transport.
func NewHandler(opts ...Option) *Simulator {
	s := &Simulator{base: "http://shodan.invalid", settings: defaults()}
	for _, opt := range opts {
		opt(&s.settings)
	}
	s.record.forgets = s.forgets
	s.hosts, s.records = map[netip.Addr]*entry{}, map[string][]Record{}
	s.cves = map[string]CVE{}
	s.limits.buckets = map[caller]*bucket{}
	s.limits.accounts = map[string]*account{}
	for _, a := range s.accounts {
		s.limits.accounts[a.key] = &a
	}
	return s
}

// APIURL returns the base URL of the REST API.
func (s *Simulator) APIURL() string { return s.base + APIPath }

// InternetDBURL returns the base URL of InternetDB.
func (s *Simulator) InternetDBURL() string { return s.base + InternetDBPath }

// CVEDBURL returns the base URL of CVEDB.
func (s *Simulator) CVEDBURL() string { return s.base + CVEDBPath }

// ExploitsURL returns the base URL of the exploit search.
func (s *Simulator) ExploitsURL() string { return s.base + ExploitsPath }

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.route(r)
	done := s.record.begin(&c)
	status := 0
	// Deferred, because a handler drops a connection by a panic.
	defer func() {
		s.log(&c, status)
		done(status)
	}()
	a := s.respond(&c)
	if !sleep(r, s.latency) {
		return
	}
	if f := s.faults.match(&c); f != nil {
		status = f.play(w, r, a)
		return
	}
	status = a.status
	a.write(w)
}

// sleep waits. It returns false if the client has gone before the end.
func sleep(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// call is a request to a service.
type call struct {
	Request
	r    *http.Request
	path string // within the service
}

// route finds the service, the endpoint and the target of a request.
func (s *Simulator) route(r *http.Request) call {
	c := call{r: r, path: r.URL.Path}
	if rest, ok := strings.CutPrefix(c.path, s.prefix+"/"); ok {
		c.path = "/" + rest
	}
	if rest, ok := strings.CutPrefix(c.path, InternetDBPath+"/"); ok {
		c.Service, c.path = InternetDB, "/"+rest
	} else if rest, ok := strings.CutPrefix(c.path, CVEDBPath+"/"); ok {
		c.Service, c.path = CVEDB, "/"+rest
	} else if rest, ok := strings.CutPrefix(c.path, ExploitsPath+"/"); ok {
		c.Service, c.path = Exploits, "/"+rest
	} else if rest, ok := strings.CutPrefix(c.path, APIPath+"/"); ok {
		c.Service, c.path = Shodan, "/"+rest
	} else if _, err := netip.ParseAddr(strings.TrimPrefix(c.path, "/")); err == nil {
		c.Service = InternetDB // an address alone is not a path of the REST API
	} else {
		c.Service = Shodan
	}
	switch c.Service {
	case InternetDB:
		c.Endpoint, c.Target = EndpointInternetDB, strings.TrimPrefix(c.path, "/")
		return c
	case CVEDB:
		c.Endpoint = c.path
		c.Target, _ = url.QueryUnescape(r.URL.RawQuery)
		if id, ok := strings.CutPrefix(c.path, "/cve/"); ok {
			c.Endpoint, c.Target = EndpointCVE, id
		}
		return c
	}
	c.Key = r.URL.Query().Get("key")
	if c.Service == Exploits {
		c.Endpoint, c.Target = c.path, r.URL.Query().Get("query")
		return c
	}
	c.Endpoint, c.Target = endpoint(c.path, r.URL.Query())
	return c
}

// respond makes the response to a request. It first checks the method, the key and the limits.
func (s *Simulator) respond(c *call) *response {
	switch {
	case c.r.Method != http.MethodGet && c.r.Method != http.MethodHead:
		return htmlPage(http.StatusMethodNotAllowed)
	case c.Service == InternetDB:
		if !s.allow(c) {
			return s.limited(internetDBLimited)
		}
		return s.internetDB(c.Target)
	case c.Service == CVEDB:
		if !s.allow(c) {
			return s.limited(cveDBLimited)
		}
		return s.cveDB(c)
	case !s.known(c.Key):
		return htmlResponse(http.StatusUnauthorized, unauthorizedPage)
	case !s.allow(c):
		return s.limited(apiLimited)
	case c.Service == Exploits:
		return s.searchExploits(c)
	}
	return s.rest(c)
}

// Package shodantest simulates Shodan's REST API, InternetDB and CVEDB: their answers, their errors, their limits and their
// bad days, over hosts that a test invents or that were captured. Nothing in it uses the clients of package shodan, so
// that a mistake in those can't hide here as well.
//
//	sim := shodantest.New(t, shodantest.WithRateLimit(shodantest.Shodan, 1, 1))
//	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Ports: []int{22, 443}, Vulns: []string{"CVE-2021-44228"}})
//	client := &shodan.Client{BaseURL: sim.APIURL(), Key: shodantest.Key}
//
// By hand: go run ./shodanrep/tools/simulator
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

// The services that the simulator plays.
const (
	Shodan     = "shodan"     // the REST API
	InternetDB = "internetdb" // the free one
	CVEDB      = "cvedb"      // the one of vulnerabilities
	Exploits   = "exploits"   // the search for exploits
)

// The paths under which the services are found. The REST API is at the bare root too, for clients such as
// python3-shodan whose base address is a host.
const (
	APIPath        = "/api"
	InternetDBPath = "/internetdb"
	CVEDBPath      = "/cvedb"
	ExploitsPath   = "/exploits"
)

// Key is the API key that the simulator takes, unless WithKey says otherwise. It has the form of Shodan's.
const Key = "SIMULATEDkeyNOTaREALone012345678"

// HookSecret is in the address of a webhook that an alert tells. Shodan's answer has it, and nothing may show it.
const HookSecret = "INVENTEDhookSECRET"

// Simulator is Shodan's REST API, InternetDB and CVEDB in one http.Handler. It is safe for concurrent use.
type Simulator struct {
	settings
	base   string // scheme, host and prefix, before the paths of the services
	prefix string // of the paths of the services, which may be missing; empty where there is no server

	mu        sync.RWMutex
	hosts     map[netip.Addr]*entry
	added     []*entry            // in the order they were added, for searches
	generated int                 // how many of the addresses of GeneratedAddr are known
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

// New starts a simulator on a free port of 127.0.0.1, which closes with the test.
func New(t testing.TB, opts ...Option) *Simulator {
	t.Helper()
	s := NewHandler(opts...)
	// A later simulator may get the port of an earlier one, and what was learned of that one, such as a ban, is
	// remembered by its address. So the address has a number that no other simulator has.
	s.prefix = fmt.Sprintf("/simulator-%d", simulators.Add(1))
	server := httptest.NewServer(s)
	s.base = server.URL + s.prefix
	t.Cleanup(func() {
		server.CloseClientConnections() // ends what a Hang fault holds, for which Close would wait
		server.Close()
	})
	return s
}

// NewHandler makes a simulator without a server, to be served by other means or asked through Transport.
func NewHandler(opts ...Option) *Simulator {
	s := &Simulator{base: "http://shodan.invalid", settings: defaults()}
	for _, opt := range opts {
		opt(&s.settings)
	}
	s.hosts, s.records = map[netip.Addr]*entry{}, map[string][]Record{}
	s.cves = map[string]CVE{}
	s.limits.buckets = map[caller]*bucket{}
	s.limits.accounts = map[string]*account{}
	for _, a := range s.accounts {
		s.limits.accounts[a.key] = &a
	}
	return s
}

// APIURL is the address of the REST API, for a client's base URL.
func (s *Simulator) APIURL() string { return s.base + APIPath }

// InternetDBURL is the address of InternetDB, for a client's base URL.
func (s *Simulator) InternetDBURL() string { return s.base + InternetDBPath }

// CVEDBURL is the address of CVEDB, for a client's base URL.
func (s *Simulator) CVEDBURL() string { return s.base + CVEDBPath }

// ExploitsURL is the address of the search for exploits, for a client's base URL.
func (s *Simulator) ExploitsURL() string { return s.base + ExploitsPath }

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.route(r)
	done := s.record.begin(&c)
	status := 0
	// Deferred, because a dropped connection is left by a panic, as net/http has it.
	defer func() {
		s.log(&c, status)
		done(status)
	}()
	a := s.answer(&c)
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

// sleep waits. It reports false where the caller went away meanwhile.
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

// call is one request as the services see it.
type call struct {
	Request
	r    *http.Request
	path string // within the service
}

// route finds the service, the endpoint and the subject of a request.
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
		c.Service = InternetDB // an address alone is no path of the REST API
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

// answer decides what a request is told: first whether it may ask at all, then what it asked for.
func (s *Simulator) answer(c *call) *answer {
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
		return htmlAnswer(http.StatusUnauthorized, unauthorizedPage)
	case !s.allow(c):
		return s.limited(apiLimited)
	case c.Service == Exploits:
		return s.exploitsAnswer(c)
	}
	return s.rest(c)
}

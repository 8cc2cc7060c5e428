package shodantest

import (
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// FaultKind is what a Fault does.
type FaultKind int

// The kinds of faults.
const (
	Respond   FaultKind = iota // respond with the fault's Status and Body
	Truncated                  // the first half of the normal response: 200, and incomplete JSON
	BrokenOff                  // the connection ends in the middle of the normal response
	Dropped                    // the connection ends before any response
	Hang                       // no response until the client gives up
)

// Bodies for faults, which the services and the servers in front of them are known to send.
const (
	BodyUpgradePlan  = `{"error": "Please upgrade your API plan to use filters or paging."}`
	BodyQueryRefused = queryRefused
	BodyRateLimited  = apiLimited
	BodyPlanTooLow   = planTooLow
	BodyChallenge    = `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title><meta http-equiv="refresh" content="390"></head><body class="no-js"><div class="main-wrapper" role="main"></div></body></html>`
)

// BodyPage returns the HTML error page of a web server in front of the service, such as for a 502.
func BodyPage(status int) string { return page(status) }

// OddBodies are JSON texts that no service should send.
var OddBodies = []string{
	`null`, `[]`, `{}`, `""`, `0`, `true`, `[null]`, `[[]]`, `[{}]`, `{"data": null}`, `{"error": ""}`,
	`{"data": {}, "ports": {}, "ip_str": []}`, `{"ports": null, "tags": null, "vulns": 7, "data": [null, 3, "x", []]}`,
	`{"ip": {}, "ports": ["a", {}, null], "hostnames": "x", "cpes": 1, "tags": {}, "vulns": [[]]}`,
	`{"matches": null, "total": "many"}`, `{"matches": {"0": {}}, "total": null}`, `{"detail": {"loc": []}}`,
}

// Fault makes requests fail. Its first three fields select the requests; an empty field selects all.
type Fault struct {
	Service  string
	Endpoint string
	Target   string // an address, also one of several in a request, or a whole query

	Skip  int // how many of the selected requests succeed first
	Times int // how many requests fail; 0: all

	// Probability is the probability of failing, if it is neither 0 nor 1. Whether the nth request for a target fails
	// depends only on Seed, and not on concurrent requests.
	Probability float64
	Seed        uint64

	Kind   FaultKind
	Status int         // for Respond; 0: 200
	Body   string      // for Respond: JSON, HTML if it begins with "<", or nothing
	Header http.Header // for Respond: additional headers
}

// fault is an active Fault.
type fault struct {
	Fault
	fits  int            // selected requests so far
	hits  int            // failed requests so far
	tries map[string]int // requests by target
}

type faults struct {
	mu   sync.Mutex
	list []*fault
}

// Fault adds a fault. If several faults select a request, the first one applies. After Dropped, net/http may retry the
// request itself if the connection had been used before.
func (s *Simulator) Fault(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, &fault{Fault: f, tries: map[string]int{}})
}

// ClearFaults removes all faults.
func (s *Simulator) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

// match returns the fault of a request, or nil.
func (fs *faults) match(c *call) *Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.list {
		if f.fit(c) && f.hit(c) {
			return &f.Fault
		}
	}
	return nil
}

func (f *fault) fit(c *call) bool {
	return (f.Service == "" || f.Service == c.Service) &&
		(f.Endpoint == "" || f.Endpoint == c.Endpoint) &&
		(f.Target == "" || f.Target == c.Target || slices.Contains(strings.Split(c.Target, ","), f.Target))
}

func (f *fault) hit(c *call) bool {
	if f.fits++; f.fits <= f.Skip || f.Times > 0 && f.hits >= f.Times {
		return false
	}
	if f.Probability > 0 && f.Probability < 1 {
		name := c.Service + " " + c.Target
		try := f.tries[name]
		f.tries[name]++
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(name + " " + strconv.Itoa(try)))
		if rand.New(rand.NewPCG(f.Seed, hash.Sum64())).Float64() >= f.Probability {
			return false
		}
	}
	f.hits++
	return true
}

// play sends the faulty response and returns the status that the client sees.
func (f *Fault) play(w http.ResponseWriter, r *http.Request, right *response) int {
	switch f.Kind {
	case Truncated:
		cut := *right
		cut.body = cut.body[:len(cut.body)/2]
		cut.write(w)
		return cut.status
	case BrokenOff:
		w.Header().Set("Content-Type", right.header.Get("Content-Type"))
		w.Header().Set("Content-Length", strconv.Itoa(len(right.body)))
		w.WriteHeader(right.status)
		_, _ = w.Write(right.body[:len(right.body)/2])
		_ = http.NewResponseController(w).Flush() // so that the first half does arrive
		panic(http.ErrAbortHandler)
	case Dropped:
		panic(http.ErrAbortHandler)
	case Hang:
		<-r.Context().Done()
		return 0
	}
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	a := errorResponse(status, f.Body)
	if isHTML(f.Body) {
		a = htmlResponse(status, f.Body)
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	a.write(w)
	return status
}

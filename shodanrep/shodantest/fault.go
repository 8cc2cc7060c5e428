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
	Respond   FaultKind = iota // answer with the fault's Status and Body instead
	Truncated                  // the right answer, cut in the middle: 200, and no whole JSON
	BrokenOff                  // the connection ends in the middle of the right answer
	Dropped                    // the connection ends before any answer
	Hang                       // no answer until the caller gives up
)

// Bodies for faults, as the services and what stands before them are known to send.
const (
	BodyUpgradePlan  = `{"error": "Please upgrade your API plan to use filters or paging."}`
	BodyQueryRefused = queryRefused
	BodyRateLimited  = apiLimited
	BodyPlanTooLow   = planTooLow
	BodyChallenge    = `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title><meta http-equiv="refresh" content="390"></head><body class="no-js"><div class="main-wrapper" role="main"></div></body></html>`
)

// BodyPage is an HTML error page as a web server before the service makes it, such as of a 502.
func BodyPage(status int) string { return page(status) }

// OddBodies are answers that are JSON but none that a service should give.
var OddBodies = []string{
	`null`, `[]`, `{}`, `""`, `0`, `true`, `[null]`, `[[]]`, `[{}]`, `{"data": null}`, `{"error": ""}`,
	`{"data": {}, "ports": {}, "ip_str": []}`, `{"ports": null, "tags": null, "vulns": 7, "data": [null, 3, "x", []]}`,
	`{"ip": {}, "ports": ["a", {}, null], "hostnames": "x", "cpes": 1, "tags": {}, "vulns": [[]]}`,
	`{"matches": null, "total": "many"}`, `{"matches": {"0": {}}, "total": null}`, `{"detail": {"loc": []}}`,
}

// Fault makes requests fail. Its first three fields choose which; what is empty fits all.
type Fault struct {
	Service  string
	Endpoint string
	Target   string // an address, also among others in one request, or a whole query

	Skip  int // how many requests that fit go by first
	Times int // how often; 0: always

	// Probability of failing, where it is neither 0 nor 1. Whether the nth request for a subject fails depends on Seed
	// only, not on what happens to be asked at the same time.
	Probability float64
	Seed        uint64

	Kind   FaultKind
	Status int         // of an Answer; 0: 200
	Body   string      // of an Answer: JSON, HTML where it begins with "<", or nothing
	Header http.Header // of an Answer, added
}

// fault is a Fault at work.
type fault struct {
	Fault
	fits  int            // requests that fitted so far
	hits  int            // of which failed
	tries map[string]int // by subject
}

type faults struct {
	mu   sync.Mutex
	list []*fault
}

// Fault adds a fault. Where several fit a request, the first one added is it. A connection that is Dropped before any
// answer may be asked again by net/http itself, where it had been used before.
func (s *Simulator) Fault(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, &fault{Fault: f, tries: map[string]int{}})
}

// ClearFaults ends all faults.
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

// play does what the fault is, instead of or to the right answer, and returns the status that the caller sees.
func (f *Fault) play(w http.ResponseWriter, r *http.Request, right *answer) int {
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
	a := errorAnswer(status, f.Body)
	if isHTML(f.Body) {
		a = htmlAnswer(status, f.Body)
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	a.write(w)
	return status
}

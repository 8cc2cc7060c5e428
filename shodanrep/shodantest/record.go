package shodantest

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Request is one request that the simulator was sent.
type Request struct {
	Time     time.Time // when it arrived
	Service  string    // Shodan, InternetDB or CVEDB
	Endpoint string    // such as EndpointHost
	Target   string    // the address or the addresses, the query, the names, the CVE asked for; all parameters of a list of CVEs
	Key      string    // the API key it came with
	Status   int       // what it was answered, 0 while it is under way or where its caller went away or was dropped
}

// record is the requests so far.
type record struct {
	mu       sync.Mutex
	requests []Request
	inFlight int
	peak     int
}

// begin notes the arrival of a request, and its end when the function it returns is called.
func (rec *record) begin(c *call) (done func(status int)) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	// The time is taken under the lock, so that the limits see time run forwards only.
	c.Time = time.Now()
	i := len(rec.requests)
	rec.requests = append(rec.requests, c.Request)
	rec.inFlight++
	rec.peak = max(rec.peak, rec.inFlight)
	return func(status int) {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.requests[i].Status = status
		rec.inFlight--
	}
}

// Requests returns the requests so far, in the order they arrived.
func (s *Simulator) Requests() []Request {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return slices.Clone(s.record.requests)
}

// Count is the number of requests to a service so far, to all for "".
func (s *Simulator) Count(service string) int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	n := 0
	for i := range s.record.requests {
		if service == "" || s.record.requests[i].Service == service {
			n++
		}
	}
	return n
}

// MaxInFlight is the highest number of requests that were under way at once.
func (s *Simulator) MaxInFlight() int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.peak
}

// PeakPerSecond is the highest number of requests with one key that a service was sent in any one second, those it
// refused included: of all windows [t, t+1s), not only of those that begin with a second of the clock.
func (s *Simulator) PeakPerSecond(service string) int {
	byKey := map[string][]time.Time{}
	for _, r := range s.Requests() {
		if r.Service == service {
			byKey[r.Key] = append(byKey[r.Key], r.Time)
		}
	}
	peak := 0
	for _, times := range byKey {
		first := 0
		for i, t := range times {
			for t.Sub(times[first]) >= time.Second {
				first++
			}
			peak = max(peak, i-first+1)
		}
	}
	return peak
}

// log writes a line about an answer, where WithLog asks for it.
func (s *Simulator) log(c *call, status int) {
	if s.logTo == nil {
		return
	}
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	fmt.Fprintf(s.logTo, "%s %s %s %q %d\n", c.Time.Format(time.RFC3339Nano), c.Service, c.Endpoint, c.Target, status)
}

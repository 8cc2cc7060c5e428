package shodantest

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Request is a request to the simulator.
type Request struct {
	Time     time.Time // of arrival
	Service  string    // Shodan, InternetDB, CVEDB or Exploits
	Endpoint string    // such as EndpointHost
	Target   string    // the address or addresses, the query, the names or the CVE; all parameters for a list of CVEs
	Key      string    // the API key
	Status   int       // the status of the response, 0 while in flight or if the client has gone or was dropped
}

// record has the requests so far.
type record struct {
	mu       sync.Mutex
	requests []Request
	inFlight int
	peak     int
	forgets  bool // see WithoutRequests
}

// begin records the arrival of a request. The function that it returns records the end.
func (rec *record) begin(c *call) (done func(status int)) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	// Under the lock, so that the times are in order for the limits.
	c.Time = time.Now()
	i := len(rec.requests)
	if !rec.forgets {
		rec.requests = append(rec.requests, c.Request)
	}
	rec.inFlight++
	rec.peak = max(rec.peak, rec.inFlight)
	return func(status int) {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		if !rec.forgets {
			rec.requests[i].Status = status
		}
		rec.inFlight--
	}
}

// Requests returns the requests so far, in order of arrival.
func (s *Simulator) Requests() []Request {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return slices.Clone(s.record.requests)
}

// Count returns the number of requests to a service so far, or to all services for "".
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

// MaxInFlight returns the highest number of concurrent requests so far.
func (s *Simulator) MaxInFlight() int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.peak
}

// PeakPerSecond returns the highest number of requests to a service with one key in any window of one second, including
// refused requests.
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

// log writes a line about a response if WithLog is set.
func (s *Simulator) log(c *call, status int) {
	if s.logTo == nil {
		return
	}
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	fmt.Fprintf(s.logTo, "%s %s %s %q %d\n", c.Time.Format(time.RFC3339Nano), c.Service, c.Endpoint, c.Target, status)
}

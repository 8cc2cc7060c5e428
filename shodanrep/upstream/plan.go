package upstream

import (
	"net/netip"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// planTime is how long a plan's refusal is remembered: someone may upgrade while a process runs.
const planTime = time.Hour

// A plan is what is known of what an API key may do.
//
// A single refusal may be about its address only. It turns the key off for the batch that got it, and the next batch
// tries the key once more; the refusal of a second address in a row turns the key off for planTime.
type plan struct {
	mu            sync.Mutex
	allowed       bool  // a lookup succeeded
	refusal       error // of the last lookup, nil if it succeeded
	refusedAddr   netip.Addr
	refusedAt     time.Time
	confirmed     bool // lookups of two addresses in a row were refused
	bulkAllowed   bool
	bulkRefusedAt time.Time
}

// known reports whether the key is known to be good for lookups, and the refusal where it is known not to be.
func (p *plan) known() (allowed bool, refusal error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.confirmed && time.Since(p.refusedAt) < planTime {
		return false, p.refusal
	}
	return p.allowed, nil
}

// learn notes what the result of a lookup says about the plan.
func (p *plan) learn(addr netip.Addr, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil, shodan.IsKind(err, shodan.NotFound):
		p.allowed, p.refusal, p.confirmed = true, nil, false
	case IsRefusal(err):
		if p.refusal != nil && time.Since(p.refusedAt) < planTime {
			p.confirmed = p.confirmed || addr != p.refusedAddr
		} else {
			p.confirmed, p.refusedAddr = false, addr
		}
		p.allowed = p.allowed && !p.confirmed
		p.refusal, p.refusedAt = err, time.Now()
	case shodan.IsKind(err, shodan.BadKey):
		p.allowed = false
	}
}

// learn is plan.learn, and logs a refusal: what is looked up elsewhere instead must not look like the REST API's
// response.
func (c *Client) learn(addr netip.Addr, err error) {
	c.plan.learn(addr, err)
	if !IsRefusal(err) {
		return
	}
	next := "the next query tries the key once more"
	if _, refusal := c.plan.known(); refusal != nil {
		next = "the key is not used for lookups again before " + time.Now().Add(planTime).UTC().Format(time.RFC3339)
	}
	c.Logger.Warn("Shodan refused a lookup with the API key: where no source is named, InternetDB is used instead", "ip", addr, "error", err, "next", next)
}

// IsRefusal reports whether an error says that a key is good but its plan does not allow the request.
func IsRefusal(err error) bool {
	return shodan.IsKind(err, shodan.PlanTooLow, shodan.CreditsSpent)
}

// Refusal returns why the key is known not to be allowed lookups, or nil.
func (s *Service) Refusal() error {
	_, refusal := s.plan.known()
	return refusal
}

// Allowed reports whether the key is known to be allowed lookups.
func (s *Service) Allowed() bool {
	allowed, _ := s.plan.known()
	return allowed
}

// LastRefusal returns why the newest lookup that the plan did not allow was refused, or nil.
func (s *Service) LastRefusal() error {
	s.plan.mu.Lock()
	defer s.plan.mu.Unlock()
	return s.plan.refusal
}

// bulk reports whether bulk lookups are known to be allowed, and whether they are known to be refused.
func (p *plan) bulk() (allowed, refused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bulkAllowed, !p.bulkAllowed && !p.bulkRefusedAt.IsZero() && time.Since(p.bulkRefusedAt) < planTime
}

// learnBulk notes whether the plan allows bulk lookups.
func (p *plan) learnBulk(allowed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bulkAllowed = allowed
	if allowed {
		p.allowed, p.refusal, p.confirmed = true, nil, false
	} else {
		p.bulkRefusedAt = time.Now()
	}
}

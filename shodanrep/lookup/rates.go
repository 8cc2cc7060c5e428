package lookup

import (
	"maps"
	"slices"
)

// InForce says that a connection is configured to use the engine. Connections with the same key, or without one, share
// the rate limit of a service, and the slowest rate among the engines in force decides. A new engine is in force.
func (e *Engine) InForce() { e.setRates(true) }

// Retire says that no connection is configured to use the engine any more, so that its rates do not slow down others.
// Queries that still run in it keep to the rates of those that are in force.
func (e *Engine) Retire() { e.setRates(false) }

func (e *Engine) setRates(inForce bool) {
	shared.Lock()
	defer shared.Unlock()
	e.rest.setRate(e, e.cfg.RequestsPerSecond, inForce)
	e.exploits.setRate(e, e.cfg.RequestsPerSecond, inForce)
	e.internetDB.setRate(e, e.cfg.InternetDBRequestsPerSecond, inForce)
	e.cveDB.setRate(e, cveDBPerSecond, inForce)
}

// setRate adds or removes the rate that an engine is configured with. The caller holds the lock of shared.
func (s *service) setRate(e *Engine, perSecond float64, inForce bool) {
	if s == nil {
		return
	}
	if !inForce {
		delete(s.rates, e)
	} else if s.rates == nil {
		s.rates = map[*Engine]float64{e: perSecond}
	} else {
		s.rates[e] = perSecond
	}
	if len(s.rates) > 0 {
		s.limiter.SetRate(slices.Min(slices.Collect(maps.Values(s.rates))))
	}
}

package history

// A pending observation waits to be written: with its response, or as what is stored of that.
type pending struct {
	observation Observation
	sighting    *sighting
}

// reduced returns it without its response. There is no sighting where the facts have no JSON form, which no response of a
// service has.
func (p pending) reduced() pending {
	if p.sighting != nil {
		return p
	}
	s, err := newSighting(p.observation)
	if err != nil {
		return pending{}
	}
	return pending{sighting: s}
}

// size returns about how much memory it takes up.
func (p pending) size() int64 {
	const fixed, perService = 1 << 10, 1 << 10
	switch {
	case p.observation.Host != nil:
		return fixed + int64(len(p.observation.Host.Raw))
	case p.sighting != nil && p.sighting.document != nil:
		return fixed + perService*int64(len(p.sighting.document.Services))
	}
	return fixed
}

package reputation

import (
	"math"
	"slices"
)

// Confidence says how sure a score is, from 0 to 1. It is the confidence in the source, multiplied by all other factors
// that apply.
type Confidence struct {
	Sources    map[string]float64 // by source
	Unverified float64            // if the host has vulnerabilities and none is verified
	Honeypot   float64            // if the host may be a honeypot
	UnknownAge float64            // if the source does not say when the host was seen
	Ages       []Age              // by the age of the data, oldest first; the first that applies counts
}

// Age reduces confidence for hosts not seen for OverDays days.
type Age struct {
	OverDays int
	Times    float64
}

// compute returns the confidence in the score of a host.
func (c *Confidence) compute(f *facts) float64 {
	confidence, ok := c.Sources[f.host.Source]
	if !ok {
		confidence = 1 // the policy does not have the source
	}
	verified := func(id string) bool { return f.host.Details[id].Verified }
	if len(f.vulnerabilities) > 0 && !slices.ContainsFunc(f.vulnerabilities, verified) {
		confidence *= c.Unverified
	}
	if slices.Contains(f.tags, honeypotTag) {
		confidence *= c.Honeypot
	}
	if days, known := ageDays(f); !known {
		confidence *= c.UnknownAge
	} else if i := slices.IndexFunc(c.Ages, func(a Age) bool { return days > a.OverDays }); i >= 0 {
		confidence *= c.Ages[i].Times
	}
	return math.Round(confidence*100) / 100
}

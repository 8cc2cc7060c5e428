package reputation

import (
	"math"
	"slices"
)

// Confidence says how sure a score is, from 0 to 1: it begins with how good the source is, and whatever lowers it
// multiplies.
type Confidence struct {
	Sources    map[string]float64 // by source
	Unverified float64            // there are vulnerabilities, and none of them was tested
	Honeypot   float64            // the host may only pretend
	UnknownAge float64            // the source does not say when it saw the host
	Ages       []Age              // how old the data is: the first that it is over, oldest first
}

// An Age is how much less sure a score is when the host was last seen more days ago.
type Age struct {
	OverDays int
	Times    float64
}

// of returns how sure a score of a host is.
func (c *Confidence) of(f *facts) float64 {
	sure, ok := c.Sources[f.host.Source]
	if !ok {
		sure = 1 // a source that the policy says nothing of
	}
	if len(f.vulnerabilities) > 0 && !slices.ContainsFunc(f.vulnerabilities, func(id string) bool { return f.host.Details[id].Verified }) {
		sure *= c.Unverified
	}
	if slices.Contains(f.tags, honeypotTag) {
		sure *= c.Honeypot
	}
	if days, known := ageDays(f); !known {
		sure *= c.UnknownAge
	} else if i := slices.IndexFunc(c.Ages, func(a Age) bool { return days > a.OverDays }); i >= 0 {
		sure *= c.Ages[i].Times
	}
	return math.Round(sure*100) / 100
}

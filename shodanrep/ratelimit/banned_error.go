package ratelimit

import (
	"fmt"
	"time"
)

// A BannedError says that a service must not be sent requests before Until.
type BannedError struct {
	Service string
	Advice  string // what the user can do
	Until   time.Time
	// Unavailable says that the service asked for the pause because it is unavailable, and not because of the requests.
	Unavailable bool
	// ClientRefused says that the service refuses this client, as with HTTP 403, and does not say that it is for the number
	// of requests: it may also be a proxy or a firewall that refuses. Refusal is its response, if it is known.
	ClientRefused bool
	Refusal       string
}

// Error says until when no request is sent, and what the user can do.
func (e *BannedError) Error() string {
	if e.Unavailable {
		return fmt.Sprintf("%s is unavailable: no request is sent before %s, unless a new process is started after `shodanrep cache clear`",
			e.Service, e.Until.UTC().Format(time.RFC3339))
	}
	if e.ClientRefused {
		refusal := e.Refusal
		if refusal == "" {
			refusal = e.Service + " refuses requests from here"
		}
		return fmt.Sprintf("%s: no request is sent before %s, unless a new process is started after `shodanrep cache clear`; "+
			"check whether a proxy or firewall blocks %s, or the service has banned this address", refusal, e.Until.UTC().Format(time.RFC3339), e.Service)
	}
	return fmt.Sprintf("%s refuses further requests as too many: no request is sent before %s, unless a new process is started after `shodanrep cache clear`; %s",
		e.Service, e.Until.UTC().Format(time.RFC3339), e.Advice)
}

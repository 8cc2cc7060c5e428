package shodan

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Kind is the kind of an error. It decides what to do next.
type Kind int

// The kinds of errors.
const (
	Unavailable  Kind = iota // no response, or none that can be read: retry
	BadKey                   // the API key is refused: no request with it can succeed
	CreditsSpent             // no query credits left this month
	PlanTooLow               // the key's plan does not allow the request
	NotFound                 // Shodan has no data
	Limited                  // too many requests: slow down and retry
	Invalid                  // the request is refused: a retry cannot succeed
)

// String returns the name of the kind for logs.
func (k Kind) String() string {
	return [...]string{"unavailable", "bad key", "credits spent", "plan too low", "not found", "limited", "invalid"}[k]
}

// ErrUnexpected is the cause of an Error if the response is complete JSON, but not what was requested: a host without
// its address, or a number instead of a list.
var ErrUnexpected = errors.New("unexpected response")

// ErrTooLong is the cause of an Error if the response has more than MaxBody bytes. Another try would cost as much again.
var ErrTooLong = fmt.Errorf("the response is longer than %d MB", MaxBody>>20)

// ErrProxy is the error of an http.Client whose proxy cannot be used, so that no request can be sent.
var ErrProxy = errors.New("the proxy cannot be used")

// ErrProxyLogin is the cause of an error if the proxy requires a user and a password.
var ErrProxyLogin = errors.New("the proxy requires a user and a password, as in HTTPS_PROXY=http://USER:PASSWORD@proxy.example:3128")

// unexpected is an error that also is ErrUnexpected.
type unexpected struct{ error }

func (unexpected) Is(target error) bool { return target == ErrUnexpected }
func (u unexpected) Unwrap() error      { return u.error }

// Error is the error of a request that failed.
type Error struct {
	Service    string // "Shodan", "InternetDB", "CVEDB" or "Shodan's exploit search"
	Kind       Kind
	Status     int           // HTTP status, 0 without a response
	Host       string        // the host that the request was sent to, if it sent a response
	KeyOrigin  string        // where the API key is from, if that is known
	Message    string        // the service's message, never HTML and never with the key
	RetryAfter time.Duration // how long to wait according to the service, 0 if unknown
	Err        error         // the cause, if there is no response or it cannot be read
}

// Error implements error. It says what failed and what to do.
func (e *Error) Error() string {
	switch e.Kind {
	case BadKey:
		if e.KeyOrigin != "" {
			return fmt.Sprintf("%s refused the API key from %s (%s): use the key shown at https://account.shodan.io", e.Service, e.KeyOrigin, e.details())
		}
		return fmt.Sprintf("%s refused the API key (%s): set api_key in the connection, or SHODAN_API_KEY, to the key shown at https://account.shodan.io", e.Service, e.details())
	case CreditsSpent:
		return fmt.Sprintf("the API key has no query credits left (%s)", e.details())
	case PlanTooLow:
		return fmt.Sprintf("the API key's plan does not allow this (%s)", e.details())
	case NotFound:
		return fmt.Sprintf("%s has nothing indexed (%s)", e.Service, e.details())
	case Limited:
		if e.RefusesClient() {
			return fmt.Sprintf("%s refuses requests from here (%s: %s)", e.Service, e.Host, e.details())
		}
		return fmt.Sprintf("%s received too many requests (%s)", e.Service, e.details())
	case Invalid:
		if e.Status == 0 {
			return fmt.Sprintf("no request to %s can be sent (%s)", e.Service, e.details())
		}
		return fmt.Sprintf("%s refused the request (%s)", e.Service, e.details())
	}
	if errors.Is(e.Err, ErrUnexpected) {
		return fmt.Sprintf("%s sent an unexpected response (%s)", e.Service, e.details())
	}
	return fmt.Sprintf("%s sent no usable response (%s)", e.Service, e.details())
}

// NotSent reports whether the request was never sent: there was no connection, or the proxy cannot be used.
func (e *Error) NotSent() bool {
	var connect *net.OpError
	return e.Status == 0 && (e.Kind == Invalid || errors.As(e.Err, &connect) && (connect.Op == "dial" || connect.Op == "proxyconnect"))
}

// details returns the status and the message or the cause.
func (e *Error) details() string {
	switch {
	case e.Message != "" && e.Status != 0:
		return fmt.Sprintf("HTTP %d: %s", e.Status, e.Message)
	case e.Message != "":
		return e.Message
	case e.Err != nil && e.Status != 0:
		return fmt.Sprintf("HTTP %d: %v", e.Status, e.Err)
	case e.Err != nil:
		return e.Err.Error()
	}
	return fmt.Sprintf("HTTP %d", e.Status)
}

// RefusesClient reports whether the service, or what is between, refuses this client: with HTTP 401, 402 or 403, and not
// because of a key or of the number of requests.
func (e *Error) RefusesClient() bool {
	return e.Kind == Limited && refuses(e.Status) && !isRateLimit(strings.ToLower(e.Message))
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// IsKind reports whether err is an Error of one of the kinds.
func IsKind(err error, kinds ...Kind) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	for _, kind := range kinds {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

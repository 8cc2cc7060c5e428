package shodan

import (
	"errors"
	"fmt"
	"time"
)

// Kind is what went wrong with a request, as far as it decides what to do next.
type Kind int

// The kinds of errors, each with what follows from it.
const (
	Unavailable  Kind = iota // no answer, or none that can be read: try again
	BadKey                   // the API key is refused: nothing asked with it can work
	CreditsSpent             // no query credits left this month
	PlanTooLow               // the key's plan may not do this
	NotFound                 // nothing is indexed of the address
	Limited                  // too many requests: slow down and try again
	Invalid                  // the request itself is refused: trying again is no use
)

// String names the kind as it stands in logs.
func (k Kind) String() string {
	return [...]string{"unavailable", "bad key", "credits spent", "plan too low", "not found", "limited", "invalid"}[k]
}

// ErrUnexpected is the cause of an Error where the response is whole JSON, but not what was requested: a host without its
// address, a list that is a number.
var ErrUnexpected = errors.New("unexpected response")

// unexpected makes an error that is ErrUnexpected too.
type unexpected struct{ error }

func (unexpected) Is(target error) bool { return target == ErrUnexpected }
func (u unexpected) Unwrap() error      { return u.error }

// Error is a request that a service did not answer as asked.
type Error struct {
	Service    string // "Shodan", "InternetDB", "CVEDB" or "Shodan's exploit search"
	Kind       Kind
	Status     int           // HTTP status, 0 where there was no answer
	Message    string        // what the service said, never HTML and never with the key
	RetryAfter time.Duration // how long the service asks to wait, 0 where it does not say
	Err        error         // the cause, where there was no answer or it could not be read
}

// Error says what failed and what to do about it.
func (e *Error) Error() string {
	switch e.Kind {
	case BadKey:
		return fmt.Sprintf("%s refused the API key (%s): set api_key in the connection, or SHODAN_API_KEY, to the key shown at https://account.shodan.io", e.Service, e.said())
	case CreditsSpent:
		return fmt.Sprintf("the API key has no query credits left (%s)", e.said())
	case PlanTooLow:
		return fmt.Sprintf("the API key's plan does not allow this (%s)", e.said())
	case NotFound:
		return fmt.Sprintf("%s has nothing indexed (%s)", e.Service, e.said())
	case Limited:
		if refuses(e.Status) {
			return fmt.Sprintf("%s refuses requests from here (%s)", e.Service, e.said())
		}
		return fmt.Sprintf("%s received too many requests (%s)", e.Service, e.said())
	case Invalid:
		return fmt.Sprintf("%s refused the request (%s)", e.Service, e.said())
	}
	if errors.Is(e.Err, ErrUnexpected) {
		return fmt.Sprintf("%s sent an unexpected response (%s)", e.Service, e.said())
	}
	return fmt.Sprintf("%s did not answer (%s)", e.Service, e.said())
}

// said is the shortest true account of the answer.
func (e *Error) said() string {
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

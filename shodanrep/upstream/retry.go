package upstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// maxTries is how often a request is sent that gets no response or none that can be read. Where a fifth of all
	// requests fails, so does one in 15,000 after that.
	maxTries = 6
	// refusalTries is how often it is sent again because it was one too many. Each waits for its slot.
	refusalTries = 8
	// queryTries is how often a query is sent that timed out or is invalid: the service has one message for both.
	queryTries = 2
	// firstDelay is how long the second try waits. Each further one waits about twice as long, up to maxDelay.
	firstDelay = 250 * time.Millisecond
	maxDelay   = 2 * time.Second
)

// An effort is how much is done for one response. The timeout is what all tries and the delays between them may take
// together, without the wait for their slots.
type effort struct {
	tries   int
	timeout time.Duration
	// isQuery says that the request may be a query that is invalid. The lookup of a host is not.
	isQuery bool
}

// finalError is an error after which another try is of no use, or costs too much. It has no Unwrap method: retry must not
// take it for the *shodan.Error in it, which it would try again.
type finalError struct{ error }

// retry sends a request until there is a response, or until another try is of no use.
func retry[T any](ctx context.Context, c *Client, most effort, send func(context.Context) (T, error)) (T, error) {
	var none T
	responses, err := c.breaker.begin(c.Name)
	if err != nil {
		return none, err
	}
	left, refusals := most.timeout, 0
	var previous error // of the try before
	for try := 1; ; try++ {
		slot, err := c.limiter.Acquire(ctx, c.rateCoordinator())
		if err != nil {
			return none, c.nameBan(err)
		}
		value, took, err := sendOnce(ctx, slot, left, send)
		var failure *shodan.Error
		var final finalError
		isFailure := errors.As(err, &failure)
		if !isFailure || !failure.NotSent() {
			c.requests.Add(1)
		}
		isBlocked := isFailure && c.breaker.isBlocked(failure)
		if isFailure && (failure.Kind == shodan.Limited || isBlocked) {
			if ban := c.refuse(slot, failure, isBlocked || failure.RefusesClient()); ban != nil {
				return none, ban
			}
			if refusals++; refusals == refusalTries {
				return none, err
			}
			try-- // it was refused
			continue
		}
		if err != nil && ctx.Err() != nil {
			slot.Abandon()
			return none, ctx.Err()
		}
		slot.Done()
		switch {
		case err == nil:
			c.breaker.succeed()
			return value, nil
		case errors.As(err, &final):
			c.breaker.fail(final.error, responses)
			return none, final.error
		case errors.Is(err, shodan.ErrTooLong):
			c.breaker.fail(err, responses)
			return none, err
		case errors.Is(err, context.DeadlineExceeded) && previous != nil:
			err = previous // little time was left for this try, so it says less
		case errors.Is(err, context.DeadlineExceeded):
			err = &shodan.Error{Service: c.Name, Err: fmt.Errorf("no response within %v", most.timeout)}
		case failure == nil || failure.Kind != shodan.Unavailable:
			c.breaker.succeed() // the service is up
			return none, err
		}
		if most.isRefusedQuery(failure) && try == min(queryTries, most.tries) {
			c.breaker.succeed() // the service is up
			return none, err
		}
		if failure != nil && failure.RetryAfter > 0 {
			c.pause(failure.RetryAfter)
		}
		left, previous = left-took, err
		delay := retryDelay(try)
		if try == most.tries || left <= delay {
			c.breaker.fail(err, responses)
			return none, err
		}
		left -= delay
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

// refuse ends the slot of a request that was refused. It returns the ban that follows, or nil.
func (c *Client) refuse(slot *ratelimit.Slot, failure *shodan.Error, clientRefused bool) error {
	ban, refused := ratelimit.BannedError{}, slot.Refused
	if clientRefused {
		ban, refused = ratelimit.BannedError{ClientRefused: true, Refusal: failure.Error()}, slot.ClientRefused
	}
	until, banned := refused(failure.RetryAfter)
	if !banned {
		return nil
	}
	ban.Until = until
	return c.nameBan(&ban)
}

// retryDelay is how long to wait after a try. The part that is random keeps requests from being sent again all at once.
func retryDelay(try int) time.Duration {
	return time.Duration(float64(min(maxDelay, firstDelay<<(try-1))) * (0.75 + rand.Float64()/2))
}

// pause lets no request go for as long as the service says that it is unavailable. Where it has said so for longer than a
// query waits, its addresses fail until then: a list would otherwise wait for one pause after the other, for hours.
func (c *Client) pause(pause time.Duration) {
	if now := time.Now(); c.breaker.pausedSince(now).Add(ratelimit.LongestWait).Before(now.Add(pause)) {
		c.limiter.BanUnavailable(now.Add(pause))
		return
	}
	c.limiter.Pause(pause)
}

// isRefusedQuery reports whether the service refused a request in its own words, of which only some say that it may
// succeed later. The words about a query that timed out or is invalid also come with status 200.
func (e effort) isRefusedQuery(failure *shodan.Error) bool {
	switch {
	case failure == nil || failure.Message == "":
		return false
	case failure.Status == http.StatusOK:
		return e.isQuery && strings.Contains(failure.Message, "query was invalid")
	}
	return failure.Status >= http.StatusBadRequest && failure.Status < http.StatusInternalServerError
}

// sendOnce sends a request, which may take as long as timeout without the wait for memory. It returns how long it took.
func sendOnce[T any](ctx context.Context, slot *ratelimit.Slot, timeout time.Duration, send func(context.Context) (T, error)) (value T, took time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ratelimit.WithSlot(ctx, slot))
	defer cancel(nil)
	clock := newStopwatch(timeout, func() { cancel(context.DeadlineExceeded) })
	part := &share{clock: clock}
	defer part.release()
	value, err = send(context.WithValue(ctx, shareKey{}, part))
	clock.stop()
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		err = context.DeadlineExceeded
	}
	return value, clock.used, err
}

package lookup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
)

// A Reply is the response to a Call. It is shared: do not change it.
type Reply[T any] struct {
	Value T
	// CheckedAt is when the service sent the response.
	CheckedAt time.Time
}

// Request requests a call from its service, or takes the response from the cache. Callers that request the same at the
// same time share one request. What the service does not have is an error of the kind shodan.NotFound.
func Request[T any](ctx context.Context, e *Engine, call shodan.Call[T]) (Reply[T], error) {
	if call.Service != shodan.CVEDBService {
		if err := e.CheckKey(call.What); err != nil {
			return Reply[T]{}, err
		}
	}
	reply, err := request(ctx, e, call)
	if err == nil || ctx.Err() != nil {
		return reply, err
	}
	return reply, wrapError(call.What, err)
}

// request is Request with the service's own errors.
func request[T any](ctx context.Context, e *Engine, call shodan.Call[T]) (r Reply[T], err error) {
	client := e.rest
	switch call.Service {
	case shodan.CVEDBService:
		client = e.cveDB
	case shodan.ExploitsService:
		client = e.exploits
	}
	r.Value, r.CheckedAt, err = upstream.Get(ctx, client, call)
	return r, err
}

// wrapError says what failed, and what to do about a refusal.
func wrapError(what string, err error) error {
	var failure *shodan.Error
	switch {
	case errors.As(err, &failure) && strings.Contains(failure.Message, "query was invalid"):
		return fmt.Errorf("%s failed: %w; check the query, whose filters are at https://www.shodan.io/search/filters, or run the query again later", what, err)
	case shodan.IsKind(err, shodan.PlanTooLow):
		return fmt.Errorf("%s needs a plan that allows it: %w; upgrade the plan at https://account.shodan.io", what, err)
	case shodan.IsKind(err, shodan.CreditsSpent):
		return fmt.Errorf("%s costs a query credit: %w; wait for the month to end, or upgrade the plan", what, err)
	}
	return fmt.Errorf("%s failed: %w", what, err)
}

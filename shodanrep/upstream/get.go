package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// lastingAge is how long lasting responses are cached: what is known of a CVE changes within weeks, not within a day.
	lastingAge = 7 * 24 * time.Hour
	// paidTries is how often a response that cannot be read is paid for.
	paidTries = 2
)

// Get gets the response to a call. What the service does not have is an error of the kind shodan.NotFound.
func Get[T any](ctx context.Context, c *Client, call shodan.Call[T]) (value T, checkedAt time.Time, err error) {
	key := cache.Key{Service: c.ID, Target: call.Path + "?" + call.Query.Encode(), Options: "get"}
	var r Result
	c.do(ctx, []callKey{{Key: key, valueType: fmt.Sprintf("%T", value)}}, callFetcher[T]{c, call}, func(results []Result) { r = results[0] })
	if r.CheckedAt.IsZero() {
		return value, r.CheckedAt, ctx.Err() // it ended before there was a result
	}
	value, _ = r.Value.(T)
	return value, r.CheckedAt, c.nameKey(r.Err)
}

// A callFetcher fetches the response to one call.
type callFetcher[T any] struct {
	client *Client
	call   shodan.Call[T]
}

func (f callFetcher[T]) next() (size int, alone bool, err error) { return 1, false, nil }

func (f callFetcher[T]) cached(key callKey) []cache.Key {
	if f.call.Volatile {
		return nil
	}
	return []cache.Key{key.Key}
}

func (f callFetcher[T]) ttl(negative bool) time.Duration {
	if negative {
		return f.age() / negativeShare
	}
	return f.age()
}

// age is how long the response is cached.
func (f callFetcher[T]) age() time.Duration {
	switch {
	case f.call.Volatile:
		return 0
	case f.call.Lasting:
		return lastingAge
	}
	return f.client.CacheTTL
}

func (f callFetcher[T]) read(_ callKey, entry cache.Entry) (any, bool) {
	if len(entry.Body) == 0 {
		return nil, true
	}
	value, err := f.call.Read(entry.Body)
	return value, err == nil
}

// fetch requests the response. One that cannot be read is requested again.
func (f callFetcher[T]) fetch(ctx context.Context, _ []*call) ([]response, *regroup) {
	c, paid := f.client, 0
	r := response{age: f.age()}
	var value T
	value, r.err = retry(ctx, c, effort{tries: maxTries, timeout: c.Timeout, isQuery: true}, func(ctx context.Context) (value T, err error) {
		value, r.body, err = shodan.Do(ctx, c.get, f.call)
		var failure *shodan.Error
		if f.call.Credits == 0 || err != nil && !(errors.As(err, &failure) && failure.Kind == shodan.Unavailable && failure.Status == http.StatusOK) {
			return value, err
		}
		c.credits.Add(int64(f.call.Credits))
		if paid++; err != nil && paid == paidTries {
			err = finalError{err}
		}
		return value, err
	})
	r.value = value
	if r.err == nil && f.call.IsPartial != nil && f.call.IsPartial(value) {
		r.age = 0
	}
	return []response{r}, nil
}

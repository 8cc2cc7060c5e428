package lookup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// cveDB is CVEDB among the services. It is no Source: it knows vulnerabilities, and no addresses.
const cveDB Source = "cvedb"

// exploits is the search for exploits among the services. It is no Source either.
const exploits Source = "exploits"

const (
	// cveDBPerSecond and cveDBBurst are how many requests CVEDB is sent a second, and at once.
	cveDBPerSecond = 10
	cveDBBurst     = 20
	// lastingTime is how long lasting answers are kept: what is known of a CVE changes within weeks, not within a day.
	lastingTime = 7 * 24 * time.Hour
)

// A Reply is what a Call was answered. It is shared: do not change it.
type Reply[T any] struct {
	Value T
	// CheckedAt is when the service was asked.
	CheckedAt time.Time
}

// Request asks the REST API or CVEDB, or takes the answer from the cache; those who ask the same at the same time share one
// request. What is not there is an error of the kind shodan.NotFound.
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
	return reply, explain(call.What, err)
}

// explain says what failed, and what to do about a refusal.
func explain(what string, err error) error {
	var failure *shodan.Error
	switch {
	case errors.As(err, &failure) && strings.Contains(failure.Message, "query was invalid"):
		return fmt.Errorf("%s failed: %w; check the query, whose filters are at https://www.shodan.io/search/filters, or ask again later", what, err)
	case shodan.IsKind(err, shodan.PlanTooLow):
		return fmt.Errorf("%s needs a plan that allows it: %w; upgrade the plan at https://account.shodan.io", what, err)
	case shodan.IsKind(err, shodan.CreditsSpent):
		return fmt.Errorf("%s costs a query credit: %w; wait for the month to end, or upgrade the plan", what, err)
	}
	return fmt.Errorf("%s failed: %w", what, err)
}

// request is Request with the service's own errors.
func request[T any](ctx context.Context, e *Engine, call shodan.Call[T]) (Reply[T], error) {
	s := e.rest
	switch call.Service {
	case shodan.CVEDBService:
		s = e.cveDB
	case shodan.ExploitsService:
		s = e.exploits
	}
	key := cache.Key{Service: s.store, Target: call.Path + "?" + call.Query.Encode(), Options: "get"}
	kept := e.store.get(ctx, []cache.Key{key, s.banKey()})
	s.heedBan(kept)
	if !call.Volatile {
		if o, ok := keptCall(s, call, kept, key); ok {
			e.store.store.Count(1, 0)
			return reply[T](o)
		}
		e.store.store.Count(0, 1)
	}
	select {
	case e.slots[s.source] <- struct{}{}:
		defer func() { <-e.slots[s.source] }()
	case <-ctx.Done():
		return Reply[T]{}, ctx.Err()
	}
	// What is read of an answer is shared, so that only those share it who read it as the same.
	flying := key
	flying.Options = fmt.Sprintf("get %T", *new(T))
	boarded := s.board([]cache.Key{flying}, func(ctx context.Context, _ []cache.Key, land func(cache.Key, outcome)) {
		land(flying, flyCall(ctx, e, s, call, key))
	})
	o, err := s.wait(ctx, boarded[flying])
	if err != nil {
		return Reply[T]{}, err
	}
	return reply[T](o)
}

// reply makes a Reply of an outcome.
func reply[T any](o outcome) (Reply[T], error) {
	r := Reply[T]{CheckedAt: o.checkedAt}
	if o.err == nil {
		r.Value = o.value.(T)
	}
	return r, o.err
}

// keptCall makes an outcome of what the cache has for a call.
func keptCall[T any](s *service, call shodan.Call[T], kept map[cache.Key]cache.Entry, key cache.Key) (outcome, bool) {
	entry, ok := kept[key]
	if !ok {
		return outcome{}, false
	}
	o := outcome{checkedAt: entry.CheckedAt}
	if len(entry.Body) == 0 {
		o.err = &shodan.Error{Service: s.name, Kind: shodan.NotFound, Message: "it said so at " + entry.CheckedAt.UTC().Format(time.RFC3339)}
		return o, true
	}
	value, err := call.Read(entry.Body)
	o.value = value
	return o, err == nil
}

// flyCall asks a service, where none has kept the answer since it was looked for, and keeps it. Where machines share a
// cache, the first to have a question asks it, and the others wait for its answer.
func flyCall[T any](ctx context.Context, e *Engine, s *service, call shodan.Call[T], key cache.Key) outcome {
	keys := []cache.Key{key}
	for !call.Volatile {
		if o, ok := keptCall(s, call, e.store.get(ctx, keys), key); ok {
			return o
		}
		if e.coordinator == nil || !e.coordinator.Available() {
			break
		}
		own, _, release := e.lease(ctx, keys)
		if len(own) == 0 {
			if e.coordinator.WaitFor(ctx, key) != nil && ctx.Err() != nil {
				return outcome{err: ctx.Err()}
			}
			continue
		}
		defer func() {
			_ = e.store.flush(context.WithoutCancel(ctx)) // what is released must be there for those who waited for it
			release()
		}()
		if o, ok := keptCall(s, call, e.store.get(ctx, keys), key); ok {
			return o
		}
		break
	}
	value, body, err := get(ctx, e, s, call)
	now := checkTime()
	e.keepCall(s, key, body, err, now, call.Volatile, call.Lasting)
	return outcome{value: value, err: err, checkedAt: now}
}

// checkTime returns the current time as caches and PostgreSQL keep it, in whole microseconds: a fresh response has the
// time that it has once it is cached.
func checkTime() time.Time { return time.Now().Truncate(time.Microsecond) }

// keepCall keeps an answer, that there is none, or a ban.
func (e *Engine) keepCall(s *service, key cache.Key, body []byte, err error, now time.Time, volatile, lasting bool) {
	age := e.cfg.CacheTTL
	if lasting {
		age = lastingTime
	}
	switch {
	case e.keepBan(s, err), volatile:
	case shodan.IsKind(err, shodan.NotFound):
		e.store.put(cache.Entry{Key: key, CheckedAt: now, Expires: now.Add(age / negativeShare)})
	case err == nil:
		e.store.put(cache.Entry{Key: key, Body: body, CheckedAt: now, Expires: now.Add(age)})
	}
}

// paidTries is how often an answer is paid for that cannot be read.
const paidTries = 2

// get sends a call, and reads its answer. One that cannot be read is asked for again.
func get[T any](ctx context.Context, e *Engine, s *service, call shodan.Call[T]) (value T, body []byte, err error) {
	paid := 0
	value, err = ask(ctx, e, s, e.effort(1, 0), func(ctx context.Context) (value T, err error) {
		value, body, err = shodan.Do(ctx, s.get, call)
		var failure *shodan.Error
		if call.Credits == 0 || err != nil && !(errors.As(err, &failure) && failure.Kind == shodan.Unavailable && failure.Status == http.StatusOK) {
			return value, err
		}
		s.spent.credits.Add(int64(call.Credits))
		if paid++; err != nil && paid == paidTries {
			err = lastTry{err}
		}
		return value, err
	})
	return value, body, err
}

// lastTry is an error after which asking again is no use, or costs too much.
type lastTry struct{ error }

// spent counts what was asked of a service.
type spent struct{ requests, credits atomic.Int64 }

// Spending is what this process has asked of a service so far, over all connections that ask it in the same way.
type Spending struct {
	Requests int64 // those that were refused and asked again included
	Credits  int64 // query credits, of searches and the like
}

// Spent returns what was asked of the REST API with this engine's key.
func (e *Engine) Spent() Spending {
	if e.rest == nil {
		return Spending{}
	}
	return Spending{Requests: e.rest.spent.requests.Load(), Credits: e.rest.spent.credits.Load()}
}

// Requests returns how many requests this process has sent to the services that the engine uses.
func (e *Engine) Requests() int64 {
	n := e.internetDB.spent.requests.Load() + e.cveDB.spent.requests.Load()
	if e.rest != nil {
		n += e.rest.spent.requests.Load()
	}
	return n
}

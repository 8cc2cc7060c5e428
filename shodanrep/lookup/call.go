package lookup

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// cveDB is CVEDB among the services. It is no Source: it knows vulnerabilities, and no addresses.
const cveDB Source = "cvedb"

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

// Ask asks the REST API or CVEDB, or takes the answer from the cache; those who ask the same at the same time share one
// request. What is not there is an error of the kind shodan.NotFound.
func Ask[T any](ctx context.Context, e *Engine, call shodan.Call[T]) (Reply[T], error) {
	reply, err := request(ctx, e, call)
	switch {
	case err == nil, ctx.Err() != nil:
		return reply, err
	case shodan.IsKind(err, shodan.PlanTooLow):
		err = fmt.Errorf("%s needs a plan that allows it: %w; upgrade the plan at https://account.shodan.io", call.What, err)
	case shodan.IsKind(err, shodan.CreditsSpent):
		err = fmt.Errorf("%s costs a query credit: %w; wait for the month to end, or upgrade the plan", call.What, err)
	default:
		err = fmt.Errorf("%s failed: %w", call.What, err)
	}
	return reply, err
}

// request is Ask with the service's own errors.
func request[T any](ctx context.Context, e *Engine, call shodan.Call[T]) (Reply[T], error) {
	s, age := e.rest, e.cfg.CacheTTL
	if call.Service == shodan.CVEDBService {
		s = e.cveDB
	}
	if call.Lasting {
		age = lastingTime
	}
	if s == nil {
		return Reply[T]{}, e.CheckKey(call.What)
	}
	key := cache.Key{Service: s.store, Subject: call.Path + "?" + call.Query.Encode(), Asked: "get"}
	kept := map[cache.Key]cache.Entry{}
	if !call.Volatile {
		kept = e.store.get(ctx, []cache.Key{key, s.banKey()})
	}
	if ban, ok := kept[s.banKey()]; ok {
		s.pacer.ban(ban.Expires)
	}
	entry, hit := kept[key]
	switch {
	case hit:
		e.store.store.Count(1, 0)
	case !call.Volatile:
		e.store.store.Count(0, 1)
	}
	if hit {
		if len(entry.Body) == 0 {
			return Reply[T]{CheckedAt: entry.CheckedAt}, &shodan.Error{Service: s.name, Kind: shodan.NotFound, Message: "it said so at " + entry.CheckedAt.UTC().Format(time.RFC3339)}
		}
		if value, err := call.Read(entry.Body); err == nil {
			return Reply[T]{Value: value, CheckedAt: entry.CheckedAt}, nil
		}
	}
	select {
	case e.slots[s.source] <- struct{}{}:
		defer func() { <-e.slots[s.source] }()
	case <-ctx.Done():
		return Reply[T]{}, ctx.Err()
	}
	boarded := s.board([]cache.Key{key}, func(ctx context.Context, _ []cache.Key, land func(cache.Key, outcome)) {
		value, body, err := get(ctx, e, s, call)
		now := time.Now()
		var banned *BannedError
		switch {
		case errors.As(err, &banned):
			e.store.put(cache.Entry{Key: s.banKey(), CheckedAt: now, Expires: banned.Until})
		case call.Volatile:
		case shodan.IsKind(err, shodan.NotFound):
			e.store.put(cache.Entry{Key: key, CheckedAt: now, Expires: now.Add(age / negativeShare)})
		case err == nil:
			e.store.put(cache.Entry{Key: key, Body: body, CheckedAt: now, Expires: now.Add(age)})
		}
		land(key, outcome{value: value, err: err, checkedAt: now})
	})
	o, err := s.wait(ctx, boarded[key])
	if err == nil {
		err = o.err
	}
	if err != nil {
		return Reply[T]{CheckedAt: o.checkedAt}, err
	}
	return Reply[T]{Value: o.value.(T), CheckedAt: o.checkedAt}, nil
}

// get sends a call, and reads its answer. One that cannot be read is asked for again.
func get[T any](ctx context.Context, e *Engine, s *service, call shodan.Call[T]) (value T, body []byte, err error) {
	value, err = ask(ctx, e, s, func(ctx context.Context) (value T, err error) {
		value, body, err = shodan.Do(ctx, s.get, call)
		return value, err
	})
	if err == nil {
		s.spent.credits.Add(int64(call.Credits))
	}
	return value, body, err
}

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

package lookup

import (
	"context"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// An outcome is what asking a service about one thing came to: a host, what was read of another answer, nothing indexed
// (neither of them and no error), or an error.
type outcome struct {
	host      *shodan.Host
	value     any // what a Call reads
	err       error
	checkedAt time.Time
	expires   time.Time
}

// answer makes an Answer of an outcome about an address.
func (o outcome) answer(source Source) Answer {
	a := Answer{Status: Indexed, Source: source, Host: o.host, CheckedAt: o.checkedAt, FreshUntil: o.expires}
	switch {
	case o.err != nil:
		a.Status, a.Error, a.failure = Failed, o.err.Error(), o.err
	case o.host == nil:
		a.Status = NotIndexed
	}
	return a
}

// flights are the questions to a service that are under way. Whoever has the same question waits for the same answer,
// whichever query, table or connection it comes from.
type flights struct {
	mu      sync.Mutex
	byKey   map[cache.Key]*flight
	awaited map[cache.Key]*awaited
}

// A flight is one question under way. It is flown by a crew that may have several questions in one request.
type flight struct {
	crew    *crew
	landed  chan struct{} // closed when outcome is set
	outcome outcome
}

// A crew is one request under way, or several tries at it. Its context ends when nobody waits for any of its flights:
// a cancelled query stops its own requests, and those of no other.
type crew struct {
	ctx     context.Context
	cancel  context.CancelFunc
	waiters int // over all its flights, under the lock of flights
}

// board joins the flights of the keys, and starts those that are not under way with one call of fly, which must land
// them all. The caller must wait for each of the flights that it gets, once for each key.
func (f *flights) board(keys []cache.Key, fly func(ctx context.Context, started []cache.Key, land func(cache.Key, outcome))) map[cache.Key]*flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byKey == nil {
		f.byKey = map[cache.Key]*flight{}
	}
	boarded := make(map[cache.Key]*flight, len(keys))
	var started []cache.Key
	var own *crew
	for _, key := range keys {
		if boarded[key] != nil {
			boarded[key].crew.waiters++
			continue
		}
		current := f.byKey[key]
		if a := f.awaited[key]; a != nil && a.landed != nil {
			current = a.landed
		} else if current == nil || current.crew.ctx.Err() != nil {
			if own == nil {
				own = &crew{}
				own.ctx, own.cancel = context.WithCancel(context.Background())
			}
			current = &flight{crew: own, landed: make(chan struct{})}
			f.byKey[key] = current
			started = append(started, key)
		}
		current.crew.waiters++
		boarded[key] = current
	}
	if own != nil {
		go func() {
			defer own.cancel()
			fly(own.ctx, started, func(key cache.Key, o outcome) { f.land(key, boarded[key], o) })
		}()
	}
	return boarded
}

// land hands a flight's outcome to all who wait for it.
func (f *flights) land(key cache.Key, landing *flight, o outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byKey[key] == landing {
		delete(f.byKey, key)
	}
	landing.outcome = o
	close(landing.landed)
	if a := f.awaited[key]; a != nil && a.askers > 1 && o.err == nil {
		a.landed = landing
	}
}

// wait waits for a flight to land, or for the context to end.
func (f *flights) wait(ctx context.Context, waited *flight) (outcome, error) {
	var err error
	select {
	case <-waited.landed:
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	waited.crew.waiters--
	if err != nil {
		if waited.crew.waiters == 0 {
			waited.crew.cancel()
		}
		return outcome{}, err
	}
	return waited.outcome, nil
}

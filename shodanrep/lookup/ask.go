package lookup

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// errBulkRefused says that many addresses in one request are not for this key.
var errBulkRefused = errors.New(`Shodan refused a bulk look-up: set bulk_lookup to "auto" or "off" in the connection`)

// negativeShare is which part of the time that an answer is kept a negative one is: an address that comes to be
// indexed should be seen soon.
const negativeShare = 4

// askREST asks the REST API. Where it is not yet known what the key may do, the first request finds out, alone: of 32
// requests with a key that is refused 31 would be too many.
func (b *Batch) askREST(questions []Question) {
	s := b.engine.rest
	for len(questions) > 0 {
		allowed, refusal := s.plan.known()
		if refusal != nil {
			b.refuse(questions, refusal)
			return
		}
		units, certain := b.units(questions)
		if allowed && certain {
			b.setReady(nil)
			b.start(s, units)
			return
		}
		again, err := b.probe(s, units[0])
		questions = append(again, questions[len(units[0]):]...)
		switch {
		case b.ctx.Err() != nil:
			return
		case shodan.IsKind(err, shodan.BadKey):
			b.setReady(err)
			for _, q := range questions {
				b.fail(q, Shodan, err)
			}
			return
		case err != nil && len(again) == 0:
			// It failed for a reason that says nothing of the key. The others must not wait for one another to fail.
			b.setReady(nil)
			b.start(s, units[1:])
			return
		}
	}
}

// units divides questions into requests, and reports whether it is known that they may be asked so.
func (b *Batch) units(questions []Question) (units [][]Question, certain bool) {
	allowed, refused := b.engine.rest.plan.bulk()
	mode := b.engine.cfg.BulkLookup
	if len(questions) == 1 || mode == "off" || mode == "auto" && refused {
		return singly(questions), true
	}
	return slices.Collect(slices.Chunk(questions, bulkSize)), allowed
}

// singly makes a request of each question.
func singly(questions []Question) [][]Question {
	return slices.Collect(slices.Chunk(questions, 1))
}

// refuse deals with questions that the key's plan does not allow: where their source was named the query fails, the
// others go to InternetDB.
func (b *Batch) refuse(questions []Question, refusal error) {
	var rest []Question
	for _, q := range questions {
		if b.named(q) == Auto {
			rest = append(rest, q)
			continue
		}
		b.setReady(refusal)
		b.fail(q, Shodan, refusal)
	}
	b.setReady(nil)
	b.start(b.engine.internetDB, singly(b.withoutCached(b.engine.internetDB, rest)))
}

// start asks each unit in a request of its own, as many side by side as the connection allows. It returns when the
// last has started.
func (b *Batch) start(s *service, units [][]Question) {
	for _, unit := range units {
		select {
		case b.engine.slots[s.source] <- struct{}{}:
		case <-b.ctx.Done():
			return
		}
		b.running.Go(func() {
			again, _ := b.lookUp(s, unit)
			<-b.engine.slots[s.source]
			if len(again) == 0 {
				return
			}
			if _, refusal := s.plan.known(); refusal != nil {
				b.refuse(again, refusal)
				return
			}
			b.start(s, singly(again))
		})
	}
}

// probe asks one unit and waits for it.
func (b *Batch) probe(s *service, unit []Question) (again []Question, err error) {
	select {
	case b.engine.slots[s.source] <- struct{}{}:
	case <-b.ctx.Done():
		return nil, b.ctx.Err()
	}
	defer func() { <-b.engine.slots[s.source] }()
	return b.lookUp(s, unit)
}

// lookUp asks a unit, or joins those who ask the same already, and answers its questions. It returns those that have
// to be asked in another way, and the last error.
func (b *Batch) lookUp(s *service, unit []Question) (again []Question, failure error) {
	keys := make([]cache.Key, len(unit))
	addrs := make(map[cache.Key]netip.Addr, len(unit))
	for i, q := range unit {
		keys[i] = s.key(q.Addr, q.Banners)
		addrs[keys[i]] = q.Addr
	}
	boarded := s.board(keys, func(ctx context.Context, started []cache.Key, land func(cache.Key, outcome)) {
		b.engine.fly(ctx, s, started, addrs, unit[0].Banners, land)
	})
	for i, q := range unit {
		o, err := s.wait(b.ctx, boarded[keys[i]])
		switch {
		case err != nil:
			failure = err // the query has ended; the other flights are left as well
		case isRefusal(o.err), errors.Is(o.err, errBulkRefused) && b.engine.cfg.BulkLookup == "auto":
			again, failure = append(again, q), o.err
		case o.err != nil:
			failure = o.err
			b.settle(q, Answer{Status: Failed, Source: s.source, Error: o.err.Error(), CheckedAt: o.checkedAt})
		case o.host == nil:
			b.settle(q, Answer{Status: NotIndexed, Source: s.source, CheckedAt: o.checkedAt})
		default:
			b.settle(q, Answer{Status: Indexed, Source: s.source, Host: o.host, CheckedAt: o.checkedAt})
		}
	}
	return again, failure
}

// fly asks a service for the addresses of some keys, in one request, and keeps the answers.
func (e *Engine) fly(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, banners bool, land func(cache.Key, outcome)) {
	if len(keys) > 1 {
		e.flyBulk(ctx, s, keys, addrs, banners, land)
		return
	}
	host, err := ask(ctx, s, e.cfg.Timeout, func(ctx context.Context) (*shodan.Host, error) {
		return s.host(ctx, addrs[keys[0]], banners)
	})
	if ctx.Err() == nil {
		s.plan.learn(err)
	}
	if shodan.IsKind(err, shodan.NotFound) {
		err = nil
	}
	land(keys[0], e.conclude(s, keys[0], host, err))
}

// flyBulk is fly for several addresses. Those that the answer lacks are not indexed.
func (e *Engine) flyBulk(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, banners bool, land func(cache.Key, outcome)) {
	list := make([]netip.Addr, len(keys))
	for i, key := range keys {
		list[i] = addrs[key]
	}
	hosts, err := ask(ctx, s, e.cfg.Timeout, func(ctx context.Context) (map[netip.Addr]*shodan.Host, error) {
		return s.hosts(ctx, list, banners)
	})
	switch {
	case err == nil:
		s.plan.learnBulk(true)
	case s.plan.isBulkRefusal(err):
		s.plan.learnBulk(false)
		err = errBulkRefused
	}
	for _, key := range keys {
		land(key, e.conclude(s, key, hosts[addrs[key]], err))
	}
}

// isBulkRefusal reports whether an error means that bulk look-ups are not for this key. What a lesser plan is answered
// is not documented: so it is whatever is neither a fault that passes nor a key that is refused altogether. Once bulk
// look-ups have worked, only a refusal in so many words is one.
func (p *plan) isBulkRefusal(err error) bool {
	if shodan.IsKind(err, shodan.PlanTooLow, shodan.CreditsSpent) {
		return true
	}
	if allowed, _ := p.bulk(); allowed {
		return false
	}
	var failure *shodan.Error
	if !errors.As(err, &failure) {
		return false
	}
	odd := failure.Kind == shodan.Unavailable && failure.Status == http.StatusOK // an answer, but no list of hosts
	return odd || failure.Kind == shodan.Invalid || failure.Kind == shodan.NotFound
}

// conclude makes an outcome of an answer, and keeps what is worth it: hosts and their absence, never an error, and a
// ban, so that not even a new process asks before its end.
func (e *Engine) conclude(s *service, key cache.Key, host *shodan.Host, err error) outcome {
	now := time.Now()
	o := outcome{host: host, err: err, checkedAt: now}
	var banned *BannedError
	switch {
	case errors.As(err, &banned):
		e.store.put(cache.Entry{Key: s.banKey(), CheckedAt: now, Expires: banned.Until})
	case err != nil:
	case host == nil:
		e.store.put(cache.Entry{Key: key, CheckedAt: now, Expires: now.Add(e.cfg.CacheTTL / negativeShare)})
	default:
		age := e.cfg.CacheTTL
		if host.MaxAge > 0 {
			age = host.MaxAge
		}
		e.store.put(cache.Entry{Key: key, Body: host.Raw, CheckedAt: now, Expires: now.Add(age)})
		host.Raw = nil
	}
	return o
}

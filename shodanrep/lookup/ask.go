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
var errBulkRefused = errors.New(`bulk_lookup is "on", and Shodan refuses many addresses in one request with this key: set it to "auto" or "off"`)

// errAskSingly says that this bulk answer could not be used, though others can: the addresses are asked one by one, so
// that one odd host costs none of the others.
var errAskSingly = errors.New("the answer to a bulk look-up could not be used")

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
		if errors.Is(err, errAskSingly) {
			b.start(s, singly(again))
			again = nil
		}
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
		if b.named(q) == Auto && !q.Rich {
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
		b.spawn(func() {
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
		keys[i] = s.key(q.Addr, q.options())
		addrs[keys[i]] = q.Addr
	}
	boarded := s.board(keys, func(ctx context.Context, started []cache.Key, land func(cache.Key, outcome)) {
		b.engine.fly(ctx, s, started, addrs, unit[0].options(), land)
	})
	for i, q := range unit {
		o, err := s.wait(b.ctx, boarded[keys[i]])
		switch {
		case err != nil:
			failure = err // the query has ended; the other flights are left as well
		case isRefusal(o.err), errors.Is(o.err, errAskSingly), errors.Is(o.err, errBulkRefused) && b.engine.cfg.BulkLookup == "auto":
			again, failure = append(again, q), o.err
		default:
			failure = o.err
			b.settle(q, o.answer(s.source))
			b.withdraw(s, keys[i])
		}
	}
	return again, failure
}

// fly asks a service for the addresses of some keys and keeps the answers. Where machines share a cache, the first to
// have a question asks it, and the others wait for its answer.
func (e *Engine) fly(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, opts shodan.HostOptions, land func(cache.Key, outcome)) {
	if e.coordinator == nil || !e.coordinator.Available() {
		e.flyAlone(ctx, s, keys, addrs, opts, land)
		return
	}
	for len(keys) > 0 {
		own, others, release := e.lease(ctx, keys)
		// Between the look into the cache and the lease another may have answered.
		own = e.landKept(ctx, s, own, addrs, land)
		if len(own) > 0 {
			e.flyAlone(ctx, s, own, addrs, opts, land)
			_ = e.store.flush(context.WithoutCancel(ctx)) // what is released must be there for those who waited for it
		}
		release()
		for _, key := range others {
			if e.coordinator.WaitFor(ctx, key) != nil && ctx.Err() != nil {
				land(key, outcome{err: ctx.Err()})
			}
		}
		if ctx.Err() != nil {
			return
		}
		// What is not there now the other machine has failed to get, and it is this one's turn.
		keys = e.landKept(ctx, s, others, addrs, land)
	}
}

// leaseTime is how long others wait for a machine that has the same question. One that is gone keeps nobody waiting
// for longer.
const leaseTime = time.Minute

// lease tells the questions that are this machine's to ask from those that another is asking. The caller must call
// release when its own are answered.
func (e *Engine) lease(ctx context.Context, keys []cache.Key) (own, others []cache.Key, release func()) {
	var releases []func()
	for _, key := range keys {
		done, got, err := e.coordinator.Lease(ctx, key, leaseTime)
		if err == nil && !got {
			others = append(others, key)
			continue
		}
		own = append(own, key)
		if done != nil {
			releases = append(releases, done)
		}
	}
	return own, others, func() {
		for _, done := range releases {
			done()
		}
	}
}

// landKept lands the flights whose answers the cache has, and returns the others.
func (e *Engine) landKept(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, land func(cache.Key, outcome)) []cache.Key {
	if len(keys) == 0 {
		return nil
	}
	kept := e.store.get(ctx, keys)
	var missing []cache.Key
	for _, key := range keys {
		if entry, ok := kept[key]; ok {
			if o, ok := s.read(addrs[key], entry); ok {
				land(key, o)
				continue
			}
		}
		missing = append(missing, key)
	}
	return missing
}

// flyAlone is fly without regard to other machines.
func (e *Engine) flyAlone(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, opts shodan.HostOptions, land func(cache.Key, outcome)) {
	if len(keys) > 1 {
		e.flyBulk(ctx, s, keys, addrs, opts, land)
		return
	}
	host, err := ask(ctx, e, s, func(ctx context.Context) (*shodan.Host, error) {
		return s.host(ctx, addrs[keys[0]], opts)
	})
	if ctx.Err() == nil {
		s.plan.learn(err)
	}
	if shodan.IsKind(err, shodan.NotFound) {
		err = nil
	}
	land(keys[0], e.conclude(s, keys[0], host, err))
}

// flyBulk is flyAlone for several addresses, in one request. Those that the answer lacks are not indexed.
func (e *Engine) flyBulk(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, opts shodan.HostOptions, land func(cache.Key, outcome)) {
	list := make([]netip.Addr, len(keys))
	for i, key := range keys {
		list[i] = addrs[key]
	}
	hosts, err := ask(ctx, e, s, func(ctx context.Context) (map[netip.Addr]*shodan.Host, error) {
		return s.hosts(ctx, list, opts)
	})
	switch allowed, _ := s.plan.bulk(); {
	case err == nil:
		s.plan.learnBulk(true)
	case isRefusal(err), !allowed && isOdd(err):
		s.plan.learnBulk(false)
		err = errBulkRefused
	case shodan.IsKind(err, shodan.NotFound):
		err = nil // nothing is indexed of any of them
	case isOdd(err):
		err = errAskSingly
	}
	for _, key := range keys {
		land(key, e.conclude(s, key, hosts[addrs[key]], err))
	}
}

// isOdd reports whether a bulk look-up was answered with what is neither hosts, nor a fault that passes, nor a key that
// is refused altogether. What a lesser plan is answered is not documented: so it is any of these, unless bulk look-ups
// have worked before. Then only a refusal in so many words is one.
func isOdd(err error) bool {
	var failure *shodan.Error
	if !errors.As(err, &failure) {
		return false
	}
	odd := failure.Kind == shodan.Unavailable && failure.Status == http.StatusOK // an answer, but no list of hosts
	return odd || failure.Kind == shodan.Invalid || failure.Kind == shodan.NotFound
}

// read makes an outcome of what the cache has, and reports whether it could be read.
func (s *service) read(addr netip.Addr, entry cache.Entry) (outcome, bool) {
	if len(entry.Body) == 0 {
		return outcome{checkedAt: entry.CheckedAt, expires: entry.Expires}, true
	}
	parse := shodan.ParseHost
	if s.source == InternetDB {
		parse = shodan.ParseInternetDB
	}
	host, err := parse(entry.Body)
	if err != nil {
		return outcome{}, false
	}
	host.Addr = addr
	return outcome{host: host, checkedAt: entry.CheckedAt, expires: entry.Expires}, true
}

// conclude makes an outcome of an answer, and keeps what is worth it: hosts and their absence, never an error, and a
// ban, so that not even a new process asks before its end.
func (e *Engine) conclude(s *service, key cache.Key, host *shodan.Host, err error) outcome {
	now := checkTime()
	o := outcome{host: host, err: err, checkedAt: now}
	switch {
	case e.keepBan(s, err), err != nil:
	case host == nil:
		o.expires = now.Add(e.cfg.CacheTTL / negativeShare)
		e.store.put(cache.Entry{Key: key, CheckedAt: now, Expires: o.expires})
	default:
		age := e.cfg.CacheTTL
		if host.MaxAge > 0 {
			age = host.MaxAge
		}
		o.expires = now.Add(age)
		e.store.put(cache.Entry{Key: key, Body: host.Raw, CheckedAt: now, Expires: o.expires})
	}
	return o
}

package lookup

import (
	"context"
	"errors"
	"net/netip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// What belongs to a key is all in this file: the plan, bulk requests, and the fall-back from the REST API to InternetDB.
// The way leads from askREST to askInternetDB, which answers every question, and never back.

// askInternetDB answers questions from InternetDB, each in a request of its own, as many side by side as the connection
// allows. It returns when the last has started.
func (b *Batch) askInternetDB(questions []Question) {
	s := b.engine.internetDB
	for _, q := range b.withoutCached(s, questions) {
		if !b.enter(s) {
			return
		}
		b.spawn(func() {
			defer b.exit(s)
			b.lookUp(s, unit{questions: []Question{q}}, func(q Question, o outcome) { b.conclude(s, q, o) })
		})
	}
}

// askREST asks the REST API. Where it is not yet known what the key may do, the first request finds out, alone: of 32
// requests with a key that is refused 31 would be too many.
func (b *Batch) askREST(questions []Question) {
	for len(questions) > 0 {
		if refusal := b.refused(); refusal != nil {
			b.refuse(questions, refusal)
			return
		}
		allowed, _ := b.engine.rest.plan.known()
		units, certain := b.units(questions)
		if allowed && certain {
			b.setReady(nil)
			b.startREST(units)
			return
		}
		if !b.enter(b.engine.rest) {
			return
		}
		left, err := b.lookUpREST(units[0])
		b.exit(b.engine.rest)
		questions = questions[len(units[0].questions):]
		switch {
		case b.ctx.Err() != nil:
			return
		case shodan.IsKind(err, shodan.BadKey):
			b.setReady(err)
			for _, q := range questions {
				b.fail(q, Shodan, err)
			}
			return
		case len(left.refused) > 0:
			b.refuse(left.refused, left.refusal)
		case len(left.singly) > 0:
			questions = append(left.singly, questions...)
		case len(left.smaller) > 0:
			b.setReady(nil) // it failed for a reason that says nothing of the key
			b.startREST(units[0].smaller(left.smaller))
		case err != nil:
			// As above, and the others must not wait for one another to fail.
			b.setReady(nil)
			b.startREST(units[1:])
			return
		}
	}
}

// units divides questions into requests, and reports whether it is known that they may be asked so.
func (b *Batch) units(questions []Question) (units []unit, certain bool) {
	allowed, refused := b.engine.rest.plan.bulk()
	mode := b.engine.cfg.BulkLookup
	if len(questions) == 1 || mode == "off" || mode == "auto" && refused {
		return unitsOf(questions, 1, 0), true
	}
	return unitsOf(questions, bulkSize, 0), allowed
}

// startREST requests each unit, as many side by side as the connection allows. It returns when the last has started.
func (b *Batch) startREST(units []unit) {
	for _, u := range units {
		if !b.enter(b.engine.rest) {
			return
		}
		b.spawn(func() {
			if refusal := b.refused(); refusal != nil { // since it was decided to ask
				b.exit(b.engine.rest)
				b.refuse(u.questions, refusal)
				return
			}
			left, _ := b.lookUpREST(u)
			b.exit(b.engine.rest)
			if len(left.refused) > 0 {
				b.refuse(left.refused, left.refusal)
			}
			b.startREST(unitsOf(left.singly, 1, 0))
			b.startREST(u.smaller(left.smaller))
		})
	}
}

// leftovers are the questions of a unit that have to be asked in another way.
type leftovers struct {
	refused []Question // the key may not look them up
	refusal error      // in which words
	singly  []Question // the key may not look up many at once
	smaller []Question // the request failed as a whole
}

// lookUpREST requests a unit and answers its questions, but for what has to be asked in another way. It returns the last
// error.
func (b *Batch) lookUpREST(u unit) (left leftovers, failure error) {
	s := b.engine.rest
	b.lookUp(s, u, func(q Question, o outcome) {
		if o.err != nil {
			failure = o.err
		}
		switch {
		case errors.Is(o.err, errBulkRefused) && b.engine.cfg.BulkLookup != "on":
			left.singly = append(left.singly, q)
		case errors.As(o.err, new(splitError)):
			left.smaller = append(left.smaller, q)
		case isRefusal(o.err):
			left.refused, left.refusal = append(left.refused, q), o.err
		default:
			b.conclude(s, q, o)
		}
	})
	if allowed, _ := s.plan.known(); len(left.refused) > 0 && !allowed {
		b.mu.Lock()
		b.refusal = left.refusal
		b.mu.Unlock()
	}
	return left, failure
}

// refused returns why the REST API is not asked, or nil.
func (b *Batch) refused() error {
	if _, refusal := b.engine.rest.plan.known(); refusal != nil {
		return refusal
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refusal
}

// refuse deals with questions that the key's plan does not allow: where their source was named the query fails, the
// others go to InternetDB.
func (b *Batch) refuse(questions []Question, refusal error) {
	var rest []Question
	for _, q := range questions {
		if b.named(q) == Auto && !q.RequireBanners {
			rest = append(rest, q)
			continue
		}
		b.setReady(refusal)
		b.fail(q, Shodan, refusal)
	}
	b.setReady(nil)
	b.askInternetDB(rest)
}

// enter waits until the connection may send one more request to a service. It returns false where the batch ends first.
func (b *Batch) enter(s *service) bool {
	select {
	case b.engine.slots[s.source] <- struct{}{}:
		return true
	case <-b.ctx.Done():
		return false
	}
}

// exit ends what enter began.
func (b *Batch) exit(s *service) { <-b.engine.slots[s.source] }

// lookUp requests a unit, or joins those who request the same already, and hands each question's outcome to done, unless
// the batch ends first.
func (b *Batch) lookUp(s *service, u unit, done func(Question, outcome)) {
	keys := make([]cache.Key, len(u.questions))
	addrs := make(map[cache.Key]netip.Addr, len(u.questions))
	for i, q := range u.questions {
		keys[i] = s.key(q.Addr, q.options())
		addrs[keys[i]] = q.Addr
	}
	how := manner{opts: u.questions[0].options(), tried: u.tried}
	boarded := s.board(keys, func(ctx context.Context, started []cache.Key, land func(cache.Key, outcome)) {
		b.engine.fly(ctx, s, started, addrs, how, land)
	})
	for i, q := range u.questions {
		// Where the query has ended, the other calls in flight are left as well.
		if o, err := s.wait(b.ctx, boarded[keys[i]]); err == nil {
			done(q, o)
		}
	}
}

// conclude answers a question with an outcome.
func (b *Batch) conclude(s *service, q Question, o outcome) {
	b.settle(q, o.answer(s.source))
	b.withdraw(s, s.key(q.Addr, q.options()))
}

package shodanrep

import (
	"context"
	"net/netip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// Lookups are lookups of addresses that become known one after the other, such as those of a text that is still being
// read. It looks up in parallel what has been added.
type Lookups struct {
	checker *Checker
	query   *query
}

// lookupsQuestion is what is asked about each address.
var lookupsQuestion = lookup.Question{Banners: true}

// A Target is an address or a network that was added to Lookups.
type Target struct{ subject *subject }

// Lookups makes Lookups, which end with the context. The size is how many different addresses there will be, which
// decides which source is used (api_lookup_limit); UnknownSize is more than the limit.
func (c *Checker) Lookups(ctx context.Context, size int) *Lookups {
	if size == UnknownSize {
		size = c.APILookupLimit() + 1
	}
	return &Lookups{checker: c, query: &query{
		engine: c.engine, settings: c.settings, policies: policies{"": c.policy}, now: clock(),
		batch: c.engine.Batch(ctx, size),
	}}
}

// APILookupLimit returns the argument api_lookup_limit of the connection.
func (c *Checker) APILookupLimit() int { return c.settings.lookup.APILookupLimit }

// Add looks up addresses and returns at once. Each of the targets it returns must be taken with one call of Verdict.
func (l *Lookups) Add(addresses []netip.Prefix) []Target {
	subjects := make([]*subject, len(addresses))
	targets := make([]Target, len(addresses))
	for i, p := range addresses {
		subjects[i] = &subject{address: addressOf(p), manner: manner{source: l.checker.source}}
		targets[i] = Target{subjects[i]}
	}
	l.query.askFor(subjects, lookupsQuestion)
	return targets
}

// Verdict waits for the verdict on a target. An error is about all addresses, such as a key that is refused.
func (l *Lookups) Verdict(ctx context.Context, t Target) (*Verdict, error) {
	if t.subject.addr.IsValid() {
		if err := l.query.batch.Ready(ctx); err != nil {
			return nil, err
		}
	}
	answer, err := l.query.answer(ctx, t.subject, lookupsQuestion)
	if err != nil {
		return nil, err
	}
	return &Verdict{subject: t.subject, row: l.query.judge(t.subject, answer)}, nil
}

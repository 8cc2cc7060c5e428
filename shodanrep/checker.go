package shodanrep

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// CheckOptions are how a Checker looks up and scores, where that differs from its connection.
type CheckOptions struct {
	Policy  string // a name or a file; the connection's where empty
	Source  string // dataset, shodan or internetdb; the connection's choice where empty
	NoCache bool   // neither read the cache nor write it
	Refresh bool   // do not read responses about addresses from the cache, but write new ones
	Logger  hclog.Logger
}

// A Checker looks up and scores addresses for one connection, without SQL. Its verdicts are the rows of the table
// shodan_ip_reputation. Call [Shutdown] at the end of the process.
type Checker struct {
	engine   *lookup.Engine
	settings settings
	policy   *reputation.Policy
	source   lookup.Source
}

// NewChecker makes a Checker for a connection of the given arguments, the text of the connection block's body. It reads
// the index of a dataset, and sends no request.
func NewChecker(ctx context.Context, name, arguments string, o CheckOptions) (*Checker, error) {
	s, err := parseSettings(name, arguments)
	if err != nil {
		return nil, err
	}
	c := &Checker{policy: s.policy, source: lookup.Source(o.Source)}
	if o.Policy != "" {
		if c.policy, err = ReadPolicy(o.Policy); err != nil {
			return nil, fmt.Errorf("policy %s: %w", o.Policy, err)
		}
	}
	if o.NoCache {
		s.lookup.Cache = "off"
	}
	if o.Refresh {
		s.lookup.RefreshBefore = time.Now()
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	c.settings = s
	if c.engine, err = engineFor(ctx, name, s, o.Logger); err != nil {
		return nil, err
	}
	return c, c.engine.CheckSource(c.source)
}

// Policy returns the name of the policy that the scores are by.
func (c *Checker) Policy() string { return c.policy.Name }

// NetworkLimit returns how many addresses of a network may be looked up.
func (c *Checker) NetworkLimit() int { return c.settings.networkLimit }

// Requests returns how many requests this process has sent to the services of the connection so far.
func (c *Checker) Requests() int64 { return c.engine.Requests() }

// Credits returns how many query credits this process has spent so far.
func (c *Checker) Credits() int64 { return c.engine.Spent().Credits }

// checkWindow is how many addresses are handed to the batch at a time. The next window is looked up while the verdicts
// of the last are used, and no more than two are in memory.
const checkWindow = 1000

// UnknownSize is the size of a list whose length is not known before its end.
const UnknownSize = -1

// Countable reports whether a target counts towards api_lookup_limit: a single address that can be on the internet.
func Countable(target netip.Prefix) bool {
	return target.IsSingleIP() && !lookup.IsReserved(target.Addr())
}

// Check looks up addresses in parallel and returns a verdict for each, in order and as soon as it is there. A network
// of more than one address gets a verdict of status not_a_host. Lookups end with the context or the loop.
//
// The number of different addresses, as [Countable] counts them, decides which source is used (api_lookup_limit). Where
// the caller does not know it, size is UnknownSize, and Check reads ahead until there is one more than the limit. An
// error, which is the last element, is about all addresses, such as a key that is refused.
func (c *Checker) Check(ctx context.Context, targets iter.Seq[netip.Prefix], size int) iter.Seq2[*Verdict, error] {
	return func(yield func(*Verdict, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		next, stop := iter.Pull(targets)
		defer stop()
		var first []netip.Prefix
		size := size
		if size == UnknownSize {
			first, size = firstTargets(next, c.settings.lookup.APILookupLimit)
		}
		q := &query{
			engine: c.engine, settings: c.settings, policies: policies{"": c.policy}, now: clock(),
			batch: c.engine.Batch(ctx, size),
		}
		want := lookup.Question{Banners: true}
		asked := false // the batch is ready only after there was something to look up
		ask := func() (window []*subject) {
			for len(window) < checkWindow {
				var target netip.Prefix
				if len(first) > 0 {
					target, first = first[0], first[1:]
				} else {
					var ok bool
					if target, ok = next(); !ok {
						break
					}
				}
				s := &subject{address: addressOf(target), manner: manner{source: c.source}}
				window, asked = append(window, s), asked || s.addr.IsValid()
			}
			if len(window) > 0 {
				q.askFor(window, want)
			}
			return window
		}
		for window := ask(); len(window) > 0; {
			following := ask()
			if asked {
				if err := q.batch.Ready(ctx); err != nil {
					yield(nil, err)
					return
				}
			}
			for _, s := range window {
				answer, err := q.answer(ctx, s, want)
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(&Verdict{subject: s, row: q.judge(s, answer)}, nil) {
					return
				}
			}
			window = following
		}
	}
}

// firstTargets returns the targets up to the one with which there are more different addresses than the limit, and how
// many there are.
func firstTargets(next func() (netip.Prefix, bool), limit int) (first []netip.Prefix, size int) {
	seen := map[netip.Addr]bool{}
	for len(seen) <= limit {
		target, ok := next()
		if !ok {
			break
		}
		first = append(first, target)
		if Countable(target) {
			seen[target.Addr().Unmap().WithZone("")] = true
		}
	}
	return first, len(seen)
}

// addressOf is parseAddress for what has been parsed.
func addressOf(target netip.Prefix) address {
	if !target.IsSingleIP() {
		return address{given: target.String(), network: true}
	}
	addr := target.Addr().Unmap().WithZone("")
	return address{given: addr.String(), addr: addr}
}

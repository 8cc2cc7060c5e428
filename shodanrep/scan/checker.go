package scan

import (
	"context"
	"iter"
	"net/netip"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// A Checker looks up and scores addresses for one connection, without SQL. Its verdicts are the rows of the table
// shodan_ip_reputation. Call [Shutdown] at the end of the process.
type Checker struct {
	engine   *lookup.Engine
	settings Settings
	source   lookup.Source
}

// NewChecker makes a Checker for a connection. The source is the connection's choice if empty. It reads the index of a
// dataset, and sends no request.
func NewChecker(ctx context.Context, connection string, settings Settings, source lookup.Source, logger hclog.Logger) (*Checker, error) {
	engine, err := engineFor(ctx, connection, settings.Lookup, logger)
	if err != nil {
		return nil, err
	}
	return &Checker{engine: engine, settings: settings, source: source}, engine.CheckSource(source)
}

// Policy returns the name of the policy that computes the scores.
func (c *Checker) Policy() string { return c.settings.Policy.Name }

// NetworkLimit returns how many addresses of a network may be looked up.
func (c *Checker) NetworkLimit() int { return c.settings.NetworkLimit }

// APILookupLimit returns the argument api_lookup_limit of the connection.
func (c *Checker) APILookupLimit() int { return c.settings.Lookup.APILookupLimit }

// HasInternetDBFile reports whether the connection has the argument internetdb_file.
func (c *Checker) HasInternetDBFile() bool { return c.settings.Lookup.InternetDBFile != "" }

// Requests returns how many requests this process has sent to the services of the connection so far.
func (c *Checker) Requests() int64 { return c.engine.Requests() }

// Credits returns how many query credits this process has spent so far.
func (c *Checker) Credits() int64 { return c.engine.Spent().Credits }

// UnknownSize is the size of a list whose length is not known before its end.
const UnknownSize = lookup.UnknownSize

// Countable reports whether an address counts towards api_lookup_limit: a single one that can be on the internet.
func Countable(address netip.Prefix) bool {
	return address.IsSingleIP() && !lookup.IsReserved(address.Addr())
}

// MaxNetworkLimit is the largest network_limit of a connection.
const MaxNetworkLimit = 1_000_000

// Fits reports whether a network has at most so many addresses.
func Fits(network netip.Prefix, limit int) bool {
	bits := network.Addr().BitLen() - network.Bits()
	return bits <= 62 && int64(1)<<bits <= int64(limit)
}

// checkerNeeds is what a Checker needs of each address: its verdicts have all columns.
var checkerNeeds = lookup.Question{Banners: true}

// targetOf makes the target of an address or a network.
func targetOf(p netip.Prefix, source lookup.Source) Target {
	return Target{Address: addressOf(p), Options: Options{Source: source}}
}

// Check looks up addresses in parallel and yields a verdict for each, in order and as soon as it is there. A network of
// more than one address has a verdict of status not_a_host. Lookups end with the context or the loop.
//
// The number of different addresses, as [Countable] counts them, decides which source is used (api_lookup_limit). If
// the caller does not know it, size is UnknownSize, and Check reads ahead until there is one more than the limit. An
// error, which is the last element, is about all addresses, such as a refused key.
func (c *Checker) Check(ctx context.Context, addresses iter.Seq[netip.Prefix], size int) iter.Seq2[*Verdict, error] {
	same := VerdictConverter[[]*Verdict]{Convert: func(_ int, verdicts []*Verdict) []*Verdict { return verdicts }, Keeps: true}
	return func(yield func(*Verdict, error) bool) {
		for verdicts, err := range CheckParts(ctx, c, addresses, size, same) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, v := range verdicts {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

// A VerdictConverter makes a T of consecutive verdicts, such as their text.
type VerdictConverter[T any] struct {
	// Convert gets one verdict as soon as it is there, or many together that a file has. First is the index of the first
	// address. It may be called on several processors at a time, in any order.
	Convert func(first int, verdicts []*Verdict) T
	// Keeps says that the T refers to verdicts. Otherwise their memory is used for others when Convert has returned.
	Keeps bool
}

// CheckParts is [Checker.Check] for a caller that converts the verdicts: it yields the conversions in order.
func CheckParts[T any](ctx context.Context, c *Checker, addresses iter.Seq[netip.Prefix], size int, converter VerdictConverter[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		addresses, size := addresses, size
		if size == UnknownSize {
			next, stop := iter.Pull(addresses)
			defer stop()
			var first []netip.Prefix
			first, size = readAhead(next, c.APILookupLimit())
			addresses = func(yield func(netip.Prefix) bool) {
				for _, p := range first {
					if !yield(p) {
						return
					}
				}
				for p, ok := next(); ok && yield(p); p, ok = next() {
				}
			}
		}
		w := windows{
			scan: newScan(ctx, c.engine, c.settings, size), source: c.source, need: checkerNeeds, size: size, keepsResults: converter.Keeps,
		}
		resultsOf(ctx, &w, addresses, func(first int, results []Result, memory *partMemory) T {
			return converter.Convert(first, memory.verdictsOf(results))
		})(yield)
	}
}

// readAhead returns the addresses up to the one with which there are more different ones than the limit, and how many
// there are.
func readAhead(next func() (netip.Prefix, bool), limit int) (first []netip.Prefix, size int) {
	seen := map[netip.Addr]bool{}
	for len(seen) <= limit {
		p, ok := next()
		if !ok {
			break
		}
		first = append(first, p)
		if Countable(p) {
			seen[p.Addr().Unmap().WithZone("")] = true
		}
	}
	return first, len(seen)
}

// Lookups are lookups of addresses that become known one after the other, such as those of a text that is still being
// read. What has been added is looked up in parallel.
type Lookups struct {
	checker *Checker
	scan    *Scan
}

// Lookups makes Lookups, which end with the context. The size is how many different addresses there will be, which
// decides which source is used (api_lookup_limit); UnknownSize is more than the limit.
func (c *Checker) Lookups(ctx context.Context, size int) *Lookups {
	return &Lookups{checker: c, scan: newScan(ctx, c.engine, c.settings, size)}
}

// Add looks up addresses and returns at once. Each of the targets it returns must be taken with one call of Verdict.
func (l *Lookups) Add(addresses []netip.Prefix) []*Target {
	targets := make([]*Target, len(addresses))
	for i, p := range addresses {
		t := targetOf(p, l.checker.source)
		targets[i] = &t
	}
	l.scan.lookUp(targets, checkerNeeds)
	return targets
}

// Verdict waits for the verdict on a target. An error is about all addresses, such as a refused key.
func (l *Lookups) Verdict(ctx context.Context, t *Target) (*Verdict, error) {
	if t.Addr.IsValid() {
		if err := l.scan.batch.Ready(ctx); err != nil {
			return nil, err
		}
	}
	result, err := l.scan.Result(ctx, t, checkerNeeds)
	if err != nil {
		return nil, err
	}
	return result.Verdict(), nil
}

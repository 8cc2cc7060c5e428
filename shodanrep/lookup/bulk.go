package lookup

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// bulkSize is how many addresses go into one bulk request.
	bulkSize = 100
	// bulkTries is how often a bulk request is sent, and halfTries how often one of its halves, where it failed for a
	// reason that is not the key's. What is left of the tries is for each address alone.
	bulkTries = 3
	halfTries = 1
	// hostsPerTimeout is after how many addresses in a request the time that it may take grows by another timeout: the
	// hosts of a hundred addresses can be a hundred megabytes.
	hostsPerTimeout = 25
)

// errBulkRefused says that many addresses in one request are not for this key.
var errBulkRefused = errors.New(`bulk_lookup is "on", and Shodan refuses many addresses in one request with this key: set it to "auto" or "off"`)

// A splitError says that a bulk request failed for a reason that is not the key's. Its addresses are requested again, in
// smaller requests.
type splitError struct{ error }

func (e splitError) Unwrap() error { return e.error }

// A unit is the questions that go into one request.
type unit struct {
	questions []Question
	tried     int // how often they have been requested before, in larger units
}

// unitsOf divides questions into units of at most so many.
func unitsOf(questions []Question, size, tried int) []unit {
	var units []unit
	for chunk := range slices.Chunk(questions, size) {
		units = append(units, unit{chunk, tried})
	}
	return units
}

// smaller divides what is left of a unit that failed: into halves first, then into single addresses.
func (u unit) smaller(left []Question) []unit {
	if u.tried == 0 && len(left) > 1 {
		return unitsOf(left, (len(left)+1)/2, bulkTries)
	}
	return unitsOf(left, 1, bulkTries+halfTries)
}

// effort is how much is done for a request with so many addresses, which have been requested before.
func (e *Engine) effort(addresses, tried int) effort {
	most := effort{tries: tries - tried, timeout: e.cfg.Timeout}
	if addresses == 1 {
		return most
	}
	most.timeout += e.cfg.Timeout * time.Duration(addresses) / hostsPerTimeout
	if most.tries = bulkTries; tried > 0 {
		most.tries = halfTries
	}
	return most
}

// flyBulk is flyAlone for several addresses, in one request. Those that the answer lacks are not indexed.
func (e *Engine) flyBulk(ctx context.Context, s *service, keys []cache.Key, addrs map[cache.Key]netip.Addr, how manner, land func(cache.Key, outcome)) {
	list := make([]netip.Addr, len(keys))
	for i, key := range keys {
		list[i] = addrs[key]
	}
	hosts, err := ask(ctx, e, s, e.effort(len(keys), how.tried), func(ctx context.Context) (map[netip.Addr]*shodan.Host, error) {
		return s.hosts(ctx, list, how.opts)
	})
	if err = e.judgeBulk(s.plan, err); errors.As(err, new(splitError)) && ctx.Err() == nil {
		e.cfg.Logger.Warn("a bulk lookup failed: its addresses are requested again in smaller requests", "addresses", len(keys), "error", err)
	}
	for _, key := range keys {
		land(key, e.conclude(s, key, hosts[addrs[key]], err))
	}
}

// judgeBulk decides what follows from the outcome of a bulk request: nil where it was answered, errBulkRefused,
// a splitError, or an error that splitting cannot mend.
func (e *Engine) judgeBulk(p *plan, err error) error {
	allowed, _ := p.bulk()
	var failure *shodan.Error
	switch {
	case err == nil:
		p.learnBulk(true)
		return nil
	case isRefusal(err), e.cfg.BulkLookup != "on" && !allowed && isOdd(err):
		p.learnBulk(false)
		return fmt.Errorf("%w (%v)", errBulkRefused, err)
	case allowed && shodan.IsKind(err, shodan.NotFound):
		return nil // nothing is indexed of any of them
	case !errors.As(err, &failure), errors.Is(err, errDown), shodan.IsKind(err, shodan.BadKey, shodan.Limited):
		return err
	}
	return splitError{err}
}

// isOdd reports whether a bulk lookup was answered with what is neither hosts, nor a fault that passes. What a lesser
// plan is answered is not documented: so it is any of these, unless bulk lookups have worked before or the user says
// that the plan has them. Then only a refusal in so many words is one.
func isOdd(err error) bool {
	return errors.Is(err, shodan.ErrUnexpected) || shodan.IsKind(err, shodan.Invalid, shodan.NotFound)
}

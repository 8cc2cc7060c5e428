package scan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// NotAHost is the status of a network. Package lookup does not know it: it looks up addresses.
const NotAHost lookup.Status = "not_a_host"

// A Needs function returns what a table's selected columns need of a lookup. It is the same for all targets of a scan,
// but for the address and the options.
type Needs func(selected Columns) lookup.Question

// parseList parses the addresses of the whole scan, and returns how many different values there are: the SDK splits an
// IN list among its calls, but leaves it whole in UnsafeQuals. Networks and reserved addresses count, though they are not
// looked up: the caller that cuts a list into slices of equal length cannot know of them, and all slices must choose the
// same source.
func (s *Scan) parseList() (length int) {
	s.addresses = map[string]Address{}
	values := map[string]bool{}
	for _, text := range s.quals["ip"] {
		a := ParseAddress(text)
		s.addresses[text] = a
		if a.Addr.IsValid() {
			text = a.Addr.String()
		}
		values[text] = true
	}
	return len(values)
}

// targets returns the targets of a call: the addresses that it was given or, where it was given only a source that can be
// listed, all that the source has.
func (c *ListCall) targets(ctx context.Context, need lookup.Question) (own []*Target, all iter.Seq2[*Target, error], err error) {
	table := c.d.Table.Name
	for _, source := range c.Texts("source") {
		if err := c.CheckSource(source); err != nil {
			return nil, nil, err
		}
		if !c.Has("ip") && !c.engine.CanList(lookup.Source(source)) {
			return nil, nil, fmt.Errorf("source = %q needs addresses as well: only the dataset can be listed whole, and InternetDB if internetdb_file is set; %s",
				source, workingForms(table, "ip"))
		}
	}
	if !c.Has("ip") && len(c.Texts("source")) == 0 {
		return nil, nil, fmt.Errorf("%s needs addresses: %s", table, workingForms(table, "ip"))
	}
	if !c.Has("ip") {
		return nil, c.wholeSources(ctx, optionsOf(c.own), c.policies.need(need)), nil
	}
	own = c.targetsOf(c.own)
	if c.limited {
		// Each address becomes at least one row, so those beyond the rows that are left are not needed.
		left := c.rowsLeft.Add(-int64(len(own))) + int64(len(own))
		own = own[:max(0, min(left, int64(len(own))))]
	}
	return own, func(yield func(*Target, error) bool) {
		for _, t := range own {
			if !yield(t, nil) {
				return
			}
		}
	}, nil
}

// Targets returns the addresses that a call was given in the column ip, each with the options that it was given.
func (c *ListCall) Targets() []*Target { return c.targetsOf(c.own) }

// errEmptySource is about a condition that no row satisfies: the plugin would look up, and PostgreSQL drop the rows.
var errEmptySource = errors.New(`source = "" is no source: leave source out to let the plugin choose`)

// CheckSource returns an error if a query cannot name a source.
func (s *Scan) CheckSource(source string) error {
	if source == "" {
		return errEmptySource
	}
	if source == string(lookup.Auto) {
		return fmt.Errorf(`source = "auto" is how the plugin chooses by itself, and no row has it: leave source out`)
	}
	return s.engine.CheckSource(lookup.Source(source))
}

// wholeSources lists the hosts of the dataset or of the file of InternetDB that have what is needed, each with each
// combination of options.
func (s *Scan) wholeSources(ctx context.Context, options []Options, need lookup.Question) iter.Seq2[*Target, error] {
	bySource := map[lookup.Source][]Options{}
	for _, o := range options {
		bySource[o.Source] = append(bySource[o.Source], o)
	}
	return func(yield func(*Target, error) bool) {
		for _, source := range []struct {
			lookup.Source
			all iter.Seq2[lookup.Listed, error]
		}{{lookup.Dataset, s.engine.ListDataset(ctx, need)}, {lookup.InternetDB, s.engine.ListInternetDB(ctx)}} {
			options := bySource[source.Source]
			if len(options) == 0 {
				continue
			}
			for listed, err := range source.all {
				if err != nil {
					yield(nil, err)
					return
				}
				var address Address
				if listed.Addr.IsValid() {
					address = Address{Given: listed.Addr.String(), Addr: listed.Addr}
				}
				for _, o := range options {
					if !yield(&Target{Address: address, Options: o, known: &listed.Answer}, nil) {
						return
					}
				}
			}
		}
	}
}

// LookUp turns the IN list of the scan into lookups: all of it with the first call, or only the targets of this call if
// the scan needs fewer. It returns when it is known whether they can be looked up at all.
func (c *ListCall) LookUp(ctx context.Context, own []*Target, need lookup.Question) error {
	if !slices.ContainsFunc(own, func(t *Target) bool { return t.Addr.IsValid() }) {
		return nil
	}
	if c.limited {
		c.lookUp(own, need)
	} else {
		c.lookUpList.Do(func() { c.lookUp(c.targetsOf(c.quals), need) })
	}
	return c.batch.Ready(ctx)
}

// lookUp adds targets to the batch, and returns at once.
func (s *Scan) lookUp(targets []*Target, need lookup.Question) {
	need = s.policies.need(need)
	questions := make([]lookup.Question, 0, len(targets))
	for _, t := range targets {
		if t.Addr.IsValid() {
			questions = append(questions, t.question(need))
		}
	}
	s.batch.Add(questions...)
}

// Result waits for the result of a target's lookup. It fails only where the query ends.
func (s *Scan) Result(ctx context.Context, t *Target, need lookup.Question) (*Result, error) {
	need = s.policies.need(need)
	answer := lookup.Answer{Status: lookup.Failed, Error: t.Problem}
	switch {
	case t.known != nil && (!need.History || t.known.Source == lookup.InternetDB): // a dataset is listed without the history
		answer = *t.known
	case t.Network:
		answer = lookup.Answer{Status: NotAHost}
	case !t.Addr.IsValid():
		if progress := lookup.ProgressFrom(ctx); progress != nil {
			progress.CountInvalid(t.Given)
		}
	default:
		var err error
		if answer, err = s.batch.Answer(ctx, t.question(need)); err != nil {
			return nil, err
		}
	}
	return s.NewResult(t, answer), nil
}

// Results looks up addresses in parallel and yields their results, in order and each as soon as it is there. A network of
// more than one address is a result of status NotAHost. The source is the connection's choice if empty. An error, which is
// the last element, is about all of them.
func (s *Scan) Results(ctx context.Context, addresses iter.Seq[netip.Prefix], source lookup.Source, need lookup.Question) iter.Seq2[*Result, error] {
	score := func(_ int, results []Result, _ *partMemory) []Result {
		for i := range results {
			if r := &results[i]; s.policies[r.Policy] != nil {
				r.verdict = r.Verdict()
			}
		}
		return results
	}
	return func(yield func(*Result, error) bool) {
		for results, err := range resultsOf(ctx, &windows{scan: s, source: source, need: need, keepsResults: true}, addresses, score) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range results {
				if !yield(&results[i], nil) {
					return
				}
			}
		}
	}
}

// resultsOf looks up addresses as Results does, divided into windows, and yields the conversions of consecutive results. Convert may
// be called on several processors at a time.
func resultsOf[T any](ctx context.Context, w *windows, addresses iter.Seq[netip.Prefix], convert converter[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		next, stop := iter.Pull(inParts(addresses, takenAtOnce))
		defer stop()
		w := *w
		w.next, w.need = next, w.scan.policies.need(w.need)
		first := 0
		for current, ok := w.following(ctx); ok; current, ok = w.following(ctx) {
			for part, err := range parts(ctx, current, first, convert) {
				if !yield(part, err) || err != nil {
					return
				}
			}
			first += len(current.targets) + len(current.prefixes)
		}
	}
}

// AddTotal adds to how many addresses the progress of the scan expects.
func (c *ListCall) AddTotal(ctx context.Context, addresses int) {
	if listLengthOf(ctx) > 0 {
		addresses-- // as a value of a list one is counted already
	}
	c.batch.AddTotal(addresses)
}

package scan

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// onePerTarget are the Rows of OnePerTarget.
type onePerTarget struct{ needs Needs }

// OnePerTarget builds one row for each address. List sends no request: the hydrate function of the columns waits for the
// lookup, so that what is not selected costs nothing. The item of the columns in Echoes is a *Target, that of all others
// a *Result, or a *Verdict if the table scores.
func OnePerTarget(needs Needs) Rows { return onePerTarget{needs} }

func (b onePerTarget) list(ctx context.Context, c *ListCall) error {
	own, all, err := c.targets(ctx, b.needs(c.Selected()))
	if err == nil && !c.OnlyEchoes() {
		err = c.LookUp(ctx, own, b.needs(c.Selected()))
	}
	if err != nil {
		return err
	}
	for target, err := range all {
		if err != nil {
			return err
		}
		if !c.emit(ctx, target) {
			break
		}
	}
	return nil
}

func (onePerTarget) takesLists() {}

// A targetHydrate has the hydrate function of a table with one row for each address.
type targetHydrate struct {
	onePerTarget
	table *table
}

// lookUp is the hydrate function of the columns that are not in Echoes.
func (h targetHydrate) lookUp(ctx context.Context, d *plugin.QueryData, data *plugin.HydrateData) (_ any, err error) {
	defer func() { noteFailure(ctx, err) }()
	defer catchPanic(&err)
	result, err := h.table.scanOf(ctx, d).Result(ctx, data.Item.(*Target), h.needs(d.QueryContext.Columns))
	switch {
	case err != nil:
		return nil, err
	case h.table.Scores:
		return result.Verdict(), nil
	}
	return result, nil
}

// PerTarget are the Rows of ManyPerTarget.
type PerTarget[R any] struct {
	needs Needs
	rows  func(*Result) []R
	start func(ctx context.Context, c *ListCall, rows []R) (wait func() error)
}

// ManyPerTarget builds any number of rows for each address. It must look up in List, because only the result says how
// many rows there are. An address without a result must have a row as well, which says so.
func ManyPerTarget[R any](needs Needs, rows func(*Result) []R) PerTarget[R] {
	return PerTarget[R]{needs: needs, rows: rows}
}

// CompletedBy adds requests for what rows lack. start sends those for the rows of one address and returns at once; the
// function that it returns waits for the responses and completes the rows. It is nil if they are complete.
func (b PerTarget[R]) CompletedBy(start func(ctx context.Context, c *ListCall, rows []R) (wait func() error)) PerTarget[R] {
	b.start = start
	return b
}

// rowsAhead is how many rows wait to be completed while further addresses are looked up.
const rowsAhead = 1000

func (b PerTarget[R]) list(ctx context.Context, c *ListCall) error {
	need := b.needs(c.Selected())
	own, all, err := c.targets(ctx, need)
	if err == nil && need.RequireBanners {
		err = c.checkBanners(own)
	}
	if err == nil {
		err = c.LookUp(ctx, own, need)
	}
	if err != nil {
		return err
	}
	defer c.lockForLimit(c.d)()
	if c.remaining(ctx) == 0 {
		return nil
	}
	type pending struct {
		rows []R
		wait func() error
	}
	var ahead []pending
	waiting := int64(0) // rows in ahead
	// emitFirst emits the rows that have waited longest, and reports whether more are needed.
	emitFirst := func() (more bool, err error) {
		first := ahead[0]
		ahead, waiting = ahead[1:], waiting-int64(len(first.rows))
		if first.wait != nil {
			if err := first.wait(); err != nil {
				return false, err
			}
		}
		for _, row := range first.rows {
			if !c.emit(ctx, row) {
				return false, nil
			}
		}
		return true, nil
	}
	for target, err := range all {
		if err != nil {
			return err
		}
		result, err := c.Result(ctx, target, need)
		if err != nil {
			return err
		}
		added := pending{rows: b.rows(result)}
		if b.start != nil {
			added.wait = b.start(ctx, c, added.rows)
		}
		ahead, waiting = append(ahead, added), waiting+int64(len(added.rows))
		for len(ahead) > 0 && (ahead[0].wait == nil || waiting >= min(rowsAhead, c.remaining(ctx))) {
			if more, err := emitFirst(); err != nil || !more {
				return err
			}
		}
	}
	for len(ahead) > 0 {
		if more, err := emitFirst(); err != nil || !more {
			return err
		}
	}
	return nil
}

func (PerTarget[R]) takesLists() {}

// checkBanners returns an error if a source that the targets or a list of all hosts name has no banners.
func (c *ListCall) checkBanners(targets []*Target) error {
	for _, t := range targets {
		if err := c.engine.CheckBanners(t.Source); err != nil {
			return err
		}
	}
	for _, source := range c.Texts("source") {
		if err := c.engine.CheckBanners(lookup.Source(source)); err != nil {
			return err
		}
	}
	return nil
}

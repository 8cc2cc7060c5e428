package shodanrep

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// withBanners asks for a host with its banners.
func withBanners(*plugin.QueryData) lookup.Question { return lookup.Question{Banners: true} }

// An addressRow is what became of an address.
type addressRow struct {
	*subject
	answer lookup.Answer
}

func (r *addressRow) became() lookup.Answer { return r.answer }
func (r *addressRow) host() *shodan.Host    { return r.answer.Host }

// onePerAddress makes the List function of a table that has one row for each address. It looks nothing up itself: that is
// left to the columns' hydrate function, so that what is not selected costs nothing.
func onePerAddress(want func(*plugin.QueryData) lookup.Question) plugin.HydrateFunc {
	return func(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
		q := queryOf(ctx, d)
		own, all, err := q.subjects(ctx, d)
		if err == nil && q.needsAnswers(d) {
			err = q.ask(ctx, d, own, want(d))
		}
		if err != nil {
			return nil, q.fail(ctx, err)
		}
		for s, err := range all {
			if err != nil {
				return nil, q.fail(ctx, err)
			}
			d.StreamListItem(ctx, s)
			if d.RowsRemaining(ctx) == 0 {
				break
			}
		}
		return nil, nil
	}
}

// lookUp makes the hydrate function of such a table's columns but the address.
func lookUp(want func(*plugin.QueryData) lookup.Question) plugin.HydrateFunc {
	return func(ctx context.Context, d *plugin.QueryData, h *plugin.HydrateData) (any, error) {
		s := h.Item.(*subject)
		answer, err := queryOf(ctx, d).answer(ctx, s, want(d))
		if err != nil {
			return nil, err
		}
		return &addressRow{subject: s, answer: answer}, nil
	}
}

// perAddress makes the List function of a table that has any number of rows for an address. It has to look up in List,
// because only the answer says how many rows there are; the batch is what bounds how many addresses are looked up at
// once. An address without an answer must be a row as well, which says so.
func perAddress[R any](want func(*plugin.QueryData) lookup.Question, rows func(*query, *subject, lookup.Answer) []R) plugin.HydrateFunc {
	return perAddressAsking(want, func(_ context.Context, q *query, s *subject, answer lookup.Answer) ([]R, error) {
		return rows(q, s, answer), nil
	})
}

// perAddressAsking is perAddress for rows that need more than what became of the address. An error fails the query.
func perAddressAsking[R any](want func(*plugin.QueryData) lookup.Question, rows func(context.Context, *query, *subject, lookup.Answer) ([]R, error)) plugin.HydrateFunc {
	return perAddressAhead(want, func(ctx context.Context, _ *plugin.QueryData, q *query, s *subject, answer lookup.Answer) ([]R, func() error, error) {
		found, err := rows(ctx, q, s, answer)
		return found, nil, err
	})
}

// rowsAhead is how many rows wait for what completes them while further addresses are looked up.
const rowsAhead = 1000

// perAddressAhead is perAddress for rows that begin makes, starting what completes them beside it: the rows of further
// addresses are begun meanwhile. What begin returns beside the rows waits for that; it is nil for rows that are complete.
func perAddressAhead[R any](want func(*plugin.QueryData) lookup.Question,
	begin func(context.Context, *plugin.QueryData, *query, *subject, lookup.Answer) (rows []R, complete func() error, err error)) plugin.HydrateFunc {
	type begun struct {
		rows     []R
		complete func() error
	}
	return func(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
		q, question := queryOf(ctx, d), want(d)
		own, all, err := q.subjects(ctx, d)
		if err == nil && question.RequireBanners {
			err = checkRich(q, own)
		}
		if err == nil {
			err = q.ask(ctx, d, own, question)
		}
		if err != nil {
			return nil, q.fail(ctx, err)
		}
		defer q.inTurn(d)()
		if d.RowsRemaining(ctx) == 0 {
			return nil, nil
		}
		var ahead []begun
		waiting := int64(0)
		// emit hands on the rows that were begun first, and reports whether more are needed.
		emit := func() (bool, error) {
			first := ahead[0]
			ahead, waiting = ahead[1:], waiting-int64(len(first.rows))
			if first.complete != nil {
				if err := first.complete(); err != nil {
					return false, err
				}
			}
			for _, row := range first.rows {
				d.StreamListItem(ctx, row)
				if d.RowsRemaining(ctx) == 0 {
					return false, nil
				}
			}
			return true, nil
		}
		for s, err := range all {
			if err != nil {
				return nil, q.fail(ctx, err)
			}
			answer, err := q.answer(ctx, s, question)
			if err != nil {
				return nil, err
			}
			rows, complete, err := begin(ctx, d, q, s, answer)
			if err != nil {
				return nil, q.fail(ctx, err)
			}
			ahead, waiting = append(ahead, begun{rows, complete}), waiting+int64(len(rows))
			for len(ahead) > 0 && (ahead[0].complete == nil || waiting >= min(rowsAhead, d.RowsRemaining(ctx))) {
				if more, err := emit(); err != nil || !more {
					return nil, err
				}
			}
		}
		for len(ahead) > 0 {
			if more, err := emit(); err != nil || !more {
				return nil, err
			}
		}
		return nil, nil
	}
}

// checkRich returns an error where a source that the subjects name has no banners.
func checkRich(q *query, subjects []*subject) error {
	for _, s := range subjects {
		if err := q.engine.CheckBanners(s.source); err != nil {
			return err
		}
	}
	return nil
}

// A request is one call of List for a table that is not about addresses.
type request struct {
	*query
	d     *plugin.QueryData
	quals map[string]*proto.Quals
}

// listing makes the List function of such a table. find must hand its rows to emit, and end when that returns false:
// enough rows are there. An error fails the query.
func listing[R any](find func(ctx context.Context, r *request, emit func(R) bool) error) plugin.HydrateFunc {
	return func(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
		q := queryOf(ctx, d)
		q.open()
		err := q.err
		var quals map[string]*proto.Quals
		if err == nil {
			quals, err = ownQuals(d)
		}
		defer q.inTurn(d)()
		if err == nil && d.RowsRemaining(ctx) > 0 {
			err = find(ctx, &request{query: q, d: d, quals: quals}, func(row R) bool {
				d.StreamListItem(ctx, row)
				return d.RowsRemaining(ctx) > 0
			})
		}
		if err != nil {
			return nil, q.fail(ctx, err)
		}
		return nil, nil
	}
}

// texts returns the values that a key column has to equal in this call, or nil.
func (r *request) texts(column string) []string {
	list, _ := textsOf(equals(r.quals[column]))
	return list
}

// text returns the one value that a key column has to equal, or "". A list of several is the SDK's to split, unless
// another column has a list as well: then this call has it whole, and the caller has to use texts.
func (r *request) text(column string) string {
	if list := r.texts(column); len(list) > 0 {
		return list[0]
	}
	return ""
}

// whole returns the values that a key column has to equal in the whole scan, whose calls have one each, sorted and each
// once: for what is asked for many at a time.
func (r *request) whole(column string) []string {
	list, _ := textsOf(equals(r.d.QueryContext.UnsafeQuals[column]))
	list = slices.Concat(list, r.texts(column))
	slices.Sort(list)
	return slices.Compact(list)
}

// limit returns how many rows the scan needs, or most where it does not say or needs more.
func (r *request) limit(most int) int {
	if n := r.d.QueryContext.Limit; n != nil && *n < int64(most) {
		return int(*n)
	}
	return most
}

// inTurn waits until no other call of a scan with a LIMIT makes rows, and returns how to end this one's turn. A list is
// one call for each of its values, all at once. Each would pay for rows that another has found already, and where more
// rows come than the LIMIT has, the SDK may lose all of them.
func (q *query) inTurn(d *plugin.QueryData) (end func()) {
	if d.QueryContext.Limit == nil {
		return func() {}
	}
	turn := inScan(q, "turn", func() *sync.Mutex { return new(sync.Mutex) })
	turn.Lock()
	return turn.Unlock
}

// remaining returns how many rows the scan still needs, or lookup.AllRows where it does not say.
func (r *request) remaining(ctx context.Context) int64 {
	if r.d.QueryContext.Limit == nil {
		return lookup.AllRows
	}
	return max(0, r.d.RowsRemaining(ctx))
}

// fetch asks for something, once in a scan whatever the cache: the calls for the values of a list may share it.
func fetch[T any](ctx context.Context, q *query, call shodan.Call[T]) (lookup.Reply[T], error) {
	key := fmt.Sprint(call.Service, call.Path, "?", call.Query.Encode())
	return onceInScan(q, key, func() (lookup.Reply[T], error) { return lookup.Request(ctx, q.engine, call) })
}

// onceInScan returns what find finds, which is called once in a scan for each name.
func onceInScan[T any](q *query, name string, find func() (T, error)) (T, error) {
	return inScan(q, name, func() func() (T, error) { return sync.OnceValues(find) })()
}

// inScan returns what the calls for one scan share under a name; the first of them makes it.
func inScan[T any](q *query, name string, make func() T) T {
	q.fetchedMu.Lock()
	once, _ := q.fetched[name].(func() T)
	if once == nil {
		once = sync.OnceValue(make)
		if q.fetched == nil {
			q.fetched = map[string]any{}
		}
		q.fetched[name] = once
	}
	q.fetchedMu.Unlock()
	return once()
}

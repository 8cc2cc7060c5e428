package shodanrep

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// A query is what the calls for one scan of a table have in common. The SDK calls List once for each value of an IN
// list, and each column's hydrate once for each row; they all find the same query, and in it the same batch.
type query struct {
	engine   *lookup.Engine
	settings settings
	batch    *lookup.Batch
	policies policies  // empty where the table does not score
	now      time.Time // the moment to which the age of data is reckoned
	// limited says that the scan needs fewer rows than it has addresses, and places how many addresses may still
	// become rows. Then only those are looked up, and not the whole list.
	limited bool
	places  atomic.Int64

	// fetched is what the calls of a scan share: what they ask for, by what it is, and more, see fetch and inScan.
	fetchedMu sync.Mutex
	fetched   map[string]any

	open   func() // sets all but fetched, once
	err    error  // why the connection cannot be used
	begin  sync.Once
	failed sync.Once
}

// queries finds the query of a scan by its QueryContext, which all calls for it share. The pointers are weak: when the
// SDK lets go of a scan its query goes too, without anyone having to say so.
var queries struct {
	sync.Mutex
	byContext map[weak.Pointer[plugin.QueryContext]]*query
}

// queryOf returns the query that a call belongs to, and makes it for the first one. A query that cannot be answered
// for a reason that lies in the connection has it in err.
func queryOf(ctx context.Context, d *plugin.QueryData) *query {
	key := weak.Make(d.QueryContext)
	queries.Lock()
	defer queries.Unlock()
	if q := queries.byContext[key]; q != nil {
		return q
	}
	q := &query{}
	q.open = sync.OnceFunc(func() { q.connect(ctx, d) })
	if queries.byContext == nil {
		queries.byContext = map[weak.Pointer[plugin.QueryContext]]*query{}
	}
	queries.byContext[key] = q
	runtime.AddCleanup(d.QueryContext, func(key weak.Pointer[plugin.QueryContext]) {
		queries.Lock()
		defer queries.Unlock()
		delete(queries.byContext, key)
	}, key)
	return q
}

// connect finds the connection's engine and begins the batch.
func (q *query) connect(ctx context.Context, d *plugin.QueryData) {
	if q.engine, q.settings, q.err = engineOf(ctx, d.Connection); q.err != nil {
		return
	}
	q.now = clock()
	if slices.ContainsFunc(d.Table.Columns, func(c *plugin.Column) bool { return c.Name == "policy" }) {
		named, _ := textsOf(equals(d.QueryContext.UnsafeQuals["policy"]))
		if q.policies, q.err = policiesOf(q.settings, named); q.err != nil {
			return
		}
	}
	size := listLength(d)
	if limit := d.QueryContext.Limit; limit != nil && *limit < int64(size) {
		q.limited, size = true, int(*limit)
		q.places.Store(*limit)
	}
	q.batch = q.engine.Batch(ctx, max(size, ListLength(ctx)))
}

// listLength returns how many different values the whole scan asks for: the SDK splits an IN list among its calls, but
// leaves it whole in UnsafeQuals. Networks and reserved addresses count, though they are not looked up: who cuts a list
// into slices of equal length cannot know of them, and all slices have to choose the same source.
func listLength(d *plugin.QueryData) int {
	values := map[string]bool{}
	for _, qual := range d.QueryContext.UnsafeQuals["ip"].GetQuals() {
		if qual.GetStringValue() != "=" {
			continue
		}
		texts, _ := textsOf(qual.GetValue())
		for _, text := range texts {
			if a := parseAddress(text); a.addr.IsValid() {
				text = a.addr.String()
			}
			values[text] = true
		}
	}
	return len(values)
}

// needs reports whether a scan has any of the columns.
func needs(d *plugin.QueryData, columns ...string) bool {
	return slices.ContainsFunc(columns, func(column string) bool { return slices.Contains(d.QueryContext.Columns, column) })
}

// needsAnswers reports whether a scan's columns say more than which addresses were asked for.
func (q *query) needsAnswers(d *plugin.QueryData) bool {
	return slices.ContainsFunc(d.QueryContext.Columns, func(column string) bool {
		return !slices.Contains([]string{"ip", "network", "history", "minify", "title"}, column)
	})
}

// ask hands the addresses of the scan to the batch: all of them with the first call, or only this call's where the
// scan needs fewer. It returns when it is known whether they can be looked up at all.
//
// The question is the same for all but for the address and the source, which are the subjects'.
func (q *query) ask(ctx context.Context, d *plugin.QueryData, own []*subject, want lookup.Question) error {
	if !slices.ContainsFunc(own, func(s *subject) bool { return s.addr.IsValid() }) {
		return nil
	}
	if q.limited {
		q.askFor(own, want)
	} else {
		q.begin.Do(func() { q.askFor(subjectsOf(d.QueryContext.UnsafeQuals), want) })
	}
	return q.batch.Ready(ctx)
}

// askFor hands addresses to the batch.
func (q *query) askFor(subjects []*subject, want lookup.Question) {
	want = q.policies.need(want)
	questions := make([]lookup.Question, 0, len(subjects))
	for _, s := range subjects {
		if s.addr.IsValid() {
			questions = append(questions, s.question(want))
		}
	}
	q.batch.Add(questions...)
}

// answer waits for what became of a subject. It fails only where the query ends.
func (q *query) answer(ctx context.Context, s *subject, want lookup.Question) (lookup.Answer, error) {
	want = q.policies.need(want)
	answer := lookup.Answer{Status: lookup.Failed, Error: s.problem}
	switch {
	case s.answer != nil && !want.History: // where a dataset is listed, it is without the history
		answer = *s.answer
	case s.network:
		answer = lookup.Answer{Status: notAHost}
	case !s.addr.IsValid():
		if meter := lookup.ProgressFrom(ctx); meter != nil {
			meter.CountInvalid(s.given)
		}
	default:
		var err error
		if answer, err = q.batch.Answer(ctx, s.question(want)); err != nil {
			return answer, err
		}
	}
	if answer.Source == "" {
		answer.Source = s.source // PostgreSQL checks where source = … against the row again
	}
	return answer, nil
}

// errorPause is how long fail waits: many times what the SDK needs to get from starting a scan to listening to it.
const errorPause = 20 * time.Millisecond

// fail returns an error for the SDK to fail the scan with. Only the first call gets it: the SDK's channel takes one
// error, and whoever sends another waits for ever.
//
// It waits a moment, because the SDK chooses at random between an error and the end of the rows where it finds both,
// and would then report success: the scan must be listening before the error comes.
func (q *query) fail(ctx context.Context, err error) (first error) {
	q.failed.Do(func() {
		first = err
		select {
		case <-time.After(errorPause):
		case <-ctx.Done():
		}
	})
	return first
}

// notAHost is the status of a network. Package lookup does not know of it: it is asked about addresses.
const notAHost lookup.Status = "not_a_host"

// equals returns the value that a column has to equal, or nil.
func equals(quals *proto.Quals) *proto.QualValue {
	for _, qual := range quals.GetQuals() {
		if qual.GetStringValue() == "=" && qual.GetValue().GetValue() != nil {
			return qual.GetValue()
		}
	}
	return nil
}

// ownQuals returns the quals of one call, which are those of the scan but for the list that the SDK has split. A value
// that is not there is one that is only known when the query runs.
func ownQuals(d *plugin.QueryData) (map[string]*proto.Quals, error) {
	quals := map[string]*proto.Quals{}
	for column, value := range d.EqualsQuals {
		if _, ok := textsOf(value); !ok {
			return nil, fmt.Errorf("%s: %s is compared with a value that is only known when the query runs, or with NULL (leave those out: where … is not null): %s", d.Table.Name, column, workingForms(d.Table.Name, column))
		}
		quals[column] = &proto.Quals{Quals: []*proto.Qual{{FieldName: column, Operator: &proto.Qual_StringValue{StringValue: "="}, Value: value}}}
	}
	return quals, nil
}

// subjects returns what a call of List is to make rows of: the addresses it was given, or, where it was given only the
// dataset as a source, all that the dataset has.
func (q *query) subjects(ctx context.Context, d *plugin.QueryData) (own []*subject, all iter.Seq2[*subject, error], err error) {
	if q.open(); q.err != nil {
		return nil, nil, q.err
	}
	quals, err := ownQuals(d)
	if err != nil {
		return nil, nil, err
	}
	var sources []string
	if asked := quals["source"]; asked != nil {
		sources, _ = textsOf(equals(asked))
	}
	for _, source := range sources {
		if err := q.checkSource(source); err != nil {
			return nil, nil, err
		}
		if quals["ip"] == nil && source != string(lookup.Dataset) {
			return nil, nil, fmt.Errorf("source = %q needs addresses as well: only the dataset can be listed whole; %s", source, workingForms(d.Table.Name, "ip"))
		}
	}
	if compared := d.Quals["ip"]; quals["ip"] == nil && compared != nil && len(compared.Quals) > 1 {
		return nil, nil, fmt.Errorf("%s: ip is compared with more than one list, and Steampipe does not pass on what they have in common: write one list, and "+
			"filter what it returns outside a materialized CTE", d.Table.Name)
	}
	if quals["ip"] == nil && len(sources) == 0 {
		return nil, nil, fmt.Errorf("%s needs addresses: %s", d.Table.Name, workingForms(d.Table.Name, "ip"))
	}
	own = subjectsOf(quals)
	if quals["ip"] == nil {
		return nil, q.wholeDataset(ctx, mannersOf(quals)), nil
	}
	if q.limited {
		// Each address becomes at least one row, so those that find no place left are not needed.
		left := q.places.Add(-int64(len(own))) + int64(len(own))
		own = own[:max(0, min(left, int64(len(own))))]
	}
	return own, func(yield func(*subject, error) bool) {
		for _, s := range own {
			if !yield(s, nil) {
				return
			}
		}
	}, nil
}

// checkSource returns an error where a query cannot ask for answers from a source.
func (q *query) checkSource(source string) error {
	if source == string(lookup.Auto) {
		return fmt.Errorf(`source = "auto" is how the plugin chooses by itself, and no row has it: leave source out`)
	}
	return q.engine.CheckSource(lookup.Source(source))
}

// wholeDataset lists the hosts of the dataset, each in each manner.
func (q *query) wholeDataset(ctx context.Context, manners []manner) iter.Seq2[*subject, error] {
	return func(yield func(*subject, error) bool) {
		data, err := q.engine.Dataset(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for host, err := range data.All(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			answer := &lookup.Answer{Status: lookup.Indexed, Source: lookup.Dataset, Host: host}
			for _, m := range manners {
				if !yield(&subject{address: parseAddress(host.Addr.String()), manner: m, answer: answer}, nil) {
					return
				}
			}
		}
	}
}

// workingForms names the ways to give a table values for a column that work in Steampipe.
func workingForms(table, column string) string {
	if column != "ip" {
		return fmt.Sprintf("write the values out (%[1]s in ('…', '…')), or join on a column of the same type without a cast (on t.%[1]s = x.%[1]s)", column)
	}
	return fmt.Sprintf("list the addresses (ip in ('198.51.100.7', '203.0.113.9')), join on a column of type inet, or take them from a subquery with "+
		"cross join lateral (select * from %s where ip = any(u.ips) offset 0)", table)
}

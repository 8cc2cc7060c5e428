// Package scan makes the rows of the plugin's tables. It holds what the calls for one SQL scan share, and stands between
// the tables (package shodanrep) and the lookups (package lookup).
//
// The SDK calls a table's List function once for each value of an IN list, all at once, and a column's hydrate function
// once for each row. All calls for one scan find the same [Scan], and in it the same batch of lookups.
//
// # Tables
//
// A table is a plugin.Table, which is what SQL sees, and a [Table], which says how its rows are made. [Define] joins them:
//
//	return newTable(&plugin.Table{
//		Name:        "shodan_port",
//		Description: "The ports that Shodan's crawlers scan.",
//		Columns:     []*plugin.Column{ … },
//	}, scan.Table{Rows: scan.FromCall(shodan.Ports(), scan.Items[int64])})
//
// # Builders
//
// One of four builders makes the rows. A table about addresses needs one of the first two, any other one of the last two.
//
//   - [OnePerTarget]: one row for each address of the query. Columns that need no lookup cost nothing.
//     In shodan_host: scan.OnePerTarget(hostNeeds), where hostNeeds says what the selected columns need.
//   - [ManyPerTarget]: any number of rows for each address, made from the result of its lookup.
//     In shodan_service: scan.ManyPerTarget(needBanners, serviceRows).
//   - [FromCall]: all rows are in the response to one call of the API.
//     In shodan_alert: scan.FromCall(shodan.Alerts(), scan.Items[row]).
//   - [FromPages]: the rows are in several responses.
//     In shodan_search: scan.FromPages(listMatches), where listMatches is a function that emits rows. [Fetch] requests a
//     response, [Pages] and [EmitItems] page after page of a list, and [Bulk] makes the whole function for values of which
//     one request takes many.
//
// # Declarations
//
// A table declares in Echoes the columns that only repeat conditions of the query: a scan of no other column needs no
// lookup. It declares in Scores that its rows have a score: then it has the key column policy, and a lookup gets what the
// policies need. The key columns ip, source, history, minify and policy are the options of a [Target].
//
// # Errors
//
// An error about the connection, the API key or the query fails the scan. An error about one address is a row with the
// status error: the SDK can lose a row that fails, and "not checked" must never look like "clean".
package scan

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A Scan is what the calls for one scan of a table have in common.
type Scan struct {
	engine   *lookup.Engine
	settings Settings
	batch    *lookup.Batch
	policies policies  // empty where the table does not score
	unscored bool      // no column that the scan selects needs the score
	now      time.Time // the age of data is counted up to this moment
	quals    quals     // of the whole scan
	repeated quals     // those of columns that several conditions compare
	// addresses are those of the whole scan, parsed.
	addresses map[string]Address
	// limited says that the scan needs fewer rows than it has addresses, and rowsLeft how many addresses may still
	// become rows. Then only those are looked up, and not the whole list.
	limited  bool
	rowsLeft atomic.Int64

	connect func() // sets all of the above and err, once
	err     error  // why the connection cannot be used

	sharedMu sync.Mutex
	shared   map[string]any // what the calls share by name, see Once

	lookUpList sync.Once
	failed     sync.Once
}

// scans finds a Scan by its QueryContext, which all its calls share. The pointers are weak: when the SDK drops a
// QueryContext, its Scan goes too.
var scans struct {
	sync.Mutex
	byContext map[weak.Pointer[plugin.QueryContext]]*Scan
}

// scanOf returns the Scan that a call belongs to, and makes it for the first one. connect has not run yet.
func (t *table) scanOf(ctx context.Context, d *plugin.QueryData) *Scan {
	key := weak.Make(d.QueryContext)
	scans.Lock()
	defer scans.Unlock()
	if s := scans.byContext[key]; s != nil {
		return s
	}
	s := &Scan{}
	s.connect = sync.OnceFunc(func() { s.err = t.connect(ctx, d, s) })
	if scans.byContext == nil {
		scans.byContext = map[weak.Pointer[plugin.QueryContext]]*Scan{}
	}
	scans.byContext[key] = s
	runtime.AddCleanup(d.QueryContext, func(key weak.Pointer[plugin.QueryContext]) {
		scans.Lock()
		defer scans.Unlock()
		delete(scans.byContext, key)
	}, key)
	return s
}

// connect finds the connection's engine and begins the batch.
func (t *table) connect(ctx context.Context, d *plugin.QueryData, s *Scan) (err error) {
	if s.engine, s.settings, err = engineOf(ctx, d.Connection, t.readSettings); err != nil {
		return err
	}
	s.now = s.settings.Clock()
	s.quals, s.repeated = scanQuals(d)
	if t.Scores {
		if s.policies, err = policiesOf(s.settings.Policy, s.quals["policy"]); err != nil {
			return err
		}
		s.unscored = t.needsNoScore(d.QueryContext.Columns)
	}
	size := s.parseList()
	if limit := d.QueryContext.Limit; limit != nil && *limit < int64(size) {
		s.limited, size = true, int(*limit)
		s.rowsLeft.Store(*limit)
	}
	s.batch = s.engine.Batch(ctx, max(size, listLengthOf(ctx)))
	return nil
}

// newScan makes a Scan without a query, for a list of so many different addresses.
func newScan(ctx context.Context, engine *lookup.Engine, settings Settings, size int) *Scan {
	s := New(settings, settings.Policy)
	s.engine, s.batch, s.policies = engine, engine.Batch(ctx, size), policies{"": settings.Policy}
	return s
}

// New makes a Scan that only scores what is known already, by each of the policies: for rows that are made outside a
// query, as tests make them.
func New(settings Settings, all ...*reputation.Policy) *Scan {
	s := &Scan{settings: settings, now: settings.Clock(), policies: policies{}}
	for _, policy := range all {
		s.policies[policy.Name] = policy
	}
	return s
}

// Engine returns the engine of the scan's connection.
func (s *Scan) Engine() *lookup.Engine { return s.engine }

// Settings returns the settings of the scan's connection.
func (s *Scan) Settings() Settings { return s.settings }

// errorPause is how long fail waits: many times what the SDK needs to get from starting a scan to listening to it.
const errorPause = 20 * time.Millisecond

// fail returns an error for the SDK to fail the scan with. Only the first call gets it: the SDK's channel takes one
// error, and a second sender waits for ever.
//
// It waits a moment, because the SDK chooses at random between an error and the end of the rows where it finds both,
// and would then report success: the scan must be listening before the error comes.
func (s *Scan) fail(ctx context.Context, err error) (first error) {
	s.failed.Do(func() {
		first = err
		noteFailure(ctx, err)
		select {
		case <-time.After(errorPause):
		case <-ctx.Done():
		}
	})
	return first
}

// lockForLimit serializes the List calls of a scan with a LIMIT and returns the unlock function. An IN list is one call
// for each of its values, all at once. Each would pay for rows that another has found already, and where more rows come
// than the LIMIT has, the SDK may lose all of them.
func (s *Scan) lockForLimit(d *plugin.QueryData) (unlock func()) {
	if d.QueryContext.Limit == nil {
		return func() {}
	}
	mu := once(s, "LIMIT", func() *sync.Mutex { return new(sync.Mutex) })
	mu.Lock()
	return mu.Unlock
}

// Fetch returns the response to a call of the API. It is requested once in a scan, even without a cache: the calls for
// the values of a list may share it.
func Fetch[T any](ctx context.Context, c *ListCall, call shodan.Call[T]) (lookup.Reply[T], error) {
	key := fmt.Sprint(call.Service, call.Path, "?", call.Query.Encode())
	return Once(c, key, func() (lookup.Reply[T], error) { return lookup.Request(ctx, c.engine, call) })
}

// Once returns what the calls for one scan share under a name; the first of them finds it.
func Once[T any](c *ListCall, name string, find func() (T, error)) (T, error) {
	return once(c.Scan, name, func() func() (T, error) { return sync.OnceValues(find) })()
}

// once is Once for what cannot fail.
func once[T any](s *Scan, name string, find func() T) T {
	s.sharedMu.Lock()
	value, _ := s.shared[name].(func() T)
	if value == nil {
		value = sync.OnceValue(find)
		if s.shared == nil {
			s.shared = map[string]any{}
		}
		s.shared[name] = value
	}
	s.sharedMu.Unlock()
	return value()
}

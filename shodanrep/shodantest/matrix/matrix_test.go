// Package matrix holds every endpoint against every fault of the simulator, through SQL: no row is lost, no status is
// wrong, no API key is shown, and no query hangs.
package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// queryLimit is how long one query may take before it counts as hanging. The slowest waits for its retries, some ten
// seconds; the rest is for a busy machine.
const queryLimit = time.Minute

// TestEveryEndpointWithEveryFault prints the counts of what must not happen.
func TestEveryEndpointWithEveryFault(t *testing.T) {
	var counts tally
	var running sync.WaitGroup
	for _, e := range endpointCases() {
		running.Go(func() { run(t, e, &counts) })
	}
	running.Wait()
	t.Logf("%d queries: rows lost %d, wrong statuses %d, keys %d, hangs %d",
		counts.queries, counts.lost, counts.wrong, counts.keys, counts.hangs)
	if counts.queries == 0 || counts.lost+counts.wrong+counts.keys+counts.hangs > 0 {
		t.Fail()
	}
}

// tally counts queries, and what must not happen.
type tally struct {
	sync.Mutex
	queries, lost, wrong, keys, hangs int
}

// A connection is a connection of the plugin to a simulator of its own: what the plugin learns of one service, such as
// a ban, does not reach the others.
type connection struct {
	name string
	sim  *shodantest.Simulator
}

// An engine runs the queries of one endpoint.
type engine struct {
	endpointCase
	t      *testing.T
	counts *tally
	db     *embedded.DB
	log    *keyFinder
}

// run holds one endpoint against all faults.
func run(t *testing.T, e endpointCase, counts *tally) {
	var cases []faultCase
	for _, f := range faultCases() {
		if f.service == "" || e.keyless {
			cases = append(cases, f)
		}
	}
	// Faults that a service uses to say that it wants no more requests get a connection of their own.
	connections := []connection{{name: "patient", sim: newSimulator(t)}, {name: "quick", sim: newSimulator(t)}}
	var configs []embedded.Connection
	own := map[string]connection{}
	for _, f := range cases {
		if f.turnsAway() {
			c := connection{name: fmt.Sprintf("own_%d", len(own)), sim: newSimulator(t)}
			own[f.name] = c
			connections = append(connections, c)
		}
	}
	for _, c := range connections {
		configs = append(configs, embedded.Connection{Name: c.name, Config: e.config(c)})
	}
	log := &keyFinder{}
	db, err := embedded.Open(t.Context(), embedded.Options{PluginFunc: shodanrep.Plugin, Connections: configs, Logger: log.logger()})
	if err != nil {
		t.Errorf("%s: %v", e.name, err)
		return
	}
	defer db.Close()
	r := &engine{endpointCase: e, t: t, counts: counts, db: db, log: log}
	clean, err := r.query("without a fault", connections[0])
	if err != nil || len(clean) == 0 {
		t.Errorf("%s: %d rows without a fault, error %v", e.name, len(clean), err)
		return
	}
	for _, f := range cases {
		c := connections[1]
		if f.want == unchanged {
			c = connections[0]
		}
		if o, ok := own[f.name]; ok {
			c = o
		}
		fault := f.fault
		fault.Service, fault.Endpoint, fault.Target = e.service, e.endpoint, e.subject
		c.sim.Fault(fault)
		rows, err := r.query(f.name, c)
		c.sim.ClearFaults()
		r.check(f, clean, rows, err)
		if _, ok := own[f.name]; ok || f.want != failed {
			continue
		}
		again, err := r.query("after "+f.name, connections[1])
		r.checkUnchanged("after "+f.name, clean, again, err)
	}
	if log.found() {
		r.count(&counts.keys, "the log", "an API key is in it")
	}
}

func newSimulator(t *testing.T) *shodantest.Simulator {
	sim := shodantest.New(t, shodantest.WithPlan("corp"))
	populate(sim)
	return sim
}

// config returns the arguments of a connection.
func (e endpointCase) config(c connection) string {
	// A target that fails for good is given up early, but not so early that a neighbour fails on a busy machine.
	timeout := "10s"
	if c.name != "patient" {
		timeout = "2s"
	}
	config := fmt.Sprintf("api_url = %q\ninternetdb_url = %q\ncvedb_url = %q\nexploits_url = %q\ncache = \"off\"\ntimeout = %q\n"+
		"requests_per_second = 1000\ninternetdb_requests_per_second = 1000\n",
		c.sim.APIURL(), c.sim.InternetDBURL(), c.sim.CVEDBURL(), c.sim.ExploitsURL(), timeout)
	if !e.keyless {
		config += fmt.Sprintf("api_key = %q\n", shodantest.Key)
	}
	if e.arguments != "" {
		return config + e.arguments + "\n"
	}
	return config + "bulk_lookup = \"off\"\n"
}

// turnsAway reports whether the fault tells the client to send fewer requests, or none with its key.
func (f faultCase) turnsAway() bool {
	s := f.fault.Status
	return f.want != unchanged && (s == 401 || s == 402 || s == 403 || s == 429 || f.fault.Body == shodantest.BodyRateLimited ||
		strings.Contains(f.fault.Body, "membership"))
}

// A row is a row of a result by column, as text, and empty for null.
type row map[string]string

// query runs the endpoint's SQL on a connection.
func (r *engine) query(what string, c connection) ([]row, error) {
	sql := strings.Replace(r.sql, " from ", " from "+c.name+".", 1)
	ctx, cancel := context.WithTimeout(r.t.Context(), queryLimit)
	defer cancel()
	var rows []row
	err := r.db.Query(ctx, sql, func(result *embedded.Rows) error {
		for result.Next() {
			columns := row{}
			for i, v := range result.Values() {
				if raw, ok := v.(json.RawMessage); ok {
					v = string(raw)
				}
				if v != nil {
					columns[result.Columns()[i].Name] = fmt.Sprint(v)
				}
			}
			rows = append(rows, columns)
		}
		return result.Err()
	})
	r.counts.Lock()
	r.counts.queries++
	r.counts.Unlock()
	if errors.Is(err, context.DeadlineExceeded) {
		r.count(&r.counts.hangs, what, "the query hangs")
	}
	if strings.Contains(fmt.Sprint(rows, err), shodantest.Key) {
		r.count(&r.counts.keys, what, "the result shows the API key")
	}
	return rows, err
}

func (r *engine) count(n *int, what, format string, args ...any) {
	r.counts.Lock()
	defer r.counts.Unlock()
	*n++
	r.t.Errorf("%s, %s: %s", r.name, what, fmt.Sprintf(format, args...))
}

// check holds the rows of a query with a fault to the rows of the query without.
func (r *engine) check(f faultCase, clean, rows []row, err error) {
	if f.want == unchanged {
		r.checkUnchanged(f.name, clean, rows, err)
		return
	}
	if err != nil {
		// An error of the query loses no row. For rows of targets it is right only where the key is refused.
		if r.key != "" && f.want != refused && r.subject != "" {
			r.count(&r.counts.lost, f.name, "the query fails: %v", err)
		}
		return
	}
	if r.key == "" {
		if f.want == failedOrAbsent {
			return // an answer that is odd may be a list without entries, or with odd ones
		}
		if !slices.ContainsFunc(rows, func(r row) bool { return r["error"] != "" }) {
			r.count(&r.counts.lost, f.name, "%d rows and no error", len(rows))
		}
		return
	}
	r.checkTargets(f, clean, rows)
}

// checkTargets holds the rows of a query that names targets to the rows of the query without a fault.
func (r *engine) checkTargets(f faultCase, clean, rows []row) {
	for _, key := range keysOf(r.key, clean) {
		want, got := withKey(r.key, key, clean), withKey(r.key, key, rows)
		faulty := r.all || key == r.subject || r.subject == ""
		switch {
		case len(got) == 0:
			r.count(&r.counts.lost, f.name, "no row of %s", key)
		case !faulty && f.turnsAway() && want[0]["status"] != "reserved" && got[0]["error"] != "":
			// The service wants no more requests, so the others may have to wait for too long.
		case !faulty || want[0]["status"] == "reserved":
			if diff := cmp.Diff(want, got); diff != "" {
				r.count(&r.counts.wrong, f.name, "%s, which has no fault: %s", key, diff)
			}
		case slices.ContainsFunc(got, func(g row) bool { return g["error"] != "" }):
			for _, g := range got {
				if g["score"] != "" || g["level"] != "" && g["level"] != "unknown" || g["status"] != "" && g["status"] != "error" {
					r.count(&r.counts.wrong, f.name, "%s has an error and %v", key, g)
				}
			}
		case r.fallback && cmp.Equal(want, got):
		case f.want == failedOrAbsent && got[0]["status"] != "indexed":
		case want[0]["status"] == "not_indexed" && got[0]["status"] == "not_indexed":
		default:
			r.count(&r.counts.wrong, f.name, "%s has no error, and the status %s", key, got[0]["status"])
		}
	}
}

// checkUnchanged holds rows to be those of the query without a fault.
func (r *engine) checkUnchanged(what string, clean, rows []row, err error) {
	if err != nil {
		r.count(&r.counts.lost, what, "the query fails: %v", err)
		return
	}
	if len(rows) != len(clean) {
		r.count(&r.counts.lost, what, "%d rows, want %d", len(rows), len(clean))
		return
	}
	if diff := cmp.Diff(sorted(clean), sorted(rows)); diff != "" {
		r.count(&r.counts.wrong, what, "%s", diff)
	}
}

// moving are the columns whose values differ from query to query.
var moving = []string{"checked_at", "requests_spent", "query_credits_spent", "query_credits", "unlocked_left", "fresh_until"}

// sorted returns rows in an order, without the columns that differ from query to query.
func sorted(rows []row) []string {
	var texts []string
	for _, r := range rows {
		text, _ := json.Marshal(still(r))
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts
}

func still(r row) row {
	kept := row{}
	for name, value := range r {
		if !slices.Contains(moving, name) {
			kept[name] = value
		}
	}
	return kept
}

// keysOf returns the values of the key column.
func keysOf(column string, rows []row) []string {
	var keys []string
	for _, r := range rows {
		if !slices.Contains(keys, r[column]) {
			keys = append(keys, r[column])
		}
	}
	return keys
}

func withKey(column, key string, rows []row) []row {
	var found []row
	for _, r := range rows {
		if r[column] == key {
			found = append(found, still(r))
		}
	}
	slices.SortFunc(found, func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return found
}

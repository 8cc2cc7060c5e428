// Package matrix tests every endpoint with every fault of the simulator, through SQL: no row is lost, no status is
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
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// queryLimit is how long one query may take before it counts as hanging. The slowest waits for its retries, some ten
// seconds; the rest is for a busy machine.
const queryLimit = 5 * time.Minute

// The timeouts of the connections. A target that fails for good is given up early on a quick one. A machine may be so busy
// that other responses are late there: then the fault is tested with patience.
const (
	early   = "3s"
	patient = "1m"
)

// casesAtOnce is how many endpoints are tested at the same time. All at once would take twice the memory, and not half the
// processor: nearly all of the time is spent waiting.
const casesAtOnce = 12

// TestEveryEndpointWithEveryFault prints the counts of what must not happen.
func TestEveryEndpointWithEveryFault(t *testing.T) {
	var counts tally
	for cases := range slices.Chunk(endpointCases(), casesAtOnce) {
		t.Run(cases[0].name, func(t *testing.T) { testEndpoints(t, cases, &counts) })
	}
	t.Logf("%d queries: rows lost %d, wrong statuses %d, keys %d, hangs %d",
		counts.queries, counts.lost, counts.wrong, counts.keys, counts.hangs)
	if counts.queries == 0 || counts.lost+counts.wrong+counts.keys+counts.hangs > 0 {
		t.Fail()
	}
}

// testEndpoints tests endpoints with every fault, at the same time.
func testEndpoints(t *testing.T, cases []endpointCase, counts *tally) {
	var opening, running sync.WaitGroup
	opening.Add(len(cases))
	for _, e := range cases {
		running.Go(func() {
			engines, clean := open(t, e, counts)
			// To open some hundred databases keeps the processor busy. No timeout runs out meanwhile.
			opening.Done()
			opening.Wait()
			for _, r := range engines {
				running.Go(func() { r.run(clean) })
			}
		})
	}
	running.Wait()
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

// An engine runs the queries of one endpoint with some of the faults. Its database runs one query at a time.
type engine struct {
	endpointCase
	t      *testing.T
	counts *tally
	db     *embedded.DB
	log    *keyFinder

	faults         []faultCase
	patient, quick connection
	own            map[string]connection // by the name of the fault
}

// groups splits the faults of an endpoint into groups that are tested at the same time, since nearly all of a query's
// time is spent waiting for retries. The longest waits are for a service that always refuses: such a fault is alone.
func (e endpointCase) groups() [][]faultCase {
	const others = 3
	groups := make([][]faultCase, others)
	next := 0
	for _, f := range faultCases() {
		switch {
		case f.service == keylessOnly && !e.keyless:
		case f.refusesRequests() && f.want != unchanged:
			groups = append(groups, []faultCase{f})
		default:
			groups[next%others] = append(groups[next%others], f)
			next++
		}
	}
	return groups
}

// open returns an engine for each group of faults, and the rows of a query without a fault.
func open(t *testing.T, e endpointCase, counts *tally) (engines []*engine, clean []row) {
	for i, faults := range e.groups() {
		r := &engine{endpointCase: e, t: t, counts: counts, log: &keyFinder{}, faults: faults, own: map[string]connection{}}
		var configs []embedded.Connection
		connect := func(name, timeout string) connection {
			c := connection{name: name, sim: shodantest.New(t, shodantest.WithPlan("corp"))}
			populate(c.sim)
			configs = append(configs, embedded.Connection{Name: name, Config: e.config(c.sim, timeout)})
			return c
		}
		r.patient, r.quick = connect("patient", patient), connect("quick", early)
		// Faults that a service uses to say that it wants no more requests get a connection of their own. They end the
		// tries by themselves.
		for i, f := range faults {
			if f.turnsAway() {
				r.own[f.name] = connect(fmt.Sprintf("own_%d", i), patient)
			}
		}
		var err error
		options := embedded.Options{PluginFunc: shodanrep.Plugin, Connections: configs, Logger: r.log.logger()}
		if i%2 == 0 { // both ways to read a table are tested
			options.Readers = scan.ReaderOf
		}
		r.db, err = embedded.Open(t.Context(), options)
		if err != nil {
			t.Errorf("%s: %v", e.name, err)
			return nil, nil
		}
		t.Cleanup(func() { r.db.Close() })
		engines = append(engines, r)
	}
	clean, err := engines[0].query("without a fault", engines[0].patient)
	if err != nil || len(clean) == 0 {
		t.Errorf("%s: %d rows without a fault, error %v", e.name, len(clean), err)
		return nil, nil
	}
	return engines, clean
}

// run tests the endpoint with the faults.
func (r *engine) run(clean []row) {
	for _, f := range r.faults {
		c := r.quick
		if f.want == unchanged {
			c = r.patient
		}
		if own, ok := r.own[f.name]; ok {
			c = own
		}
		rows, err := r.queryWithFault(f, c)
		var again []row
		var errAgain error
		queryAgain := f.want == failed && !f.turnsAway()
		if queryAgain {
			again, errAgain = r.query("after "+f.name, c)
		}
		if c == r.quick && c != r.patient && (r.late(rows, err, r.faultOn, r.faultOn == "") || r.late(again, errAgain, "", false)) {
			// From now on, too: after some more late responses the service would count as down.
			r.quick = r.patient
			rows, err = r.queryWithFault(f, r.patient)
			if queryAgain {
				again, errAgain = r.query("after "+f.name, r.patient)
			}
		}
		r.check(f, clean, rows, err)
		if queryAgain {
			r.checkUnchanged("after "+f.name, clean, again, errAgain)
		}
	}
	if r.log.found() {
		r.count(&r.counts.keys, "the log", "an API key is in it")
	}
}

// queryWithFault runs the endpoint's SQL on a connection while its service has a fault.
func (r *engine) queryWithFault(f faultCase, c connection) ([]row, error) {
	fault := f.fault
	fault.Service, fault.Endpoint, fault.Target = r.service, r.endpoint, r.faultOn
	c.sim.Fault(fault)
	defer c.sim.ClearFaults()
	return r.query(f.name, c)
}

// late reports whether something had no response in time to which the fault does not apply: the machine is too busy for the
// timeout of the quick connection. The fault applies to one target, to all requests of the query or to none. The details of
// a row are from another service.
func (r *engine) late(rows []row, err error, faulty string, all bool) bool {
	const late = "no response within"
	if !all && err != nil && strings.Contains(err.Error(), late) {
		return true
	}
	return slices.ContainsFunc(rows, func(row row) bool {
		return strings.Contains(row["detail_error"], late) || !all && (faulty == "" || row[r.key] != faulty) && strings.Contains(row["error"], late)
	})
}

// config returns the arguments of a connection.
func (e endpointCase) config(sim *shodantest.Simulator, timeout string) string {
	config := fmt.Sprintf("api_url = %q\ninternetdb_url = %q\ncvedb_url = %q\nexploits_url = %q\ncache = \"off\"\ntimeout = %q\n"+
		"requests_per_second = 1000\ninternetdb_requests_per_second = 1000\n",
		sim.APIURL(), sim.InternetDBURL(), sim.CVEDBURL(), sim.ExploitsURL(), timeout)
	if !e.keyless {
		config += fmt.Sprintf("api_key = %q\n", shodantest.Key)
	}
	if e.arguments != "" {
		return config + e.arguments + "\n"
	}
	return config + "bulk_lookup = \"off\"\n"
}

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

// check compares the rows of a query with a fault to the rows of the query without.
func (r *engine) check(f faultCase, clean, rows []row, err error) {
	if f.want == unchanged {
		r.checkUnchanged(f.name, clean, rows, err)
		return
	}
	if err != nil {
		// An error of the query loses no row. For rows of targets it is right only where the key is refused.
		if r.key != "" && f.want != refused && r.faultOn != "" {
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

// checkTargets compares the rows of a query that names targets to the rows of the query without a fault.
func (r *engine) checkTargets(f faultCase, clean, rows []row) {
	for _, key := range keysOf(r.key, clean) {
		want, got := withKey(r.key, key, clean), withKey(r.key, key, rows)
		faulty := r.all || key == r.faultOn || r.faultOn == ""
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

// checkUnchanged checks that the rows are those of the query without a fault.
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

package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/load"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// loadInto loads addresses, which must succeed.
func loadInto(t *testing.T, db *postgrestest.Database, connection string, args ...string) result {
	t.Helper()
	got := runLoad(t, connection, "", append([]string{"--to", db.URL()}, args...)...)
	if got.status != exitDone {
		t.Fatalf("got %+v", got)
	}
	return got
}

// uncached is a connection to simulated services, without a cache that could hide a second lookup.
func uncached(sim *shodantest.Simulator) string {
	return strings.Replace(to(sim), `"memory"`, `"off"`, 1) + "\n"
}

func TestLoadLooksUpOnlyOldRows(t *testing.T) {
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Generate(3)
	// Neither the zone of the session nor that of this machine changes what is old.
	db.Exec("do $$ begin execute format('alter database %I set timezone = %L', current_database(), 'Asia/Kathmandu'); end $$")
	t.Setenv("TZ", "America/St_Johns")
	requests := func(want int, args ...string) {
		t.Helper()
		before := sim.Count("")
		loadInto(t, db, uncached(sim), append(args, "11.0.0.1", "11.0.0.2", "11.0.0.3")...)
		if n := sim.Count("") - before; n != want {
			t.Errorf("%q: %d requests, want %d", args, n, want)
		}
	}
	requests(3)
	requests(0)
	db.Exec("update reputation set fresh_from = now() - interval '19 hours 50 minutes', loaded_at = now() - interval '1 day' where ip = '11.0.0.1'; " +
		"update reputation set fresh_from = now() - interval '20 hours 10 minutes' where ip = '11.0.0.2'")
	requests(1)
	if rows := db.Query("select ip from reputation where fresh_from > now() - interval '1 minute' order by ip"); len(rows) != 2 {
		t.Errorf("%q are new", rows)
	}
	requests(1, "--max-age", "19h55m", "11.0.0.4") // 11.0.0.4 is new
	requests(1, "--max-age", "19h45m")
	requests(4, "--max-age", "0", "11.0.0.4")
	requests(4, "--refresh", "11.0.0.4")
	requests(3, "--policy", "baseline")
	requests(0, "--policy", "baseline")
	if rows := db.Query("select policy, count(*) from reputation group by 1 order by 1"); fmt.Sprint(rows) != "[[baseline 3] [extended 1]]" {
		t.Errorf("the policies are %q", rows)
	}
}

// The age of a row is that of the response, and a cached response that is older than --max-age is not used.
func TestLoadUsesNoCachedResponseThatIsOld(t *testing.T) {
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Generate(1)
	connection := strings.Replace(to(sim), `"memory"`, fmt.Sprintf("%q", t.TempDir()+"/cache.sqlite"), 1) + "\n"
	loadInto(t, db, connection, "11.0.0.1")
	db.Exec("delete from reputation")
	loadInto(t, db, connection, "11.0.0.1")
	if sim.Count("") != 1 {
		t.Fatalf("%d requests, and the response was cached", sim.Count(""))
	}
	if rows := db.Query("select fresh_from = checked_at, fresh_from < loaded_at from reputation"); fmt.Sprint(rows) != "[[t t]]" {
		t.Errorf("got %q", rows)
	}
	db.Exec("delete from reputation")
	loadInto(t, db, connection, "--max-age", "1ms", "11.0.0.1")
	if sim.Count("") != 2 {
		t.Errorf("%d requests, although the cached response was too old", sim.Count(""))
	}
}

func TestAFailedLookupKeepsTheEarlierVerdict(t *testing.T) {
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: "11.0.0.1", Ports: []int{22}})
	connection := uncached(sim)
	failing := connection + "timeout = \"300ms\"\n" // for the lookups that are to fail
	loadInto(t, db, connection, "11.0.0.1", "11.0.0.2")
	const state = "select ip, status, level, score, coalesce(error, '') <> '', failed_at is not null, coalesce(failure, '') <> '', fresh_from is not null, policy from reputation order by ip"
	good := [][]string{
		{"11.0.0.1", "indexed", "low", "0", "f", "f", "f", "t", "extended"},
		{"11.0.0.2", "not_indexed", "unknown", "<null>", "f", "f", "f", "t", "extended"},
	}
	if diff := cmp.Diff(good, db.Query(state)); diff != "" {
		t.Fatal(diff)
	}
	before := db.Query("select ip, loaded_at, fresh_from, factors from reputation where ip <= '11.0.0.2' order by ip")
	sim.Fault(shodantest.Fault{Status: 403, Body: shodantest.BodyChallenge})
	got := runLoad(t, failing, "", "--to", db.URL(), "--max-age", "0", "--policy", "baseline", "--fail-on", "error", "11.0.0.1", "11.0.0.2", "11.0.0.3")
	if got.status != exitFound || !strings.Contains(got.stderr, "rows to fail on: 3 with the status error") || !strings.Contains(got.stderr, "3 of 3 addresses could not be checked (") ||
		!strings.Contains(got.stderr, "the last lookup of 2 addresses failed: the table keeps the earlier verdict") {
		t.Errorf("got %+v", got)
	}
	failed := [][]string{
		{"11.0.0.1", "indexed", "low", "0", "f", "t", "t", "t", "extended"},
		{"11.0.0.2", "not_indexed", "unknown", "<null>", "f", "t", "t", "t", "extended"},
		{"11.0.0.3", "error", "unknown", "<null>", "t", "t", "t", "f", "baseline"},
	}
	if diff := cmp.Diff(failed, db.Query(state)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, db.Query("select ip, loaded_at, fresh_from, factors from reputation where ip <= '11.0.0.2' order by ip")); diff != "" {
		t.Errorf("a failed lookup changed: %s", diff)
	}
	// A failed lookup is repeated, also if the earlier verdict is not old, and success ends the failure.
	sim.ClearFaults()
	db.Exec("update reputation set failed_at = failed_at - interval '1 second'")
	loadInto(t, db, connection, "11.0.0.3")
	loadInto(t, db, connection, "11.0.0.1", "11.0.0.2")
	good = append(good, []string{"11.0.0.3", "not_indexed", "unknown", "<null>", "f", "f", "f", "t", "extended"})
	if diff := cmp.Diff(good, db.Query(state)); diff != "" {
		t.Error(diff)
	}
}

func TestLoadReadsAddressesOfAQuery(t *testing.T) {
	db := postgrestest.New(t)
	db.Exec(`create table flows (src_ip inet, name text); insert into flows values ('192.0.2.44', '::ffff:198.51.100.66'), ('192.0.2.44/32', null),
		(null, '198.51.100.66'), ('2001:db8:bad::10', ' 192.0.2.10 '), ('203.0.113.0/30', '192.0.2.10')`)
	for query, want := range map[string]string{
		"select src_ip from flows":                  "[[192.0.2.44] [2001:db8:bad::10]]",
		"select name from flows":                    "[[192.0.2.10] [198.51.100.66]]",
		"select network(src_ip) from flows":         "[[192.0.2.44] [2001:db8:bad::10]]",
		"select src_ip from flows where false":      "[]",
		"select src_ip::varchar from flows limit 1": "[[192.0.2.44]]",
	} {
		db.Exec("drop table if exists reputation")
		got := loadInto(t, db, sampleConnection, "--from-query", query)
		if rows := fmt.Sprint(db.Query("select ip from reputation order by ip")); rows != want {
			t.Errorf("%s: got %s, want %s; %s", query, rows, want, got.stderr)
		}
		if want == "[]" && got.stderr != "shodanrep: no address was found in the result of --from-query\n" {
			t.Errorf("%s: %s", query, got.stderr)
		}
	}
	got := loadInto(t, db, sampleConnection, "--from-query", "select src_ip from flows", "192.0.2.10", "198.51.100.0/30")
	if !strings.Contains(got.stderr, "2 networks were not looked up; --expand loads each of the addresses\n") {
		t.Error(got.stderr)
	}
	loadInto(t, db, sampleConnection, "--expand", "--from-query", "select src_ip from flows", "198.51.100.0/30")
	if rows := db.Query("select count(*) from reputation where ip <<= '203.0.113.0/30' or ip <<= '198.51.100.0/30'"); rows[0][0] != "8" {
		t.Errorf("%s addresses of two networks", rows[0][0])
	}
}

func TestLoadWithNoAddress(t *testing.T) {
	db := postgrestest.New(t)
	got := runLoad(t, sampleConnection, "no address here\n", "--to", db.URL(), "--fail-on", "error")
	if got.status != exitFound || got.stderr != "shodanrep: no address was found in standard input\nshodanrep: rows to fail on: 1 with the status error\n" {
		t.Errorf("got %+v", got)
	}
	got = runLoad(t, sampleConnection, "203.0.113.10\n11.0.0.300\n", "--to", db.URL(), "--quiet", "--fail-on", "error")
	if got.status != exitFound || got.stderr != "shodanrep: rows to fail on: 1 with the status error\n" {
		t.Errorf("a line that is left out: %+v", got)
	}
}

func TestFailOnCountsAllRowsOfTheInput(t *testing.T) {
	db := postgrestest.New(t)
	want := "shodanrep: rows to fail on: 1 with the level critical\n"
	for i := range 2 { // the second time nothing is looked up
		got := runLoad(t, sampleConnection, "", "--to", db.URL(), "--quiet", "--fail-on", "high", "203.0.113.10", "192.0.2.80")
		if got.status != exitFound || got.stderr != want {
			t.Errorf("%d: got %+v", i, got)
		}
	}
	if got := loadInto(t, db, sampleConnection, "--quiet", "--fail-on", "high", "192.0.2.80"); got.stderr != "" {
		t.Errorf("got %+v", got)
	}
}

func TestTheTableIsDocumentedAndFindsNetworks(t *testing.T) {
	db := postgrestest.New(t)
	db.Exec("create schema intel")
	loadInto(t, db, sampleConnection, "--table", "Intel.Verdicts", "192.0.2.44", "192.0.2.10", "203.0.113.10")
	printed := runLoad(t, sampleConnection, "", "--print-sql", "--table", "intel.verdicts")
	if printed.stdout != load.CreateSQL(load.Name{Schema: "intel", Table: "verdicts"}) || printed.status != exitDone {
		t.Errorf("--print-sql: %+v", printed)
	}
	undocumented := db.Query("select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relname in ('verdicts', 'verdicts_queue') and attnum > 0 and col_description(attrelid, attnum) is null")
	if len(undocumented) > 0 {
		t.Errorf("no comment on %q", undocumented)
	}
	db.Exec("set enable_seqscan = off; set enable_bitmapscan = off; create table flows (network cidr, bytes int); insert into flows values ('192.0.2.0/24', 7)")
	if rows := db.Query("select r.ip from flows as f join intel.verdicts as r on r.ip <<= f.network order by 1"); fmt.Sprint(rows) != "[[192.0.2.10] [192.0.2.44]]" {
		t.Errorf("got %q", rows)
	}
	plan := fmt.Sprint(db.Query("explain select r.ip from flows as f join intel.verdicts as r on r.ip <<= f.network"))
	if !strings.Contains(plan, "verdicts_ip_network") {
		t.Errorf("the index is not used: %s", plan)
	}
}

func TestARefusedKeyFailsTheLoad(t *testing.T) {
	db, sim := postgrestest.New(t), shodantest.New(t)
	got := runLoad(t, to(sim, fmt.Sprintf("api_key = %q\nsource = \"shodan\"\n", strings.Repeat("X", 32))), "", "--to", db.URL(), "11.0.0.1", "11.0.0.2")
	if got.status != exitFailed || !strings.Contains(got.stderr, "Shodan refused the API key") || strings.Contains(got.stderr, "XXXX") {
		t.Errorf("got %+v", got)
	}
	if rows := db.Query("select (select count(*) from reputation where status <> 'error'), (select count(*) from reputation_queue)"); fmt.Sprint(rows) != "[[0 0]]" {
		t.Errorf("rows and addresses in the queue: %v", rows)
	}
}

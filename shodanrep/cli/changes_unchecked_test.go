package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/changes"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestWhatWasNotCheckedIsSaid(t *testing.T) {
	connection := past(t)
	for name, tt := range map[string]struct {
		args []string
		want []string // in standard error
	}{
		"one of several":     {[]string{"203.0.114.10", "203.0.114.14", "203.0.114.99"}, []string{"2 of 3 addresses were not checked since ", ", 1 of them never: run"}},
		"only never":         {[]string{"203.0.114.10", "203.0.114.99"}, []string{"1 of 2 addresses were never checked: run"}},
		"a single one":       {[]string{"203.0.114.14"}, []string{"the address was not checked since "}},
		"never, and alone":   {[]string{"203.0.114.99"}, []string{"the address was never checked: run"}},
		"a network":          {[]string{"203.0.114.8/29"}, []string{"of networks only the addresses that were checked since "}},
		"no address of one":  {[]string{"203.0.114.8/29", "203.0.200.0/24", "10.0.0.0/8"}, []string{"1 network has no address that was checked since then: run"}},
		"nothing in a store": {[]string{"--since", "1m"}, []string{"no address was checked since "}},
	} {
		got := runCheck(t, connection, "", append([]string{"changes"}, tt.args...)...)
		for _, want := range tt.want {
			if !strings.Contains(got.stderr, want) || got.status != exitDone {
				t.Errorf("%s: got %+v, want %q", name, got, want)
			}
		}
		quiet := runCheck(t, connection, "", append([]string{"changes", "--quiet"}, tt.args...)...)
		if quiet.stderr != "" || quiet.stdout == "" {
			t.Errorf("%s: quiet: %+v", name, quiet)
		}
	}
	got := runCheck(t, connection, "", "changes", "203.0.114.10", "203.0.114.15")
	if got.stderr != "" {
		t.Errorf("all were checked: %q", got.stderr)
	}
	rows := runCheck(t, connection, "", "changes", "--output", "jsonl", "203.0.114.14", "203.0.114.99")
	if diff := cmp.Diff([]string{"203.0.114.14 not_checked - unknown -", "203.0.114.99 not_checked - unknown -"}, jsonLines(t, rows.stdout, "ip", "status", "change", "level", "changed_at")); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	if lines := jsonLines(t, rows.stdout, "last_checked"); lines[0] == "-" || lines[1] != "-" {
		t.Errorf("last_checked is %q", lines)
	}
}

// TestAFailedCheckAfterAResponseShows is about an address that would look unchanged: its last check failed, and one that
// did not is not old.
func TestAFailedCheckAfterAResponseShows(t *testing.T) {
	sim := shodantest.New(t)
	connection, path := historyOf(t, sim)
	addrs := sim.Generate(2)
	for _, addr := range addrs {
		record(t, path, addr.String(), 20*time.Hour, "internetdb", goodPorts)
	}
	list := writeFile(t, "list.txt", fmt.Sprintf("%v %v", addrs[0], addrs[1]))
	sim.Fault(shodantest.Fault{Target: addrs[1].String(), Status: 400, Body: `{"error": "Invalid IP"}`})
	began := time.Now().UTC().Format(time.RFC3339)
	if got := runCheck(t, connection, "", "check", "--refresh", list); !strings.Contains(got.stderr, "1 of 2 addresses could not be checked") {
		t.Fatalf("%+v", got)
	}
	got := runCheck(t, connection, "", "changes", list)
	for _, want := range []string{"2 addresses checked", "Last lookup failed: 1 address; changes since then are not known", ": the last lookup failed at "} {
		if !strings.Contains(strings.Join(strings.Fields(got.stdout), " "), want) {
			t.Errorf("no %q: %+v", want, got)
		}
	}
	if got := runCheck(t, connection, "", "changes", "--fail-on", "not_checked", "--quiet", list); got.status != exitFound {
		t.Errorf("to fail on not_checked: %+v", got)
	}
	if got := runCheck(t, connection, "", "changes", "--fail-on", "not_checked", addrs[0].String()); got.status != exitDone || strings.Contains(got.stdout, "failed") {
		t.Errorf("the other address: %+v", got)
	}
	got = runCheck(t, connection, "", "changes", "--since", began, "--only", "not_checked", "--fail-on", "not_checked", "--output", "list", list)
	if got.status != exitFound || got.stdout != addrs[1].String()+"\n" {
		t.Errorf("since the check began: %+v", got)
	}
}

// If every check has failed, the addresses do not look checked and unchanged in any format, with inputs and without.
func TestAnOutageAfterAResponseShows(t *testing.T) {
	sim := shodantest.New(t)
	connection, path := historyOf(t, sim)
	addr := sim.Generate(1)[0].String()
	record(t, path, addr, 20*time.Hour, "internetdb", goodPorts)
	sim.Fault(shodantest.Fault{Status: 400, Body: `{"error": "Invalid IP"}`})
	for range 3 {
		if got := runCheck(t, connection, "", "check", "--refresh", addr); !strings.Contains(got.stderr, "1 of 1 address could not be checked") {
			t.Fatalf("%+v", got)
		}
	}
	for _, format := range changes.Names() {
		f, _ := changes.Find(format)
		for _, inputs := range [][]string{{addr}, {addr + "/30"}, nil} {
			got := runCheck(t, connection, "", append([]string{"changes", "--output", format}, inputs...)...)
			if !strings.Contains(got.stderr, "the last lookup of 1 address failed: ") || got.status != exitDone {
				t.Errorf("%s %v: %+v", format, inputs, got)
			}
			if text := strings.Join(strings.Fields(got.stdout), " "); format != rowformat.Parquet && !f.AddressesOnly && !strings.Contains(text, "3 lookups failed from ") {
				t.Errorf("%s %v: the output does not say what failed: %+v", format, inputs, got)
			}
			if got := runCheck(t, connection, "", append([]string{"changes", "--quiet", "--output", format}, inputs...)...); got.stderr != "" {
				t.Errorf("%s, quietly: %+v", format, got)
			}
			if got := runCheck(t, connection, "", append([]string{"changes", "--fail-on", "not_checked", "--output", format}, inputs...)...); got.status != exitFound {
				t.Errorf("%s %v, to fail: %+v", format, inputs, got)
			}
		}
	}
	rows := runCheck(t, connection, "", "changes", "--output", "jsonl", addr)
	if lines := jsonLines(t, rows.stdout, "status", "change", "level"); lines[len(lines)-1] != "not_checked - unknown" {
		t.Errorf("the rows are %q", lines)
	}
	sim.ClearFaults()
	if got := runCheck(t, connection, "", "check", "--refresh", addr); got.status != exitDone {
		t.Fatal(got)
	}
	if got := runCheck(t, connection, "", "changes", "--fail-on", "not_checked", addr); got.status != exitDone || strings.Contains(got.stdout+got.stderr, "failed") {
		t.Errorf("after a response: %+v", got)
	}
}

// TestTheTablesAndTheCommandTellTheSameFailedLookups looks addresses up, one of which never got a response.
func TestTheTablesAndTheCommandTellTheSameFailedLookups(t *testing.T) {
	t.Run("in a file", func(t *testing.T) { testFailedLookups(t, filepath.Join(t.TempDir(), "history.sqlite")) })
	t.Run("in PostgreSQL", func(t *testing.T) { testFailedLookups(t, postgrestest.New(t).URL()) })
}

func testFailedLookups(t *testing.T, location string) {
	sim := shodantest.New(t)
	connection := to(sim, fmt.Sprintf("history_store = %q\n", location))
	addrs := sim.Generate(2)
	record(t, location, addrs[0].String(), 20*time.Hour, "internetdb", goodPorts)
	sim.Fault(shodantest.Fault{Status: 400, Body: `{"error": "Invalid IP"}`})
	runCheck(t, connection, "", "check", "--refresh", addrs[0].String(), addrs[1].String())
	columns := []string{"ip", "source", "status", "change", "last_checked", "last_failed", "last_failure"}
	told := jsonLines(t, runCheck(t, connection, "", "changes", "--output", "jsonl", "--only", "not_checked").stdout, columns...)
	if len(told) != 2 || strings.Contains(told[0], " - -") || !strings.HasPrefix(told[1], addrs[1].String()+" internetdb not_checked - - 20") || !strings.Contains(told[1], "Invalid IP") {
		t.Fatalf("the command: %q", told)
	}
	for _, table := range []string{"shodan_reputation_history", "shodan_reputation_change"} {
		rows, _, _ := runQuery(t, connection, "select distinct ip, source, status, null as change, last_checked, last_failed, last_failure from "+table+" order by last_checked is null", "--output", "jsonl")
		want := []string{strings.Replace(told[0], "not_checked", "indexed", 1), told[1]}
		if diff := cmp.Diff(want, jsonLines(t, rows, columns...)); diff != "" {
			t.Errorf("%s: want (-), got (+): %s", table, diff)
		}
	}
	sim.ClearFaults()
	runCheck(t, connection, "", "check", "--refresh", addrs[0].String(), addrs[1].String())
	for _, table := range []string{"shodan_reputation_history", "shodan_reputation_change"} {
		if rows := query(t, connection, "select ip from "+table+" where last_failed is not null or last_failure is not null or status = 'not_checked'"); len(rows) > 0 {
			t.Errorf("%s, after a response: %v", table, rows)
		}
	}
}

// TestFailedLookupsThatCannotBeReadAreAnError reads as a role that may read only the states: null would say that no lookup
// has failed.
func TestFailedLookupsThatCannotBeReadAreAnError(t *testing.T) {
	sim, db := shodantest.New(t), postgrestest.New(t)
	sim.Fault(shodantest.Fault{Status: 400, Body: `{"error": "Invalid IP"}`})
	record(t, db.URL(), "203.0.114.10", 2*time.Hour, "internetdb", goodPorts)
	runCheck(t, to(sim, fmt.Sprintf("history_store = %q\n", db.URL())), "", "check", "--refresh", "203.0.114.10")
	reader := "reader_" + db.Name()
	db.ExecAdmin("create role " + reader + " login; grant select on shodanrep_history, shodanrep_history_retention to " + reader)
	connection := to(sim, fmt.Sprintf("history_store = %q\n", strings.Replace(db.URL(), "analyst@", reader+"@", 1)))
	for _, table := range []string{"shodan_reputation_history", "shodan_reputation_change"} {
		stdout, stderr, status := runQuery(t, connection, "select * from "+table+" where ip = '203.0.114.10'")
		if status != exitFailed || stdout != "" || !strings.Contains(stderr, "permission denied for table shodanrep_failure") {
			t.Errorf("%s: %d %q %q", table, status, stdout, stderr)
		}
	}
}

// TestFactsThatCannotBeReadAreNotUnchanged damages the facts of one address, and expects the changes of the others.
func TestFactsThatCannotBeReadAreNotUnchanged(t *testing.T) {
	connection, path := historyOf(t, shodantest.New(t))
	record(t, path, "203.0.114.10", 2*time.Hour, "internetdb", goodPorts)
	record(t, path, "203.0.114.11", 2*time.Hour, "internetdb", badPorts, badVulns...)
	db, err := sqlite3.Open("file:" + path)
	if err == nil {
		err = errors.Join(db.Exec(`update history set facts = x'00112233' where ip = '203.0.114.10'`), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	const problem = "the facts of 203.0.114.10, first checked at "
	for _, tt := range []struct {
		args, stdout, stderr string
		status               int
	}{
		{"--output table", problem, "", exitDone},
		{"--output table", "Facts that cannot be read: 1 address; not all their changes are known", "", exitDone},
		{"--output csv", "203.0.114.10,internetdb,error,\"" + problem, "the history has facts of 1 address that cannot be read", exitDone},
		{"--output ecs", problem, "", exitDone},
		{"--output list --only worse", "203.0.114.11\n", "the history has facts of 1 address that cannot be read", exitDone},
		{"--output csv --fail-on not_checked 203.0.114.10", problem, "1 not checked", exitFound},
	} {
		got := runCheck(t, connection, "", append([]string{"changes"}, strings.Fields(tt.args)...)...)
		if !strings.Contains(got.stdout, tt.stdout) || !strings.Contains(got.stderr, tt.stderr) || got.status != tt.status {
			t.Errorf("%s: %+v", tt.args, got)
		}
	}
}

// An address that became bad stays in the formats for platforms as bad, if a later lookup failed.
func TestAFailedLookupDoesNotHideABadChange(t *testing.T) {
	sim := shodantest.New(t)
	connection, path := historyOf(t, sim)
	record(t, path, "203.0.114.10", 100*time.Hour, "internetdb", goodPorts)
	record(t, path, "203.0.114.10", 2*time.Hour, "internetdb", badPorts, badVulns...)
	sim.Fault(shodantest.Fault{Status: 400, Body: `{"error": "Invalid IP"}`})
	runCheck(t, connection, "", "check", "--refresh", "203.0.114.10")
	got := runCheck(t, connection, "", "changes", "--output", "ecs", "203.0.114.10")
	if !strings.Contains(got.stdout, `"level":"critical"`) || !strings.Contains(got.stderr, "the last lookup of 1 address failed") {
		t.Error(got)
	}
	if got := runCheck(t, connection, "", "changes", "--only", "worse", "--output", "list"); got.stdout != "203.0.114.10\n" {
		t.Error(got)
	}
}

// TestAFailedCheckIsNotUnchanged checks what a schedule sees if the services are away on the second day.
func TestAFailedCheckIsNotUnchanged(t *testing.T) {
	sim := shodantest.New(t)
	connection, path := historyOf(t, sim, "timeout = \"1s\"")
	record(t, path, "203.0.114.10", 26*time.Hour, "internetdb", goodPorts)
	sim.Fault(shodantest.Fault{Service: shodantest.InternetDB, Status: 400, Body: `{"error": "out of order"}`})
	if got := runCheck(t, connection, "", "check", "--refresh", "--output", "list", "203.0.114.10"); !strings.Contains(got.stderr, "could not be checked") {
		t.Fatal(got)
	}
	got := runCheck(t, connection, "", "changes", "--fail-on", "worse,not_checked", "203.0.114.10")
	if got.status != exitFound || !strings.Contains(got.stdout, "not checked since ") || !strings.Contains(got.stderr, "addresses to fail on: 1 not checked") {
		t.Errorf("got %+v", got)
	}
}

// TestAnswersFromTheCacheAreNoChecks is why a schedule needs --refresh.
func TestAnswersFromTheCacheAreNoChecks(t *testing.T) {
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: "203.0.114.10", Ports: goodPorts})
	connection, _ := historyOf(t, sim)
	connection = strings.Replace(connection, `cache = "memory"`, fmt.Sprintf("cache = %q", filepath.Join(t.TempDir(), "cache.sqlite")), 1)
	checks := func(flags ...string) any {
		if got := runCheck(t, connection, "", append([]string{"check", "--output", "list", "203.0.114.10"}, flags...)...); got.status != exitDone {
			t.Fatal(got)
		}
		return query(t, connection, "select checks from shodan_reputation_history")[0]["checks"]
	}
	for i, test := range []struct {
		flags []string
		want  any
	}{{nil, 1.0}, {nil, 1.0}, {[]string{"--refresh"}, 2.0}} {
		if got := checks(test.flags...); got != test.want {
			t.Errorf("after check %d with %q: %v checks, want %v", i+1, test.flags, got, test.want)
		}
	}
}

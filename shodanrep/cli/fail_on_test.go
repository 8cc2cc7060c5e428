package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

func TestFailOn(t *testing.T) {
	t.Parallel()
	const usage = "\nRun 'shodanrep query --help' for usage.\n"
	tests := map[string]struct {
		args           []string
		stdout, stderr string
		status         int
	}{
		"rows with the status": {[]string{"--fail-on", "alarm", "select 'ok' as status union all select 'alarm' union all select 'alarm'"},
			"status\nok\nalarm\nalarm\n", "shodanrep: rows to fail on: 2 with the status alarm\n", 3},
		"no row with the status":   {[]string{"--fail-on", "alarm", "select 'ok' as status, 'alarm' as reason"}, "status,reason\nok,alarm\n", "", 0},
		"no row at all":            {[]string{"--fail-on", "alarm", "select 'alarm' as status where false"}, "status\n", "", 0},
		"one of several statuses":  {[]string{"--fail-on", "alarm,error", "select 'error' as status"}, "status\nerror\n", "shodanrep: rows to fail on: 1 with the status error\n", 3},
		"all of several statuses":  {[]string{"--fail-on", "alarm", "--fail-on", "error", "select 'error' as status union all select 'alarm'"}, "status\nerror\nalarm\n", "shodanrep: rows to fail on: 1 with the status alarm, 1 with the status error\n", 3},
		"not a part of a status":   {[]string{"--fail-on", "indexed", "select 'not_indexed' as status"}, "status\nnot_indexed\n", "", 0},
		"a status that is no text": {[]string{"--fail-on", "error", "select 7 as status union all select null"}, "status\n7\n\"\"\n", "", 0},
		"a level in JSON":          {[]string{"--fail-on", "high", `select '{"a":"high"}' -> '$.a' as level union all select '[1]' -> '$'`}, "level\n\"\"\"high\"\"\"\n[1]\n", "shodanrep: rows to fail on: 1 with the level high\n", 3},
		"a second column status":   {[]string{"--fail-on", "alarm", "select 'ok' as status, 'alarm' as status"}, "status,status\nok,alarm\n", "shodanrep: rows to fail on: 1 with the status alarm\n", 3},
		"a column in capitals":     {[]string{"--fail-on", "alarm", "select 'alarm' as STATUS"}, "STATUS\nalarm\n", "shodanrep: rows to fail on: 1 with the status alarm\n", 3},
		"a word in capitals":       {[]string{"--fail-on", "ERROR", "select 'error' as status"}, "status\nerror\n", "shodanrep: rows to fail on: 1 with the status error\n", 3},
		"a value in capitals":      {[]string{"--fail-on", "alarm", "select 'Alarm' as status"}, "status\nAlarm\n", "shodanrep: rows to fail on: 1 with the status alarm\n", 3},
		"a level":                  {[]string{"--fail-on", "high", "select 'high' as level"}, "level\nhigh\n", "shodanrep: rows to fail on: 1 with the level high\n", 3},
		"a worse level":            {[]string{"--fail-on", "high,critical", "select 'critical' as level union all select 'high' union all select 'critical'"}, "level\ncritical\nhigh\ncritical\n", "shodanrep: rows to fail on: 2 with the level critical, 1 with the level high\n", 3},
		"a less bad level":         {[]string{"--fail-on", "high", "select 'medium' as Level union all select 'unknown'"}, "Level\nmedium\nunknown\n", "", 0},
		"a level and a status":     {[]string{"--fail-on", "high,error", "select 'unknown' as level, 'error' as status"}, "level,status\nunknown,error\n", "shodanrep: rows to fail on: 1 with the status error\n", 3},
		"a level and no level":     {[]string{"--fail-on", "error,high", "select 'indexed' as status"}, "status\nindexed\n", "shodanrep: --fail-on high looks at the column level, and no result has one: select it as well" + usage, 2},
		"an error and no status":   {[]string{"--fail-on", "error", "select 'unknown' as level"}, "level\nunknown\n", "shodanrep: --fail-on error looks at the column status, and no result has one: select it as well" + usage, 2},
		"a level as a status":      {[]string{"--fail-on", "high", "select 'critical' as status"}, "status\ncritical\n", "shodanrep: rows to fail on: 1 with the level critical\n", 3},
		"a later statement":        {[]string{"--fail-on", "alarm", "select 1 as a; select 'alarm' as status; select 2 as b"}, "a\n1\nstatus\nalarm\nb\n2\n", "shodanrep: rows to fail on: 1 with the status alarm\n", 3},
		"a query that fails":       {[]string{"--fail-on", "alarm", "select 'alarm' as status; select nothing"}, "status\nalarm\n", "shodanrep: near \"nothing\": syntax error, at: nothing\n", 1},
		"neither column":           {[]string{"--fail-on", "alarm", "select 'alarm' as state"}, "", "shodanrep: --fail-on looks at the columns level and status, and no result has either: select the one that it is about" + usage, 2},
		"not checked is an error":  {[]string{"--fail-on", "not_checked", "select 'error' as status"}, "status\nerror\n", "shodanrep: rows to fail on: 1 with the status error\n", 3},
		"an error is not checked":  {[]string{"--fail-on", "high,error", "select 'unknown' as level, 'not_checked' as status"}, "level,status\nunknown,not_checked\n", "shodanrep: rows to fail on: 1 with the status not_checked\n", 3},
		"no result":                {[]string{"--fail-on", "alarm", "create table t (a)"}, "", "shodanrep: --fail-on looks at the columns level and status, and no result has either: select the one that it is about" + usage, 2},
		"no statement":             {[]string{"--fail-on", "alarm", "/* nothing */"}, "", "shodanrep: query needs SQL, and there is no statement in its argument" + usage, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, &embeddedtest.Plugin{}, "", append([]string{"query", "--output", "csv"}, tt.args...)...)
			if want := (result{tt.stdout, tt.stderr, tt.status}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestFailOnSeesTheRowsOfEveryOutput(t *testing.T) {
	t.Parallel()
	for _, format := range rowformat.Names {
		got := run(t, &embeddedtest.Plugin{}, "", "query", "--output", format, "--fail-on", "alarm", "select 'ok' as status union all select 'alarm'")
		if got.status != exitFound || !strings.Contains(got.stdout, "alarm") {
			t.Errorf("%s: %+v", format, got)
		}
	}
}

// Who reads only the first rows, such as head, must not make a command succeed that was to fail.
func TestFailOnOfABrokenPipe(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	for name, tt := range map[string]struct {
		sql    string
		status int
	}{
		"with the status among the rows read": {"select 'alarm' as status from fake_event", exitFound},
		"with rows not read":                  {"select 'ok' as status from fake_event", exitFailed},
	} {
		var stderr bytes.Buffer
		a := app{plugin: (&embeddedtest.Plugin{Rows: 1000}).Func, stdin: strings.NewReader(""), stdout: &head{}, stderr: &stderr}
		if got := a.run(t.Context(), []string{"query", "--config", config, "--output", "csv", "--fail-on", "alarm", tt.sql}); got != tt.status || stderr.Len() == 0 {
			t.Errorf("%s: status %d, %q", name, got, stderr.String())
		}
	}
}

// What can never be found is refused before anything is looked up.
func TestFailOnRefusesUnknownWords(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"", "alarm,", "crtical", "high,crtical", "index", "7"} {
		fake := &embeddedtest.Plugin{Rows: 1}
		got := run(t, fake, "", "query", "--fail-on", words, "select 'critical' as level, n from fake_event")
		if got.status != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, "shodanrep: --fail-on: ") || fake.Streamed() > 0 {
			t.Errorf("%q: %+v, %d rows were read", words, got, fake.Streamed())
		}
	}
}

// A query whose results have no column for --fail-on is refused before anything is looked up.
func TestFailOnNeedsAColumnBeforeLookups(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sql     string
		refused bool
	}{
		"neither column":                      {"select n, name from fake_event", true},
		"neither column of several results":   {"select n from fake_event; select name from fake_event", true},
		"a later statement has one":           {"select n from fake_event; select 'ok' as status", false},
		"all columns of a table without both": {"select * from fake_event", true},
		"all columns of a table with one":     {"select * from fake_address where ip = '192.0.2.1'", false},
		"a table that a statement makes":      {"create table t as select n as level from fake_event; select * from t", false},
	} {
		fake := &embeddedtest.Plugin{Rows: 1}
		got := run(t, fake, "", "query", "--output", "csv", "--fail-on", "alarm", tt.sql)
		asked := fake.Streamed() + len(fake.Calls("fake_address"))
		if (got.status == exitUsage && got.stdout == "" && asked == 0) != tt.refused {
			t.Errorf("%s: %+v, %d calls", name, got, asked)
		}
	}
}

// A word that the column of a table never has would never fail.
func TestFailOnRefusesWhatATableNeverHas(t *testing.T) {
	for name, tt := range map[string]struct {
		words, sql string
		status     int
		stderr     string
	}{
		"a word of a check":        {"alarm", "select ip, status from shodan_ip_reputation where ip = '10.0.0.1'", exitUsage, "--fail-on alarm: the column status of the result never has this value, but error, indexed, not_a_host, not_indexed, reserved: use one of these"},
		"a status of others":       {"resolved,reserved", "select * from shodan_ip_reputation where ip = '192.0.2.44'", exitUsage, "--fail-on resolved: the column"},
		"what was found is first":  {"reserved,alarm", "select * from shodan_ip_reputation where ip = '10.0.0.1'", exitFound, "1 with the status reserved"},
		"not checked":              {"not_checked", "select ip, status from shodan_ip_reputation where ip = '10.0.0.1'", exitDone, ""},
		"no lookup failed":         {"error", "select ip, status from shodan_ip_reputation where ip = '10.0.0.1'", exitDone, ""},
		"a computed status":        {"alarm", "select case level when 'high' then 'alarm' else 'ok' end as status from shodan_ip_reputation where ip = '10.0.0.1'", exitDone, ""},
		"another column":           {"alarm", "select source as status from shodan_ip_reputation where ip = '10.0.0.1'", exitDone, ""},
		"one of several results":   {"alarm", "select status from shodan_ip_reputation where ip = '10.0.0.1'; select 'ok' as status", exitDone, ""},
		"a level":                  {"high", "select level, status from shodan_ip_reputation where ip = '10.0.0.1'", exitDone, ""},
		"never checked, as error":  {"high,error", "select ip, level, status from shodan_reputation_history where ip = '11.0.0.9'", exitFound, "1 with the status not_checked"},
		"another select":           {"alarm", "select status from shodan_ip_reputation where ip = '10.0.0.1' union all select 'ok'", exitDone, ""},
		"another select in a view": {"alarm", "create temp view v as select 'ok' as status union all select status from shodan_ip_reputation where ip = '10.0.0.1'; select status from v", exitDone, ""},
		"another database":         {"alarm", "attach ':memory:' as m; create table m.shodan_ip_reputation as select 'ok' as status; select status from m.shodan_ip_reputation", exitDone, ""},
		"a temporary table":        {"alarm", "create temp table shodan_ip_reputation as select 'ok' as status; select status from temp.shodan_ip_reputation", exitDone, ""},
		"a history without errors": {"done", "select ip, status from shodan_reputation_history where ip = '11.0.0.9'", exitUsage, "--fail-on done"},
	} {
		history := "history_store = \"" + filepath.Join(t.TempDir(), "history.sqlite") + "\"\n"
		got := runCheck(t, offlineConnection+history, "", "query", "--output", "csv", "--fail-on", tt.words, tt.sql)
		if got.status != tt.status || !strings.Contains(got.stderr, tt.stderr) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

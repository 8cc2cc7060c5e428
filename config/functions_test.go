package config_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	_ "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sdktest"
)

// asCommand makes the test binary the command itself, for the shell lines of the README.
const asCommand = "SHODANREP_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(processtest.RunInTempDir(func(string) int { return postgrestest.Run(m) }))
}

const functions = "functions.sql"

// install makes a database with the functions, and with the tables that they read, of the columns that they name, in a
// schema that the search path finds.
func install(t *testing.T) *postgrestest.Database {
	t.Helper()
	db := postgrestest.New(t)
	db.RunFile(functions)
	for table, function := range map[string]string{"shodan_ip_reputation": "shodan_reputation(text[])", "shodan_service": "shodan_services(inet[])"} {
		db.CreateForeignTable("shodanrep", table, resultOf(db, function))
	}
	db.Exec("set search_path = public, shodanrep")
	return db
}

// resultOf returns the columns that a function returns, as in create table.
func resultOf(db *postgrestest.Database, function string) string {
	result := db.Query("select pg_get_function_result($1::regprocedure)", function)[0][0]
	return strings.TrimSuffix(strings.TrimPrefix(result, "TABLE("), ")")
}

// hosts fills shodan_ip_reputation with a row for each of the first addresses of a network.
func hosts(db *postgrestest.Database, schema string, count int) {
	db.ExecRemote(fmt.Sprintf(`insert into %s.shodan_ip_reputation (ip, title, status, score, level)
		select '198.18.0.0'::inet + n, host('198.18.0.0'::inet + n), 'indexed', n, 'low' from generate_series(0, %d) as n`, schema, count-1))
}

func TestTheFunctionsNeedNoSuperuser(t *testing.T) {
	db := install(t)
	if got := db.Query("select rolsuper or rolcreaterole from pg_roles where rolname = current_user"); got[0][0] != "f" {
		t.Error("the tests run as a superuser")
	}
}

func TestReputationOfAddresses(t *testing.T) {
	db := install(t)
	hosts(db, "shodanrep", 10)
	noAddress := `"x y" is not an IP address: write it like 198.51.100.7 or 2001:db8::7`
	for name, test := range map[string]struct {
		addresses string
		want      [][]string // ip, title, status, error, score, level
		asked     int
	}{
		"an address":                {"'{198.18.0.1}'::inet[]", [][]string{{"198.18.0.1", "198.18.0.1", "indexed", "<null>", "1", "low"}}, 1},
		"as a network of one":       {"'{198.18.0.1/32}'::cidr[]", [][]string{{"198.18.0.1", "198.18.0.1", "indexed", "<null>", "1", "low"}}, 1},
		"as text":                   {"array['198.18.0.1']", [][]string{{"198.18.0.1", "198.18.0.1", "indexed", "<null>", "1", "low"}}, 1},
		"as text of a column":       {"array(select '198.18.0.1'::varchar)", [][]string{{"198.18.0.1", "198.18.0.1", "indexed", "<null>", "1", "low"}}, 1},
		"as text with spaces":       {"array[E' 198.18.0.1/32\\n']", [][]string{{"198.18.0.1", "198.18.0.1", "indexed", "<null>", "1", "low"}}, 1},
		"twice":                     {"array['198.18.0.1', '198.18.0.1/32', '198.18.0.1']", [][]string{{"198.18.0.1", "198.18.0.1", "indexed", "<null>", "1", "low"}}, 1},
		"NULL":                      {"'{NULL}'::inet[]", nil, 0},
		"NULL beside an address":    {"'{NULL,198.18.0.2,NULL}'::inet[]", [][]string{{"198.18.0.2", "198.18.0.2", "indexed", "<null>", "2", "low"}}, 1},
		"no list":                   {"null::inet[]", nil, 0},
		"an empty list":             {"'{}'::inet[]", nil, 0},
		"an empty list of networks": {"'{}'::cidr[]", nil, 0},
		"an empty list of texts":    {"'{}'::text[]", nil, 0},
		"a network":                 {"'{198.18.0.0/24}'::cidr[]", [][]string{{"198.18.0.0/24", "198.18.0.0/24", "not_a_host", "<null>", "<null>", "unknown"}}, 0},
		"an address in a network":   {"'{198.18.0.1/24}'::inet[]", [][]string{{"198.18.0.1/24", "198.18.0.1/24", "not_a_host", "<null>", "<null>", "unknown"}}, 0},
		"a network of IPv6":         {"'{2001:db8::/32}'::text[]", [][]string{{"2001:db8::/32", "2001:db8::/32", "not_a_host", "<null>", "<null>", "unknown"}}, 0},
		"no address":                {"array['x y', 'x y']", [][]string{{"<null>", "x y", "error", noAddress, "<null>", "unknown"}}, 0},
		"all kinds": {"array['198.18.0.2', 'x y', null, '198.18.0.0/30', '198.18.0.1', '198.18.0.2/32']", [][]string{
			{"<null>", "x y", "error", noAddress, "<null>", "unknown"},
			{"198.18.0.0/30", "198.18.0.0/30", "not_a_host", "<null>", "<null>", "unknown"},
			{"198.18.0.1", "198.18.0.1", "indexed", "<null>", "1", "low"},
			{"198.18.0.2", "198.18.0.2", "indexed", "<null>", "2", "low"},
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db.RemoteQueries()
			got := db.Query("select ip, title, status, error, score, level from shodan_reputation(" + test.addresses + ") order by status = 'indexed', status, ip")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("want (-), got (+): %s", diff)
			}
			if asked := db.RemoteQueries(); len(asked) != test.asked {
				t.Errorf("asked %q, want %d questions", asked, test.asked)
			}
		})
	}
}

func TestServicesOfAddresses(t *testing.T) {
	db := install(t)
	db.ExecRemote(`insert into shodanrep.shodan_service (ip, title, status, port, product, tags, "timestamp") values
		('198.18.0.1', '198.18.0.1 22/tcp', 'indexed', 22, 'OpenSSH', '[]', '2026-01-02'), ('198.18.0.1', '198.18.0.1 443/tcp', 'indexed', 443, 'nginx', '["cdn"]', '2026-01-03'),
		('198.18.0.2', '198.18.0.2', 'not_indexed', null, null, null, null)`)
	want := [][]string{
		{"198.18.0.1", "198.18.0.1 22/tcp", "indexed", "22", "OpenSSH", "[]", "2026-01-02 00:00:00+00"},
		{"198.18.0.1", "198.18.0.1 443/tcp", "indexed", "443", "nginx", `["cdn"]`, "2026-01-03 00:00:00+00"},
		{"198.18.0.2", "198.18.0.2", "not_indexed", "<null>", "<null>", "<null>", "<null>"},
		{"198.18.0.0/30", "198.18.0.0/30", "not_a_host", "<null>", "<null>", "<null>", "<null>"},
	}
	got := db.Query(`select ip, title, status, port, product, tags, "timestamp" from shodan_services('{198.18.0.2,198.18.0.1,NULL,198.18.0.0/30,198.18.0.2}') order by status, ip, port`)
	if diff := cmp.Diff(want[:2], got[:2]); diff != "" || len(got) != 4 {
		t.Errorf("want (-), got (+): %s\n%q", diff, got)
	}
	if diff := cmp.Diff([][]string{want[3], want[2]}, got[2:]); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	if asked := db.RemoteQueries(); len(asked) != 1 {
		t.Errorf("asked %q, want one question", asked)
	}
}

// TestNoAddressGetsLost is about rows that Steampipe loses: what was asked for and is not there must not look clean.
func TestNoAddressGetsLost(t *testing.T) {
	db := install(t)
	hosts(db, "shodanrep", 1)
	const lost = "the table returned no row: run the query again"
	want := [][]string{{"198.18.0.0", "198.18.0.0", "indexed", "<null>", "0", "low"}, {"198.18.0.9", "198.18.0.9", "error", lost, "<null>", "unknown"}}
	got := db.Query("select ip, title, status, error, score, level from shodan_reputation(array['198.18.0.9', '198.18.0.0']) order by ip")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	want = [][]string{{"198.18.0.9", "198.18.0.9", "error", lost, "<null>"}}
	if diff := cmp.Diff(want, db.Query("select ip, title, status, error, port from shodan_services('{198.18.0.9}')")); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
}

// TestEachSliceIsAskedOnce holds what makes the functions right in Steampipe: each address is asked once, in equal
// slices, and the values are known when the scan begins.
func TestEachSliceIsAskedOnce(t *testing.T) {
	db := install(t)
	hosts(db, "shodanrep", 450)
	db.Exec(`create table rules (id int, cidr_ipv4 cidr);
		insert into rules select n, '198.18.0.0'::inet + n % 450 from generate_series(0, 899) as n;
		insert into rules values (900, '10.0.0.0/8'), (901, null);
		analyze rules`)
	// A nested loop reads the function's rows once for each row of the other side, and must not ask again.
	for plan, settings := range map[string]string{
		"as PostgreSQL likes": "",
		"with nested loops":   "set enable_hashjoin = off; set enable_mergejoin = off; set enable_material = off",
	} {
		t.Run(plan, func(t *testing.T) {
			db.Exec(settings)
			defer db.Exec("reset enable_hashjoin; reset enable_mergejoin; reset enable_material")
			for name, test := range map[string]struct {
				sql  string
				want int
			}{
				"alone":            {"select ip from shodan_reputation(array(select cidr_ipv4 from rules order by id))", 451},
				"in a join":        {"select r.id from rules as r join shodan_reputation(array(select cidr_ipv4 from rules order by id)) as s on s.ip = r.cidr_ipv4", 901},
				"in a left join":   {"select r.id from rules as r left join shodan_reputation(array(select cidr_ipv4 from rules order by id)) as s on s.ip = r.cidr_ipv4", 902},
				"with a condition": {"select r.id from rules as r join shodan_reputation(array(select cidr_ipv4 from rules order by id)) as s on s.ip = r.cidr_ipv4 and s.score >= 100", 700},
			} {
				t.Run(name, func(t *testing.T) {
					db.RemoteQueries()
					if got := db.Query(test.sql); len(got) != test.want {
						t.Errorf("%d rows, want %d", len(got), test.want)
					}
					asked := db.RemoteQueries()
					if len(asked) != 3 {
						t.Fatalf("%d questions, want 3", len(asked))
					}
					for i, size := range []int{150, 150, 150} {
						var want []string
						for n := range size {
							n += 150 * i
							want = append(want, fmt.Sprintf("198.18.%d.%d", n/256, n%256))
						}
						if _, got, _ := strings.Cut(asked[i], " WHERE "); got != "((ip = ANY ('{"+strings.Join(want, ",")+"}'::inet[])))" {
							t.Errorf("question %d is %.300s", i, got)
						}
					}
				})
			}
		})
	}
}

func TestThePlanCollectsTheAddressesFirst(t *testing.T) {
	db := install(t)
	db.Exec("create table rules (cidr_ipv4 cidr)")
	var plan strings.Builder
	for _, line := range db.Query("explain (costs off) select * from rules as r join shodan_reputation(array(select cidr_ipv4 from rules)) as s on s.ip = r.cidr_ipv4") {
		plan.WriteString(line[0] + "\n")
	}
	// Either as a scan of the function for cidr[], or of that for text[] with which PostgreSQL replaces it.
	if !regexp.MustCompile(`(?s)InitPlan 1.*Seq Scan on rules`).MatchString(plan.String()) || strings.Count(plan.String(), "Function Scan on shodan_reputation") != 1 {
		t.Errorf("the plan is\n%s", plan.String())
	}
}

func TestTheTablesAreFoundInTheSchemaOfTheirConnection(t *testing.T) {
	db := install(t)
	for _, schema := range []string{"shodanrep_work", `"Odd name"`} {
		db.CreateForeignTable(schema, "shodan_ip_reputation", resultOf(db, "shodan_reputation(text[])"))
		hosts(db, schema, 1)
	}
	find := func() string {
		rows, err := postgrestest.QueryText(t, db.Conn(), "select count(*) from shodan_reputation(array['198.18.0.0']) where status = 'indexed'")
		if err != nil {
			return err.Error()
		}
		return rows[0][0]
	}
	for _, step := range []struct{ sql, want string }{
		{"select", "0"}, // in shodanrep
		{"set search_path = public, shodanrep_work", "1"},
		{"set search_path = public", `ERROR: there is no table shodan_ip_reputation of the plugin in the search path public (SQLSTATE 42P01)`},
		{"set shodanrep.schema = 'shodanrep_work'", "1"},
		{"set shodanrep.schema = 'Odd name'", "1"},
		{"set shodanrep.schema = 'shodanrep'", "0"},
		{"set shodanrep.schema = 'nowhere'", `ERROR: there is no table shodan_ip_reputation of the plugin in the schema nowhere (SQLSTATE 42P01)`},
		{"reset shodanrep.schema; alter function shodan_table(text) set search_path = shodanrep_work", "1"},
		{"set search_path = shodanrep; alter function public.shodan_table(text) reset search_path; set search_path = public, shodanrep", "0"},
	} {
		db.Exec(step.sql)
		if got := find(); got != step.want {
			t.Errorf("after %s: %s, want %s", step.sql, got, step.want)
		}
	}
}

// TestAnotherPluginsTableIsNotTaken is about the plugin shodan, which comes first in Steampipe's search path.
func TestAnotherPluginsTableIsNotTaken(t *testing.T) {
	db := install(t)
	db.ExecRemote("insert into shodanrep.shodan_service (ip, status, port) values ('198.18.0.1', 'indexed', 22)")
	db.CreateForeignTable("shodan", "shodan_service", "port bigint, name text")
	db.Exec("set search_path = public, shodan, shodanrep")
	if got := db.Query("select port from shodan_services('{198.18.0.1}')"); len(got) != 1 || got[0][0] != "22" {
		t.Errorf("%q", got)
	}
}

// TestTheFunctionsWorkFromOutsideTheirSchema is about a search path, such as that of a dashboard, that the functions
// themselves are not in.
func TestTheFunctionsWorkFromOutsideTheirSchema(t *testing.T) {
	db := install(t)
	hosts(db, "shodanrep", 2)
	db.Exec("set search_path = shodanrep")
	for _, list := range []string{"array['198.18.0.0', 'x']", "'{198.18.0.0,198.18.0.0/16}'::inet[]", "'{198.18.0.0/32,198.18.0.0/16}'::cidr[]"} {
		if got := db.Query("select ip from public.shodan_reputation(" + list + ")"); len(got) != 2 {
			t.Errorf("%s: %q", list, got)
		}
	}
}

// TestTheTablesCanBeMadeAnew is what Steampipe does at each start.
func TestTheTablesCanBeMadeAnew(t *testing.T) {
	db := install(t)
	hosts(db, "shodanrep", 1)
	db.Exec("create view watched as select * from shodan_reputation(array['198.18.0.0'])")
	for _, more := range []string{"", ", new_column text"} {
		db.Exec("drop schema shodanrep cascade")
		db.ExecRemote("drop table if exists shodanrep.shodan_ip_reputation")
		db.CreateForeignTable("shodanrep", "shodan_ip_reputation", resultOf(db, "shodan_reputation(text[])")+more)
		hosts(db, "shodanrep", 1)
		if got := db.Query("select ip, status from watched"); len(got) != 1 || got[0][1] != "indexed" {
			t.Errorf("%q", got)
		}
		if asked := db.RemoteQueries(); len(asked) != 1 || strings.Contains(asked[0], "new_column") {
			t.Errorf("asked %q", asked)
		}
	}
}

func TestInstallingAgain(t *testing.T) {
	db := install(t)
	t.Run("keeps what depends on the functions", func(t *testing.T) {
		db.Exec("create view watched as select ip, level from shodan_reputation(array['198.18.0.0'])")
		db.RunFile(functions)
		db.Exec("drop view watched")
	})
	t.Run("replaces functions with other columns", func(t *testing.T) {
		want := resultOf(db, "shodan_reputation(text[])")
		db.Exec("drop function shodan_reputation(text[]); create function shodan_reputation(addresses text[]) returns table (ip inet) language sql as 'select null::inet'")
		db.RunFile(functions)
		if got := resultOf(db, "shodan_reputation(text[])"); got != want {
			t.Errorf("the columns are %s", got)
		}
	})
}

// TestTheFunctionsSayWhatTheTableSays holds the rows that the functions make themselves to those of the plugin.
func TestTheFunctionsSayWhatTheTableSays(t *testing.T) {
	t.Setenv("SHODANREP_CACHE_DIR", t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	db := install(t)
	texts := []string{"x", "", "198.51.100.7x", `a "quoted" \ text`, "203.0.113.0/24", "2001:db8::/32", "198.51.100.7/33", "example.com", "198.51.100.7%eth0", "fe80::1%"}
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = "'" + text + "'"
	}
	list := strings.Join(quoted, ", ")
	// Not ip: SQLite's column can hold a text that is no address, and PostgreSQL's cannot.
	const columns = "title, status, coalesce(error, '<null>'), level, coalesce(score, -1)"
	var stdout, stderr bytes.Buffer
	sql := "select " + columns + " from shodan_ip_reputation where ip in (" + list + ")"
	if status := cli.Main([]string{"query", "--config", "shodanrep.spc", "--output", "csv", sql}, strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	table, err := csv.NewReader(&stdout).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	said := map[string][]string{}
	for _, row := range table[1:] {
		said[row[0]] = row
	}
	for _, row := range db.Query("select " + columns + " from shodan_reputation(array[" + list + "])") {
		if diff := cmp.Diff(said[row[0]], row); diff != "" {
			t.Errorf("the table (-) and the function (+) differ: %s", diff)
		}
		delete(said, row[0])
	}
	if len(said) > 0 {
		t.Errorf("the function has no row of %q", said)
	}
}

func TestAZoneIsNoPartOfAnAddress(t *testing.T) {
	db := install(t)
	for text, want := range map[string]string{"fe80::1%eth0": "fe80::1", " 2001:db8::7%1\n": "2001:db8::7", "::ffff:198.51.100.7%eth0": "::ffff:198.51.100.7"} {
		if rows := db.Query("select host(shodan_inet($1))", text); len(rows) != 1 || rows[0][0] != want {
			t.Errorf("%q: %v, want %s", text, rows, want)
		}
	}
}

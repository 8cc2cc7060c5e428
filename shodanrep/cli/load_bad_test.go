package cli

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/load"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
)

func TestLoadIsToldWhatIsWrong(t *testing.T) {
	db := postgrestest.New(t)
	db.Exec("create schema other; create view seen as select inet '192.0.2.1' as ip; create table notes (id int, text text)")
	to := []string{"--to", db.URL()}
	guarded := db.GuardedURL()
	const usage = "\nRun 'shodanrep load --help' for usage.\n"
	const notAnURL = "--to: not a connection string of PostgreSQL: use postgres://USER@HOST:PORT/DATABASE, in which special characters are written as %40 for @ and so on" + usage
	missing := filepath.Join(t.TempDir(), "missing")
	withPassword := func(password string) string {
		return strings.Replace(guarded, "guarded@", url.UserPassword("guarded", password).String()+"@", 1)
	}
	t.Setenv("PGPASSFILE", missing)
	for name, tt := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"no database":           {[]string{"192.0.2.1"}, exitUsage, "load needs a database: --to postgres://USER@HOST/DATABASE" + usage},
		"another URL":           {[]string{"--to", "mysql://root:secret@localhost/x", "192.0.2.1"}, exitUsage, notAnURL},
		"a name":                {[]string{"--to", "security", "192.0.2.1"}, exitUsage, notAnURL},
		"a password with a /":   {[]string{"--to", "postgres://guarded:sec/ret@localhost/x", "192.0.2.1"}, exitUsage, notAnURL},
		"a missing certificate": {[]string{"--to", "postgres://guarded:secret@localhost/x?sslmode=verify-full&sslrootcert=" + missing, "192.0.2.1"}, exitUsage, "names a file that cannot be read: open " + missing + ": no such file"},
		"a bad name":            {append(to, "--table", "a.b.c", "192.0.2.1"), exitUsage, `--table: "a.b.c" is not the name of a table: use NAME or SCHEMA.NAME, of letters, digits and _` + usage},
		"a bad age":             {append(to, "--max-age", "-1h", "192.0.2.1"), exitUsage, "--max-age must not be negative, as -1h0m0s is" + usage},
		"an interval too short": {append(to, "--watch", "0s", "192.0.2.1"), exitUsage, "--watch must be at least 1s, not 0s" + usage},
		"standard input again":  {append(to, "--watch", "1h"), exitUsage, "--watch reads its inputs again each time, which standard input does not allow: name files or use --from-query" + usage},
		"an end of a watch":     {append(to, "--watch", "1h", "--fail-on", "high", "192.0.2.1"), exitUsage, "--watch and --fail-on exclude each other: --watch ends only when it is interrupted" + usage},
		"an empty query":        {append(to, "--from-query", ""), exitUsage, "--from-query needs a query, such as 'select distinct src_ip from flows'" + usage},
		"a missing file":        {append(to, missing), exitFailed, missing + ": no such file, and not an address\n"},

		"no server":        {[]string{"--to", "postgres://analyst:secret@127.0.0.1:1/x?connect_timeout=300", "192.0.2.1"}, exitFailed, "cannot connect to PostgreSQL on 127.0.0.1:1, database x, as analyst: dial tcp 127.0.0.1:1: connect: connection refused\n"},
		"no database here": {[]string{"--to", strings.Replace(db.URL(), "/test", "/nonesuch", 1), "192.0.2.1"}, exitFailed, `does not exist`},
		"a wrong password": {[]string{"--to", withPassword("secret"), "192.0.2.1"}, exitFailed, "as guarded: password authentication failed for user \"guarded\": set the password in PGPASSWORD or in ~/.pgpass\n"},
		"no right to create": {[]string{"--to", withPassword(postgrestest.Password), "--table", "fresh", "192.0.2.1"}, exitFailed, "shodanrep: the role guarded may not create the tables public.fresh and public.fresh_queue (permission denied for schema public): " +
			"let a role that may run what shodanrep load --print-sql --table public.fresh prints, and grant select, insert, update, delete on both\n"},
		"a read-only server": {[]string{"--to", db.URL() + "&options=-c%20default_transaction_read_only%3Don", "192.0.2.1"}, exitFailed, "connect to the primary server, where rows can be written\n"},
		"no such schema":     {append(to, "--table", "nowhere.reputation", "192.0.2.1"), exitFailed, `there is no schema nowhere: create it with create schema "nowhere"` + "\n"},
		"a view":             {append(to, "--table", "seen", "192.0.2.1"), exitFailed, "public.seen is not a table but another kind of relation, such as a view: choose another name with --table\n"},
		"another table": {append(to, "--table", "notes", "192.0.2.1"), exitFailed,
			"the table public.notes exists, and is not one that shodanrep load created (the column ip (inet) is missing, and "},

		"a query with an error":     {append(to, "--from-query", "select ip fro flows"), exitFailed, "--from-query: PostgreSQL: syntax error at or near \"flows\"\n"},
		"a query of no table":       {append(to, "--from-query", "select ip from flows"), exitFailed, "--from-query: PostgreSQL: relation \"flows\" does not exist\n"},
		"two columns":               {append(to, "--from-query", "select 1 as a, 2 as b"), exitFailed, "--from-query: the query must return one column of addresses, and returns 2 (a, b): select the one with the addresses\n"},
		"two statements":            {append(to, "--from-query", "select 1; select 2"), exitFailed, "--from-query: PostgreSQL: cannot insert multiple commands into a prepared statement\n"},
		"no column":                 {append(to, "--from-query", "do $$ begin end $$"), exitFailed, "--from-query: the query must return one column of addresses, and returns none\n"},
		"a query that creates":      {append(to, "--from-query", "create table x ()"), exitFailed, "--from-query: cannot execute CREATE TABLE in a read-only transaction: the query may only read\n"},
		"a query that writes":       {append(to, "--from-query", "insert into notes values (1) returning text"), exitFailed, "--from-query: cannot execute INSERT in a read-only transaction: the query may only read\n"},
		"numbers":                   {append(to, "--from-query", "select 7 as n"), exitFailed, "--from-query: the column n has the type int4: select a column of the type inet, cidr or text\n"},
		"a query that fails later":  {append(to, "--from-query", "select '192.0.2.' || 4 / (3 - i) from generate_series(1, 3) as i"), exitFailed, "--from-query: PostgreSQL: division by zero\n"},
		"texts that are not":        {append(to, "--from-query", "values ('192.0.2.1'), ('example.com'), (null), ('192.0.2.300')"), exitFailed, "shodanrep: not an address in the result of --from-query: \"example.com\" and 1 more\n"},
		"a policy that there isn't": {append(to, "--policy", "extendd", "192.0.2.1"), exitFailed, "extendd"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runLoad(t, sampleConnection, "", tt.args...)
			if got.status != tt.status || got.stdout != "" || !strings.HasSuffix(got.stderr, tt.stderr) && !strings.Contains(got.stderr, strings.TrimSuffix(tt.stderr, "\n")) {
				t.Errorf("got %+v, want status %d and %q", got, tt.status, tt.stderr)
			}
			for _, secret := range []string{"secret", "sec/ret", ":sec", postgrestest.Password} {
				if strings.Contains(got.stderr, secret) {
					t.Errorf("the password is shown: %s", got.stderr)
				}
			}
			if strings.Count(got.stderr, "\n") > 4 {
				t.Errorf("a long message: %s", got.stderr)
			}
		})
	}
	// The value that is an address is loaded all the same.
	if rows := db.Query("select ip, status from reputation"); len(rows) != 1 || rows[0][0] != "192.0.2.1" {
		t.Errorf("the table has %q", rows)
	}
}

func TestATableWithOtherColumnsIsMendedByWhatTheErrorSays(t *testing.T) {
	db := postgrestest.New(t)
	db.Exec(load.CreateSQL(load.Name{Table: "reputation"}))
	db.Exec(`alter table reputation drop column tags, drop constraint reputation_pkey, alter column score type text, add column owner text not null`)
	got := runLoad(t, sampleConnection, "", "--to", db.URL(), "192.0.2.1")
	_, mend, found := strings.Cut(strings.TrimSpace(got.stderr), "Mend it with: ")
	mend, _, _ = strings.Cut(mend, "; or choose another name with --table")
	if got.status != exitFailed || !found {
		t.Fatalf("got %+v", got)
	}
	for _, want := range []string{
		"the table public.reputation exists, and load cannot write to it: ", "the column tags (text[]) is missing", "the column score has the type text and not bigint",
		"the column owner must have a value, which load does not know", "there is no primary key or unique index on exactly ip",
	} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("%q lacks %q", got.stderr, want)
		}
	}
	db.Exec(mend)
	if got := runLoad(t, sampleConnection, "", "--to", db.URL(), "192.0.2.1"); got.status != exitDone {
		t.Errorf("after %s: %+v", mend, got)
	}
}

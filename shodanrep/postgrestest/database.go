package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

const (
	// analyst is the role of the tests. It owns its database and is not a superuser.
	analyst = "analyst"
	// guarded is a role that needs a password, and may only connect.
	guarded = "guarded"
	// Password is that role's.
	Password = "correct horse/battery:staple@1"
)

// A Database is a new database for a test, with a second one in the place of the services: a foreign table of the first
// is an ordinary table of the second, the remote database. So its scans are those of a foreign table, and their queries
// are in the server's log.
type Database struct {
	t      testing.TB
	server *server
	name   string
	read   int // how much of the log RemoteQueries has read
	admin  *pgx.Conn
	remote *pgx.Conn
	// Conn is the connection of an ordinary user.
	Conn *pgx.Conn
}

// New makes a database for a test. The first call starts the server. Without PostgreSQL the test is skipped. Tests that
// use RemoteQueries must not run in parallel, because they share the server's log.
func New(t testing.TB) *Database {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = start() })
	if shared.err == errNotInstalled {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return newDatabase(t, shared.server)
}

// NewServer is New with a server of its own, which Stop and Restart affect.
func NewServer(t testing.TB) *Database {
	t.Helper()
	s, err := start()
	if err == errNotInstalled {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return newDatabase(t, s)
}

func newDatabase(t testing.TB, s *server) *Database {
	t.Helper()
	s.mu.Lock()
	s.databases++
	db := &Database{t: t, server: s, name: fmt.Sprintf("test%d", s.databases)}
	s.mu.Unlock()

	boot := db.connect(superuser, superuser)
	for _, role := range []string{analyst + " login", guarded + " login password '" + Password + "'"} {
		execute(t, boot, "do $$ begin create role "+role+"; exception when duplicate_object or unique_violation then null; end $$")
	}
	execute(t, boot, "create database "+db.name+" owner "+analyst)
	execute(t, boot, "create database "+db.remoteName())
	db.admin, db.remote, db.Conn = db.connect(superuser, db.name), db.connect(superuser, db.remoteName()), db.connect(analyst, db.name)
	execute(t, db.admin, fmt.Sprintf(`
		create extension postgres_fdw;
		create server services foreign data wrapper postgres_fdw options (host '%s', dbname '%s', application_name '%s');
		create user mapping for %s server services options (user '%s', password_required 'false');
		grant usage on foreign server services to %[4]s`,
		s.folder, db.remoteName(), db.foreignName(), analyst, superuser))
	return db
}

func (db *Database) remoteName() string  { return db.name + "_remote" }
func (db *Database) foreignName() string { return db.name + "_foreign" }

func (db *Database) connect(role, database string) *pgx.Conn {
	db.t.Helper()
	conn, err := pgx.Connect(db.t.Context(), db.server.address(role, database))
	if err != nil {
		db.t.Fatal(err)
	}
	db.t.Cleanup(func() { conn.Close(context.Background()) }) // the test's own context has ended by then
	return conn
}

// CreateForeignTable creates a foreign table in a schema, and its table in the remote database. The columns are in the
// form of create table.
func (db *Database) CreateForeignTable(schema, table, columns string) {
	db.t.Helper()
	execute(db.t, db.remote, fmt.Sprintf("create schema if not exists %[1]s; create table %[1]s.%[2]s (%[3]s)", schema, table, columns))
	execute(db.t, db.Conn, fmt.Sprintf("create schema if not exists %[1]s; create foreign table %[1]s.%[2]s (%[3]s) server services options (schema_name '%[4]s')",
		schema, table, columns, strings.Trim(schema, `"`)))
}

// ExecRemote runs statements in the remote database.
func (db *Database) ExecRemote(sql string) {
	db.t.Helper()
	execute(db.t, db.remote, sql)
}

// Exec runs statements as the ordinary user.
func (db *Database) Exec(sql string) {
	db.t.Helper()
	execute(db.t, db.Conn, sql)
}

// ExecAdmin runs statements as a superuser.
func (db *Database) ExecAdmin(sql string) {
	db.t.Helper()
	execute(db.t, db.admin, sql)
}

func execute(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// Environ returns the environment variables for a command to find the programs of PostgreSQL and the database.
func (db *Database) Environ() []string {
	return []string{
		"PATH=" + db.server.programs + string(os.PathListSeparator) + os.Getenv("PATH"),
		"PGHOST=" + db.server.folder, "PGUSER=" + analyst, "PGDATABASE=" + db.name, "PSQLRC=/dev/null",
	}
}

// Name returns the name of the database.
func (db *Database) Name() string { return db.name }

// URL returns the address of the database for the ordinary user.
func (db *Database) URL() string {
	return "postgres://" + analyst + "@/" + db.name + "?host=" + url.QueryEscape(db.server.folder)
}

// GuardedURL returns the connection string for the role that needs a [Password], without it.
func (db *Database) GuardedURL() string { return strings.Replace(db.URL(), analyst, guarded, 1) }

// Stop stops the server of NewServer, which ends all connections.
func (db *Database) Stop() { db.server.halt() }

// Restart starts the server of NewServer again, and connects to it again.
func (db *Database) Restart() {
	db.t.Helper()
	if err := db.server.launch(); err != nil {
		db.t.Fatal(err)
	}
	db.Conn = db.connect(analyst, db.name)
}

// RunFile runs a file of SQL with psql, as the ordinary user.
func (db *Database) RunFile(path string) {
	db.t.Helper()
	cmd := exec.Command(filepath.Join(db.server.programs, "psql"), "--quiet", "--set", "ON_ERROR_STOP=1", "--file", path)
	cmd.Env = append(os.Environ(), db.Environ()...)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		db.t.Fatalf("psql --file %s: %v: %s", path, err, out)
	}
}

// Query returns the rows of a query in PostgreSQL's text form. Null is "<null>".
func (db *Database) Query(sql string, args ...any) [][]string {
	db.t.Helper()
	rows, err := QueryText(db.t, db.Conn, sql, args...)
	if err != nil {
		db.t.Fatalf("%v\n%s", err, sql)
	}
	return rows
}

// QueryText is like Query, and returns the error.
func QueryText(t testing.TB, conn *pgx.Conn, sql string, args ...any) (found [][]string, err error) {
	rows, err := conn.Query(t.Context(), sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var row []string
		for _, value := range rows.RawValues() {
			if value == nil {
				row = append(row, "<null>")
			} else {
				row = append(row, string(value))
			}
		}
		found = append(found, row)
	}
	return found, rows.Err()
}

// The start of a record in the server's log, and the end of the application's name in it.
const recordStart, nameEnd = "\x1e", "\x1f"

var (
	declared = regexp.MustCompile(`(?s)(?:statement|execute [^:]*): DECLARE c\d+ CURSOR FOR\s+(.*)`)
	detail   = regexp.MustCompile(`(?s)^DETAIL:\s+(?:p|P)arameters: (.*)`)
)

// RemoteQueries returns the queries that the foreign tables have sent since the last call, in order, with their
// parameters.
func (db *Database) RemoteQueries() []string {
	db.t.Helper()
	text, err := os.ReadFile(db.server.log())
	if err != nil {
		db.t.Fatal(err)
	}
	records := strings.Split(string(text[db.read:]), recordStart)
	db.read = len(text)
	var queries []string
	for _, record := range records {
		name, message, _ := strings.Cut(record, nameEnd)
		if name != db.foreignName() {
			continue
		}
		if m := declared.FindStringSubmatch(message); m != nil {
			queries = append(queries, strings.TrimSpace(m[1]))
		} else if m := detail.FindStringSubmatch(message); m != nil && len(queries) > 0 {
			queries[len(queries)-1] += " -- " + strings.TrimSpace(m[1])
		}
	}
	return queries
}

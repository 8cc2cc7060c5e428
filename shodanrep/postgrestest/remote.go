package postgrestest

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The remote database stands in the place of the services: a foreign table of a test's database is an ordinary table of
// the remote one. So its scans are those of a foreign table, and their queries are in the server's log.

// remoteConn returns a connection to the remote database, which is empty at the first call of a test. All tests of a
// server use the same one, so only one at a time can.
func (db *Database) remoteConn() *pgx.Conn {
	db.t.Helper()
	if db.remote != nil {
		return db.remote
	}
	remote, err := db.server.acquireRemote(db.t.Context())
	if err != nil {
		db.t.Fatal(err)
	}
	db.t.Cleanup(func() {
		if err := db.server.releaseRemote(context.Background()); err != nil {
			db.t.Error(err)
		}
	})
	db.ExecAdmin(fmt.Sprintf(`
		create extension postgres_fdw;
		create server services foreign data wrapper postgres_fdw options (host '%s', dbname '%s', application_name '%s');
		create user mapping for %s server services options (user '%s', password_required 'false');
		grant usage on foreign server services to %[4]s`,
		db.server.folder, remote.Config().Database, db.foreignName(), analyst, superuser))
	db.remote = remote
	return remote
}

func (db *Database) foreignName() string { return db.name + "_foreign" }

// CreateForeignTable creates a foreign table in a schema, and its table in the remote database. The columns are in the
// form of create table.
func (db *Database) CreateForeignTable(schema, table, columns string) {
	db.t.Helper()
	execute(db.t, db.remoteConn(), fmt.Sprintf("create schema if not exists %[1]s; create table %[1]s.%[2]s (%[3]s)", schema, table, columns))
	execute(db.t, db.Conn(), fmt.Sprintf("create schema if not exists %[1]s; create foreign table %[1]s.%[2]s (%[3]s) server services options (schema_name '%[4]s')",
		schema, table, columns, strings.Trim(schema, `"`)))
}

// ExecRemote runs statements in the remote database.
func (db *Database) ExecRemote(sql string) {
	db.t.Helper()
	execute(db.t, db.remoteConn(), sql)
}

// The start of a record in the server's log, and the end of the application's name in it.
const recordStart, nameEnd = "\x1e", "\x1f"

var (
	declared = regexp.MustCompile(`(?s)(?:statement|execute [^:]*): DECLARE c\d+ CURSOR FOR\s+(.*)`)
	detail   = regexp.MustCompile(`(?s)^DETAIL:\s+(?:p|P)arameters: (.*)`)
)

// RemoteQueries returns the queries that the foreign tables have sent since the last call, in order, with their
// parameters. Tests that use it must not run in parallel, because they share the server's log.
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

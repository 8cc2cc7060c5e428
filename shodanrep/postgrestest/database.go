package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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

// A Database is a new database for a test.
type Database struct {
	t      testing.TB
	server *server
	name   string
	remote *pgx.Conn // to the remote database, once the test has it
	read   int       // how much of the log RemoteQueries has read

	mu          sync.Mutex
	connections map[string]*pgx.Conn // by role, once they are needed
}

// New makes a database for a test. The first call starts the server. Without PostgreSQL the test is skipped.
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

// NewIn is New with a database in another encoding than UTF8, such as LATIN1.
func NewIn(t testing.TB, encoding string) *Database {
	t.Helper()
	s := New(t).server
	return newDatabase(t, s, " template template0 encoding '"+encoding+"'")
}

// newDatabase makes a database, with further options of "create database".
func newDatabase(t testing.TB, s *server, options ...string) *Database {
	t.Helper()
	name, err := s.createDatabase(t.Context(), analyst, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.dropDatabase(name) })
	return &Database{t: t, server: s, name: name, connections: map[string]*pgx.Conn{}}
}

// Conn returns the connection of the ordinary user. The first call connects.
func (db *Database) Conn() *pgx.Conn {
	db.t.Helper()
	return db.connection(analyst)
}

// connection returns the connection of a role. The first call connects, because many tests need none.
func (db *Database) connection(role string) *pgx.Conn {
	db.t.Helper()
	db.mu.Lock()
	defer db.mu.Unlock()
	if conn := db.connections[role]; conn != nil {
		return conn
	}
	conn, err := pgx.Connect(db.t.Context(), db.server.address(role, db.name))
	if err != nil {
		db.t.Fatal(err)
	}
	db.t.Cleanup(func() { conn.Close(context.Background()) }) // the test's own context has ended by then
	db.connections[role] = conn
	return conn
}

// Exec runs statements as the ordinary user.
func (db *Database) Exec(sql string) {
	db.t.Helper()
	execute(db.t, db.Conn(), sql)
}

// ExecAdmin runs statements as a superuser.
func (db *Database) ExecAdmin(sql string) {
	db.t.Helper()
	execute(db.t, db.connection(superuser), sql)
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

// URL returns the address of the database for the ordinary user. A program that uses it waits for a connection as long as
// the tests do: on a busy machine, the server may need longer than a user would wait.
func (db *Database) URL() string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s&connect_timeout=%d", analyst, db.name, url.QueryEscape(db.server.folder), int(timeout.Seconds()))
}

// GuardedURL returns the connection string for the role that needs a [Password], without it.
func (db *Database) GuardedURL() string { return strings.Replace(db.URL(), analyst, guarded, 1) }

// Stop stops the server of NewServer, which ends all connections.
func (db *Database) Stop() { db.server.halt() }

// Restart starts the server of NewServer again. [Database.Conn] connects to it again.
func (db *Database) Restart() {
	db.t.Helper()
	if err := db.server.launch(); err != nil {
		db.t.Fatal(err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	clear(db.connections)
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
	rows, err := QueryText(db.t, db.Conn(), sql, args...)
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

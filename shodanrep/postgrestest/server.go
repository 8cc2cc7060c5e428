// Package postgrestest starts a PostgreSQL server for tests on a Unix socket, with databases in which the tables of the
// plugin and of cloud plugins are foreign tables, as in Steampipe.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
)

// timeout is the maximum duration of every operation. It is long enough for a busy machine.
const timeout = 5 * time.Minute

// superuser is the initial role of the server. Tests use it as little as possible.
const superuser = "postgres"

var errNotInstalled = errors.New("needs the programs of PostgreSQL: apt-get install postgresql (make test does)")

// A server is a running PostgreSQL.
type server struct {
	programs string
	folder   string
	account  *account // to run it as, or nil
	cmd      *exec.Cmd

	mu         sync.Mutex
	admin      *pgx.Conn // of the superuser
	strategy   string    // of "create database"
	databases  int
	remote     *pgx.Conn // to the remote database, see remote.go, once there is one
	remoteUsed bool      // by a test
}

// shared is the server of this test process.
var shared struct {
	once   sync.Once
	server *server
	err    error
}

// Run runs the tests of a package, for its TestMain, and stops the server if one of them started it.
func Run(m *testing.M) int {
	defer func() {
		if shared.server != nil {
			shared.server.stop()
		}
	}()
	return m.Run()
}

// start makes a data folder and starts a server on it.
func start() (*server, error) {
	programs, err := programs()
	if err != nil {
		return nil, err
	}
	s := &server{programs: programs}
	if s.account, err = unprivileged(); err != nil {
		return nil, err
	}
	// Not the folder of a test: the path of a socket may have only about a hundred bytes.
	s.folder, err = os.MkdirTemp(memoryFolder(), "postgres")
	if err != nil { // memory may be for others only
		s.folder, err = os.MkdirTemp("", "postgres")
	}
	if err != nil {
		return nil, err
	}
	if s.account != nil {
		if err := os.Chown(s.folder, s.account.uid, s.account.gid); err != nil {
			return nil, s.fail(err)
		}
	}
	initdb := s.command("initdb", "--pgdata", "data", "--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, s.fail(fmt.Errorf("initdb: %w: %s", err, out))
	}
	rules := filepath.Join(s.folder, "data", "pg_hba.conf")
	standard, err := os.ReadFile(rules)
	if err == nil {
		err = os.WriteFile(rules, append([]byte("local all "+guarded+" scram-sha-256\n"), standard...), 0o600)
	}
	if err == nil {
		err = s.launch()
	}
	if err == nil {
		err = s.prepare(context.Background())
	}
	if err != nil {
		return nil, s.fail(err)
	}
	return s, nil
}

// prepare connects as the superuser, and creates the roles of the tests.
func (s *server) prepare(ctx context.Context) (err error) {
	if s.admin, err = pgx.Connect(ctx, s.address(superuser, superuser)); err != nil {
		return err
	}
	if _, err := s.admin.PgConn().Exec(ctx, "create role "+analyst+" login; create role "+guarded+" login password '"+Password+"'").ReadAll(); err != nil {
		return err
	}
	// From version 15 on, PostgreSQL writes new databases through its log if it is not told to copy their files, which
	// takes half as long.
	return s.admin.QueryRow(ctx, "select case when current_setting('server_version_num')::int >= 150000 then ' strategy file_copy' else '' end").Scan(&s.strategy)
}

// createDatabase creates a database, and returns its name.
func (s *server) createDatabase(ctx context.Context, owner string, options ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.createNext(ctx, owner, options...)
}

// createNext is createDatabase for a caller that holds the mutex.
func (s *server) createNext(ctx context.Context, owner string, options ...string) (string, error) {
	s.databases++
	name := fmt.Sprintf("test%d", s.databases)
	_, err := s.admin.PgConn().Exec(ctx, "create database "+name+" owner "+owner+s.strategy+strings.Join(options, "")).ReadAll()
	return name, err
}

// dropDatabase deletes a database, so that the data folder stays small. A server that a test has stopped keeps it.
func (s *server) dropDatabase(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.admin.PgConn().Exec(context.Background(), "drop database "+name+" with (force)").ReadAll()
}

// acquireRemote returns the connection to the remote database, which no other test gets until releaseRemote.
func (s *server) acquireRemote(ctx context.Context) (*pgx.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.remoteUsed {
		return nil, errors.New("another test has foreign tables: tests that have must not run in parallel")
	}
	if s.remote == nil {
		name, err := s.createNext(ctx, superuser)
		if err != nil {
			return nil, err
		}
		if s.remote, err = pgx.Connect(ctx, s.address(superuser, name)); err != nil {
			return nil, err
		}
	}
	s.remoteUsed = true
	return s.remote, nil
}

// releaseRemote empties the remote database for the next test.
func (s *server) releaseRemote(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remoteUsed = false
	_, err := s.remote.PgConn().Exec(ctx, `do $$ declare name text; begin
		for name in select nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public') loop
			execute format('drop schema %I cascade', name);
		end loop;
	end $$`).ReadAll()
	return err
}

// command returns a command that runs one of PostgreSQL's programs.
func (s *server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.programs, name), args...)
	cmd.Dir = s.folder
	if s.account != nil {
		runAs(cmd, *s.account)
	}
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	return cmd
}

// launch starts the server and waits until it accepts connections. It listens only on a socket in its folder, and does
// not sync files, because nothing must survive a crash of the machine, and its log has no more than it needs itself. It
// does not compile queries: without statistics it takes them all for expensive, and compiles for longer than they run. It
// starts no process that looks for deleted rows, because the databases are gone before that is of use.
func (s *server) launch() error {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = s.command("postgres", "-D", "data", "-k", s.folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off",
		"-c", "synchronous_commit=off", "-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "jit=off", "-c", "autovacuum=off",
		"-c", "log_statement=all", "-c", "log_line_prefix="+recordStart+"%a"+nameEnd, "-c", "timezone=UTC",
		"-c", fmt.Sprintf("statement_timeout=%d", timeout.Milliseconds()))
	s.cmd.Stderr = log
	processtest.EndWithTests(s.cmd, syscall.SIGINT)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(timeout); ; time.Sleep(10 * time.Millisecond) {
		conn, err := pgx.Connect(context.Background(), s.address(superuser, superuser))
		if err == nil {
			conn.Close(context.Background())
			return nil
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(s.log())
			return fmt.Errorf("postgres does not accept connections: %w: %s", err, log)
		}
	}
}

// fail cleans up after a failed start.
func (s *server) fail(err error) error {
	s.stop()
	return err
}

// stop ends the server without writing what it still has in memory, and deletes its data.
func (s *server) stop() {
	s.end(syscall.SIGQUIT)
	os.RemoveAll(s.folder)
}

// halt ends the server and its connections. Its data stay.
func (s *server) halt() { s.end(syscall.SIGINT) }

// end ends the server by a signal that ends its connections as well.
func (s *server) end(signal syscall.Signal) {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	s.cmd.Process.Signal(signal)
	kill := time.AfterFunc(timeout, func() { s.cmd.Process.Signal(syscall.SIGQUIT) })
	s.cmd.Wait()
	kill.Stop()
	s.cmd = nil
}

func (s *server) log() string { return filepath.Join(s.folder, "log") }

func (s *server) address(role, database string) string {
	return fmt.Sprintf("host=%s user=%s dbname=%s connect_timeout=%d", s.folder, role, database, int(timeout.Seconds()))
}

// programs returns the folder of the newest installed server. Debian has a folder per version, which is not in PATH.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
			return n
		}
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNotInstalled
	}
	return filepath.Dir(path), nil
}

// account is a user of this machine.
type account struct{ uid, gid int }

// unprivileged returns the user to run the server as if the tests run as root, which PostgreSQL refuses. Otherwise it
// returns nil.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &account{int(uid), int(gid)}, nil
	}
	return nil, errors.New("there is no user postgres or nobody to run PostgreSQL as")
}

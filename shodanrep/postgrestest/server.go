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
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// timeout is the maximum duration of every operation. It is long enough for a busy machine.
const timeout = 30 * time.Second

// superuser is the initial role of the server. Tests use it as little as possible.
const superuser = "postgres"

var errNotInstalled = errors.New("needs the programs of PostgreSQL: apt-get install postgresql (make test does)")

// A server is a running PostgreSQL.
type server struct {
	programs  string
	folder    string
	cmd       *exec.Cmd
	databases int
	mu        sync.Mutex
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

// start makes a data folder and starts a server on it. The server listens only on a socket in that folder, and does not
// sync files, because nothing must survive a crash.
func start() (*server, error) {
	programs, err := programs()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// Not the folder of a test: the path of a socket may have only about a hundred bytes.
	folder, err := os.MkdirTemp("", "postgres")
	if err != nil {
		return nil, err
	}
	s := &server{programs: programs, folder: folder}
	if who != nil {
		if err := os.Chown(folder, who.uid, who.gid); err != nil {
			return nil, s.fail(err)
		}
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(programs, name), args...)
		cmd.Dir = folder
		if who != nil {
			runAs(cmd, *who)
		}
		cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		return cmd
	}
	initdb := run("initdb", "--pgdata", "data", "--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, s.fail(fmt.Errorf("initdb: %w: %s", err, out))
	}
	log, err := os.Create(s.log())
	if err != nil {
		return nil, s.fail(err)
	}
	defer log.Close()
	s.cmd = run("postgres", "-D", "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off",
		"-c", "log_statement=all", "-c", "log_line_prefix="+recordStart+"%a"+nameEnd, "-c", "timezone=UTC",
		"-c", fmt.Sprintf("statement_timeout=%d", timeout.Milliseconds()))
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return nil, s.fail(err)
	}
	for end := time.Now().Add(timeout); ; time.Sleep(10 * time.Millisecond) {
		conn, err := pgx.Connect(context.Background(), s.address(superuser, superuser))
		if err == nil {
			conn.Close(context.Background())
			return s, nil
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(s.log())
			return nil, s.fail(fmt.Errorf("postgres does not accept connections: %w: %s", err, log))
		}
	}
}

// fail cleans up after a failed start.
func (s *server) fail(err error) error {
	s.stop()
	return err
}

func (s *server) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		s.cmd.Process.Signal(syscall.SIGINT) // ends the connections as well
		kill := time.AfterFunc(timeout, func() { s.cmd.Process.Signal(syscall.SIGQUIT) })
		s.cmd.Wait()
		kill.Stop()
	}
	os.RemoveAll(s.folder)
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

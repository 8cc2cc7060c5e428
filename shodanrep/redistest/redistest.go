// Package redistest starts Redis servers for tests.
package redistest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
)

// timeout is how long the clients of a test wait for Redis. It is long enough for a busy machine, on which a client that
// waits for some seconds takes a Redis that works to be away.
const timeout = 5 * time.Minute

// A Server is a Redis server of a test.
type Server struct {
	port, password string
	dir            string
	cmd            *exec.Cmd
}

// The servers' ports. Linux gives those from 32768 to whoever asks for any, others those from 49152.
const lowestPort, highestPort = 15000, 32768

// Start starts a server that keeps nothing on disk, and stops it when the test ends. The password may be empty. Where
// there is no redis-server the test is skipped.
func Start(t testing.TB, password string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs the program redis-server: apt-get install redis-server (make test does)")
	}
	s := &Server{password: password, dir: t.TempDir()}
	t.Cleanup(s.Kill)
	// The port is below those that a system gives to whoever asks for any. Otherwise another test could be given it while
	// the server is killed. A port that is taken in this moment is not one that Redis can use.
	for range 20 {
		s.port = strconv.Itoa(lowestPort + rand.IntN(highestPort-lowestPort))
		l, err := net.Listen("tcp", "127.0.0.1:"+s.port)
		if err != nil {
			continue
		}
		l.Close()
		if s.Restart(t) {
			return s
		}
	}
	t.Fatal("redis-server does not start")
	return nil
}

// Restart runs a server that was killed on its port again, without what it held, and reports whether it answers.
func (s *Server) Restart(t testing.TB) bool {
	t.Helper()
	conf := fmt.Sprintf("port %s\nbind 127.0.0.1\nsave \"\"\nappendonly no\ndir %s\n", s.port, s.dir)
	if s.password != "" {
		conf += "requirepass " + s.password + "\n"
	}
	path := filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command("redis-server", path)
	processtest.EndWithTests(s.cmd, syscall.SIGKILL)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := s.Client()
	defer client.Close()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if client.Ping(t.Context()).Err() == nil {
			return true
		}
	}
	s.Kill()
	return false
}

// Kill stops the server at once.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// Port returns the server's port.
func (s *Server) Port() string { return s.port }

// Address returns the server's redis:// address. A client that uses it waits as long as those of the tests.
func (s *Server) Address() string {
	user := ""
	if s.password != "" {
		user = ":" + s.password + "@"
	}
	return s.AddressAs(user)
}

// AddressAs is the address with another user and password, such as ":password@", or without.
func (s *Server) AddressAs(user string) string {
	return fmt.Sprintf("redis://%s127.0.0.1:%s/0?dial_timeout=%[3]v&read_timeout=%[3]v&write_timeout=%[3]v", user, s.port, timeout)
}

// Client returns a client of the server. The caller closes it.
func (s *Server) Client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: "127.0.0.1:" + s.port, Password: s.password, DialerRetries: 1,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout,
	})
}

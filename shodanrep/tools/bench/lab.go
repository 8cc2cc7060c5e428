//go:build unix

package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A lab is what measurements work with: the binary that is measured, and a folder for files.
type lab struct {
	binary string
	dir    string
	files  atomic.Int64
}

// path returns a file name that is not taken.
func (l *lab) path(ending string) string {
	return filepath.Join(l.dir, fmt.Sprintf("%d%s", l.files.Add(1), ending))
}

// write makes a file of lines.
func (l *lab) write(ending string, lines ...string) (string, error) {
	path := l.path(ending)
	return path, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// list makes a CSV file of addresses, with the column ip.
func (l *lab) list(addrs []netip.Addr) (string, error) {
	lines := []string{"ip"}
	for _, addr := range addrs {
		lines = append(lines, addr.String())
	}
	return l.write(".csv", lines...)
}

// environment is this process's, without what would change how the measured ones behave.
func (l *lab) environment() []string {
	environment := []string{"XDG_CACHE_HOME=" + l.dir}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SHODAN") && !strings.HasPrefix(variable, "STEAMPIPE_") && !strings.HasPrefix(variable, "XDG_CACHE_HOME=") {
			environment = append(environment, variable)
		}
	}
	return environment
}

// A service is a simulator on a port of this process, which is another one than those that are measured.
type service struct {
	*shodantest.Simulator
	server *http.Server
	url    string
}

// simulate starts a simulator. The caller must close it.
func simulate(opts ...shodantest.Option) (*service, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{Simulator: shodantest.NewHandler(opts...), url: "http://" + listener.Addr().String()}
	s.server = &http.Server{Handler: s.Simulator, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(listener) }()
	return s, nil
}

func (s *service) close() { _ = s.server.Close() }

// internetDB is a connection that has only InternetDB, and whose pace is lifted unless arguments say otherwise.
func (s *service) internetDB(arguments ...string) []string {
	return append([]string{fmt.Sprintf("internetdb_url = %q", s.url+shodantest.InternetDBPath), `source = "internetdb"`}, arguments...)
}

// rest is a connection that has only the REST API.
func (s *service) rest(arguments ...string) []string {
	return append([]string{fmt.Sprintf("api_url = %q", s.url+shodantest.APIPath), fmt.Sprintf("api_key = %q", shodantest.Key), `source = "shodan"`}, arguments...)
}

// refused is how many requests were answered 429.
func (s *service) refused() int {
	n := 0
	for _, r := range s.Requests() {
		if r.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// The arguments that lift InternetDB's limits.
const (
	noPace      = "internetdb_requests_per_second = 1000000"
	concurrency = 100
)

var lifted = []string{noPace, fmt.Sprintf("max_concurrency = %d", concurrency)}

// A result is what one process of the binary took and printed.
type result struct {
	wall time.Duration // from its start to its end
	cpu  time.Duration // user and system
	peak int64         // bytes of memory at its highest
	rows [][]string
}

// columns are those that measured queries select: what one would want to see of a list.
const columns = "ip, status, level, score, ports, vuln_count, tags, organization"

// statusColumn is the index of status in columns.
const statusColumn = 1

// query runs the binary as a user does, on the addresses of a CSV file.
func (l *lab) query(connection []string, list string) (result, error) {
	spc, err := l.config(connection)
	if err != nil {
		return result{}, err
	}
	return l.run("query", "--config", spc, "--attach", "list="+list, "--output", "csv", "select "+columns+" from shodan_ip_reputation where ip in (select ip from list)")
}

// config makes a configuration file of a connection.
func (l *lab) config(connection []string) (string, error) {
	return l.write(".spc", append(append([]string{`connection "shodanrep" {`, `  plugin = "shodanrep"`}, connection...), "}")...)
}

// run runs the binary. What it prints goes to a file, so that it need not wait for this process to read.
func (l *lab) run(args ...string) (result, error) {
	out, err := os.Create(l.path(".out"))
	if err != nil {
		return result{}, err
	}
	defer out.Close()
	var stderr bytes.Buffer
	cmd := exec.Command(l.binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = l.environment(), out, &stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- watchMemory(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	r := result{wall: time.Since(begun), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	close(ended)
	r.peak = <-peak
	if err != nil || stderr.Len() > 0 {
		return r, fmt.Errorf("%s: %w: %s", filepath.Base(l.binary), err, stderr.String())
	}
	if _, err = out.Seek(0, 0); err == nil {
		r.rows, err = csv.NewReader(out).ReadAll()
	}
	if err == nil {
		r.rows = r.rows[min(1, len(r.rows)):] // the first names the columns
	}
	return r, err
}

// want returns an error unless there is a row with the status for each of n addresses.
func (r result) want(n int, status string) error {
	got := 0
	for _, row := range r.rows {
		if row[statusColumn] == status {
			got++
		}
	}
	if got != n || len(r.rows) != n {
		return fmt.Errorf("%d rows, of which %d are %s, of %d addresses", len(r.rows), got, status, n)
	}
	return nil
}

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
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/tools/peakmemory"
)

// A bench is what measurements use: the binary to measure, and a folder for files.
type bench struct {
	binary string
	dir    string
	files  atomic.Int64
}

// path returns an unused file name.
func (b *bench) path(ending string) string {
	return filepath.Join(b.dir, fmt.Sprintf("%d%s", b.files.Add(1), ending))
}

// write writes a file of lines.
func (b *bench) write(ending string, lines ...string) (string, error) {
	path := b.path(ending)
	return path, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// list writes a CSV file of addresses, with the column ip.
func (b *bench) list(addrs []netip.Addr) (string, error) {
	lines := []string{"ip"}
	for _, addr := range addrs {
		lines = append(lines, addr.String())
	}
	return b.write(".csv", lines...)
}

// environment is this process's environment without variables that change how the measured processes behave.
func (b *bench) environment() []string {
	environment := []string{"XDG_CACHE_HOME=" + b.dir, "XDG_DATA_HOME=" + b.dir}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SHODAN") && !strings.HasPrefix(variable, "STEAMPIPE_") && !strings.HasPrefix(variable, "XDG_") {
			environment = append(environment, variable)
		}
	}
	return environment
}

// A service is a simulator in this process. The measured processes are other ones.
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

// internetDB is a connection with only InternetDB.
func (s *service) internetDB(arguments ...string) []string {
	return append([]string{fmt.Sprintf("internetdb_url = %q", s.url+shodantest.InternetDBPath), `source = "internetdb"`}, arguments...)
}

// rest is a connection with only the REST API.
func (s *service) rest(arguments ...string) []string {
	return append([]string{fmt.Sprintf("api_url = %q", s.url+shodantest.APIPath), fmt.Sprintf("api_key = %q", shodantest.Key), `source = "shodan"`}, arguments...)
}

// refused is how many requests got the status 429.
func (s *service) refused() int {
	n := 0
	for _, r := range s.Requests() {
		if r.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// The arguments that disable InternetDB's rate limit.
const (
	noRateLimit = "internetdb_requests_per_second = 1000000"
	concurrency = 100
)

var lifted = []string{noRateLimit, fmt.Sprintf("max_concurrency = %d", concurrency)}

// A result is what a process of the binary used and printed.
type result struct {
	wall time.Duration // from its start to its end
	cpu  time.Duration // user and system
	peak int64         // bytes of memory at its highest
	rows [][]string
}

// columns are the columns that measured queries select.
const columns = "ip, status, level, score, ports, vuln_count, tags, organization"

// statusColumn is the index of status in columns.
const statusColumn = 1

// query runs the query command on the addresses of a CSV file.
func (b *bench) query(connection []string, list string) (result, error) {
	return b.queryFor(columns, connection, list)
}

// queryFor is query for other columns.
func (b *bench) queryFor(columns string, connection []string, list string) (result, error) {
	spc, err := b.config(connection)
	if err != nil {
		return result{}, err
	}
	return b.run("query", "--config", spc, "--attach", "list="+list, "--output", "csv", "select "+columns+" from shodan_ip_reputation where ip in (select ip from list)")
}

// config writes a configuration file with a connection.
func (b *bench) config(connection []string) (string, error) {
	return b.write(".spc", append(append([]string{`connection "shodanrep" {`, `  plugin = "shodanrep"`}, connection...), "}")...)
}

// run runs the binary, and reads its rows.
func (b *bench) run(args ...string) (result, error) {
	r, out, err := b.runToFile(args...)
	if err != nil {
		return r, err
	}
	defer out.Close()
	if r.rows, err = csv.NewReader(out).ReadAll(); err == nil {
		r.rows = r.rows[min(1, len(r.rows)):] // the first names the columns
	}
	return r, err
}

// runToFile runs the binary. Its output goes to a file, so that it does not wait for this process to read. The caller
// must close the file.
func (b *bench) runToFile(args ...string) (r result, _ *os.File, err error) {
	out, err := os.Create(b.path(".out"))
	if err != nil {
		return result{}, nil, err
	}
	defer func() {
		if err != nil {
			out.Close()
		}
	}()
	var stderr bytes.Buffer
	cmd := exec.Command(b.binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = b.environment(), out, &stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, nil, err
	}
	peak := peakmemory.Watch(cmd.Process.Pid)
	err = cmd.Wait()
	r = result{wall: time.Since(begun), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	r.peak = peak()
	switch {
	case err != nil:
		return r, nil, fmt.Errorf("%s: %w: %s", filepath.Base(b.binary), err, stderr.String())
	case stderr.Len() > 0:
		return r, nil, fmt.Errorf("%s: %s", filepath.Base(b.binary), stderr.String())
	}
	_, err = out.Seek(0, 0)
	return r, out, err
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

// wantRows returns an error where there are not so many rows.
func (r result) wantRows(n int) error {
	if len(r.rows) != n {
		return fmt.Errorf("%d rows, want %d", len(r.rows), n)
	}
	return nil
}

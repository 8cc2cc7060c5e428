package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/redistest"
	_ "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sdktest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// asCommand makes the test binary the command itself, so that tests can run several real processes of it.
const asCommand = "SHODANREP_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(processtest.RunInTempDir(func(dir string) int {
		// No API key of the developer's own, which Shodan's command line may keep, gets into a test.
		os.Setenv("HOME", dir)
		os.Setenv("XDG_CONFIG_HOME", dir)
		// Nor a cache, a history or rate limits of their own processes.
		os.Setenv("SHODANREP_CACHE_DIR", dir)
		os.Setenv("XDG_DATA_HOME", dir)
		os.Setenv("SHODAN_API_KEY", "")
		return postgrestest.Run(m)
	}))
}

// runProcesses runs the same query in several processes at once and returns what each printed.
func runProcesses(t *testing.T, n int, connection, sql string) []string {
	t.Helper()
	spc := filepath.Join(t.TempDir(), "test.spc")
	if err := os.WriteFile(spc, []byte("connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n"+shodantest.Patient(connection)+"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	outputs := make([]string, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			cmd := exec.Command(os.Args[0], "query", "--config", spc, "--output", "csv", sql)
			cmd.Env = append(os.Environ(), asCommand+"=1")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			output, err := cmd.Output()
			if err != nil {
				t.Errorf("process %d: %v: %s", i, err, stderr.String())
			}
			outputs[i] = string(output)
		})
	}
	group.Wait()
	return outputs
}

func TestSeveralProcessesWithOneRedisAskOnceAndKeepOnePace(t *testing.T) {
	t.Parallel()
	const processes, addresses, perSecond = 4, 16, 8
	address := redistest.Start(t, "").Address()
	sim := shodantest.New(t)
	sim.Generate(addresses)
	var ips []string
	for i := range addresses {
		ips = append(ips, fmt.Sprintf("'11.0.0.%d'", i+1))
	}
	connection := fmt.Sprintf("api_url = %q\napi_key = %q\nsource = \"shodan\"\nbulk_lookup = \"off\"\nrequests_per_second = %d\ncache = %q", sim.APIURL(), shodantest.Key, perSecond, address)
	sql := "select count(*) as n, sum(score) as score from shodan_ip_reputation where status = 'indexed' and ip in (" + strings.Join(ips, ", ") + ")"
	began := time.Now()
	outputs := runProcesses(t, processes, connection, sql)
	took := time.Since(began)
	for i, output := range outputs {
		if output != outputs[0] || !strings.HasPrefix(output, fmt.Sprintf("n,score\n%d,", addresses)) {
			t.Errorf("process %d printed %q, the first %q", i, output, outputs[0])
		}
	}
	if n := sim.Count(""); n != addresses {
		t.Errorf("%d requests for %d addresses that %d processes asked for", n, addresses, processes)
	}
	// Processes that do not share the rate send all sixteen in half a second. When the requests arrive says nothing, as some
	// do so late on a busy machine.
	if took < (addresses-1)*time.Second/perSecond {
		t.Errorf("%d requests at %d a second took %v", addresses, perSecond, took)
	}
}

func TestSeveralProcessesWithOneCacheFile(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	sim.Generate(300)
	path := filepath.Join(t.TempDir(), "cache.sqlite")
	var ips []string
	for i := range 250 {
		ips = append(ips, fmt.Sprintf("'11.0.0.%d'", i+1))
	}
	connection := fmt.Sprintf("internetdb_url = %q\ninternetdb_requests_per_second = 10000\ncache = %q", sim.InternetDBURL(), path)
	sql := "select count(*) as n from shodan_ip_reputation where status = 'indexed' and ip in (" + strings.Join(ips, ", ") + ")"
	for round, want := range []int{1, 0} {
		before := sim.Count("")
		for i, output := range runProcesses(t, 3, connection, sql) {
			if output != "n\n250\n" {
				t.Errorf("round %d: process %d printed %q", round, i, output)
			}
		}
		if asked := sim.Count("") - before; (asked > 0) != (want > 0) {
			t.Errorf("round %d: %d requests", round, asked)
		}
	}
}

func TestABanIsKnownToTheNextProcess(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t, shodantest.WithRateLimit(shodantest.InternetDB, 0.0001, 1), shodantest.WithBan(1, time.Hour))
	sim.Generate(10)
	path := filepath.Join(t.TempDir(), "cache.sqlite")
	connection := fmt.Sprintf("internetdb_url = %q\ncache = %q", sim.InternetDBURL(), path)
	sql := "select ip, status, error from shodan_ip_reputation where ip in ('11.0.0.1', '11.0.0.2', '11.0.0.3') order by status"
	output := runProcesses(t, 1, connection, sql)[0]
	if strings.Count(output, "InternetDB refuses further requests as too many: no request is sent before ") != 2 {
		t.Fatalf("%s", output)
	}
	before := sim.Count("")
	if output := runProcesses(t, 1, connection, sql)[0]; strings.Count(output, "no request is sent before ") != 2 || sim.Count("") != before {
		t.Errorf("%d further requests: %s", sim.Count("")-before, output)
	}
}

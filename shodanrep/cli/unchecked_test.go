package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// unreachable is a connection to a port without a server.
const unreachable = "internetdb_url = \"http://127.0.0.1:9\"\ncache = \"memory\"\nhistory_store = \"off\"\ntimeout = \"100ms\"\n"

func TestFailOnIsNotCleanIfEveryLookupFailed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	for name, tt := range map[string]struct {
		stdin  string
		args   []string
		status int
		stderr string
	}{
		"check":                    {"8.8.8.8 10.0.0.1", []string{"check", "--only", "low", "--fail-on", "low"}, exitFailed, errUnchecked.Error()},
		"quietly":                  {"8.8.8.8", []string{"check", "--quiet", "--fail-on", "high"}, exitFailed, "shodanrep: " + errUnchecked.Error() + "\n"},
		"an address alone":         {"", []string{"8.8.8.8", "--fail-on", "high"}, exitFailed, errUnchecked.Error()},
		"report":                   {"8.8.8.8", []string{"report", "-o", file, "--fail-on", "high"}, exitFailed, errUnchecked.Error()},
		"annotate":                 {"8.8.8.8\n8.8.4.4\n", []string{"annotate", "--fail-on", "high"}, exitFailed, errUnchecked.Error()},
		"without --fail-on":        {"8.8.8.8", []string{"check"}, exitDone, "1 of 1 address could not be checked"},
		"a log without --fail-on":  {"8.8.8.8\n8.8.4.4\n", []string{"annotate"}, exitDone, "2 of 2 addresses could not be checked"},
		"error among the words":    {"8.8.8.8", []string{"check", "--fail-on", "high,error"}, exitFound, "1 with the status error"},
		"reserved addresses alone": {"10.0.0.1 192.168.0.0/24", []string{"check", "--fail-on", "high"}, exitDone, ""},
		"a query for a check": {"", []string{"query", "--fail-on", "high", "select level from shodan_ip_reputation where ip in ('8.8.8.8', '8.8.4.4')"},
			exitFailed, errUnchecked.Error()},
		"a query for rows": {"", []string{"query", "select ip, status from shodan_ip_reputation where ip = '8.8.8.8'"}, exitDone, "1 of 1 address could not be checked"},
	} {
		got := runCheck(t, unreachable, tt.stdin, tt.args...)
		if got.status != tt.status || !strings.Contains(got.stderr, tt.stderr) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the page, which says what could not be checked: %v", err)
	}
}

func TestOneAnswerIsEnoughForTheExitStatus(t *testing.T) {
	sim := shodantest.New(t)
	addrs := sim.Generate(2)
	sim.Fault(shodantest.Fault{Target: addrs[1].String(), Status: 400, Body: `{"error": "Invalid IP"}`})
	connection := fmt.Sprintf("internetdb_url = %q\ncache = \"memory\"\nhistory_store = \"off\"\n", sim.InternetDBURL())
	for _, command := range []string{"check", "annotate"} {
		got := runCheck(t, connection, fmt.Sprintf("%v\n%v\n", addrs[0], addrs[1]), command, "--fail-on", "not_indexed")
		if got.status != exitDone || !strings.Contains(got.stderr, "1 of 2 addresses could not be checked") {
			t.Errorf("%s: %+v", command, got)
		}
	}
}

func TestALoadThatChecksNothingFails(t *testing.T) {
	db := postgrestest.New(t)
	got := runLoad(t, unreachable, "8.8.8.8 10.0.0.1", "--to", db.URL(), "--fail-on", "high")
	if got.status != exitFailed || !strings.Contains(got.stderr, errUnchecked.Error()) {
		t.Errorf("%+v", got)
	}
	if got := db.Query("select count(*) from reputation where status = 'error'"); got[0][0] != "1" {
		t.Errorf("%v", got)
	}

	// With --watch the next round may succeed.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config := writeFile(t, "load.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+unreachable+"}\n")
	stderr := writerFunc(func(text []byte) (int, error) {
		if bytes.Contains(text, []byte(errUnchecked.Error())) {
			cancel()
		}
		return len(text), nil
	})
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: stderr}
	if status := a.run(ctx, []string{"load", "--config", config, "--to", db.URL(), "--watch", "1h", "--refresh", "8.8.8.8"}); status != exitInterrupted {
		t.Errorf("exit status %d", status)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// patience is how long a test waits for an event. It is long enough for a busy machine.
const patience = 5 * time.Minute

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// addressList is the first addresses that a simulator generates.
func addressList(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "11.0.%d.%d\n", (i+1)/256, (i+1)%256)
	}
	return b.String()
}

// A loader is a process that loads.
type loader struct {
	*exec.Cmd
	stderr bytes.Buffer
}

// startLoader starts "shodanrep load" as a process, which shares no rate limit with others, as on a machine of its own.
func startLoader(t *testing.T, db *postgrestest.Database, connection, input string) *loader {
	t.Helper()
	config := writeFile(t, "load.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+shodantest.Patient(connection)+"}\n")
	l := &loader{Cmd: exec.Command(os.Args[0], "load", "--config", config, "--to", db.URL(), input)}
	l.Env = append(os.Environ(), asCommand+"=1", "SHODANREP_CACHE_DIR="+t.TempDir())
	l.Stderr = &l.stderr
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Process.Kill() })
	return l
}

func TestThreeProcessesLookUpEachAddressOnceWhenOneIsKilled(t *testing.T) {
	t.Parallel()
	const addresses = 700
	// The first process has a service of its own: one that hangs for a time would answer what is sent after it.
	db, sim, silent := postgrestest.New(t), shodantest.New(t), shodantest.New(t)
	sim.Generate(addresses)
	silent.Fault(shodantest.Fault{Kind: shodantest.Hang})
	input := writeFile(t, "addresses.txt", addressList(addresses))
	rows := func() string { return db.Query("select count(*) from reputation")[0][0] }

	// The first process claims twice a hundred addresses, and waits for the service.
	killed := startLoader(t, db, uncached(silent)+"timeout = \"5m\"\n", input)
	waitFor(t, "the first process claims addresses and sends requests", func() bool {
		if silent.Count("") == 0 {
			return false
		}
		return db.Query("select count(*) from (select from reputation_queue for update skip locked) as free")[0][0] == fmt.Sprint(addresses-200)
	})
	others := []*loader{startLoader(t, db, uncached(sim), input), startLoader(t, db, uncached(sim), input)}
	waitFor(t, "the others look up what is not claimed", func() bool { return rows() == fmt.Sprint(addresses-200) })
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	for i, other := range others {
		if err := other.Wait(); err != nil || !strings.Contains(other.stderr.String(), "shodanrep: 700 addresses in the table public.reputation by the policy extended: ") {
			t.Errorf("process %d: %v, %s", i, err, other.stderr.String())
		}
	}
	if n := rows(); n != fmt.Sprint(addresses) {
		t.Errorf("%s rows of %d addresses", n, addresses)
	}
	if left := db.Query("select ip, status from reputation where status <> 'indexed'"); len(left) > 0 {
		t.Errorf("not looked up: %q", left)
	}
	if left := db.Query("select * from reputation_queue"); len(left) > 0 {
		t.Errorf("in the queue: %q", left)
	}
	answered, hung := map[string]int{}, len(silent.Requests())
	for _, r := range sim.Requests() {
		if r.Status == http.StatusOK {
			answered[r.Target]++
		} else {
			t.Errorf("%s was answered with status %d", r.Target, r.Status)
		}
	}
	for target, n := range answered {
		if n != 1 {
			t.Errorf("%s was answered %d times", target, n)
		}
	}
	if len(answered) != addresses || hung == 0 {
		t.Errorf("%d of %d addresses were answered, and %d requests of the killed process were not", len(answered), addresses, hung)
	}
}

func TestAnInterruptedLoadKeepsWhatIsDone(t *testing.T) {
	t.Parallel()
	const addresses = 300
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Generate(addresses)
	// After 150 responses the service is silent.
	sim.Fault(shodantest.Fault{Kind: shodantest.Hang, Skip: 150})
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(addressList(addresses)), stdout: &stdout, stderr: &stderr}
	config := writeFile(t, "load.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+shodantest.Patient(uncached(sim))+"}\n") // no lookup may fail before the load is interrupted
	ended := make(chan int)
	go func() { ended <- a.run(ctx, []string{"load", "--config", config, "--to", db.URL()}) }()
	waitFor(t, "the service is silent", func() bool { return sim.Count("") > 150 })
	cancel()
	status := <-ended
	written := db.Query("select count(*) from reputation where status = 'indexed'")[0][0]
	if want := "interrupted: " + written + " rows written: run the same command again to continue\n"; status != exitInterrupted || !strings.HasSuffix(stderr.String(), want) || written == "0" {
		t.Errorf("status %d, %q, %s rows", status, stderr.String(), written)
	}
	if left := db.Query("select count(*) from reputation_queue")[0][0]; left != "0" {
		t.Errorf("%s addresses stay in the queue: the next process would look them up", left)
	}
	before := sim.Count("")
	sim.ClearFaults()
	if got := runLoad(t, uncached(sim), addressList(addresses), "--to", db.URL()); got.status != exitDone {
		t.Fatalf("got %+v", got)
	}
	if n := sim.Count("") - before; fmt.Sprint(addresses-n) != written {
		t.Errorf("%d requests after %s of %d rows were written", n, written, addresses)
	}
}

func TestAnInterruptEndsAWaitForInput(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	a := app{plugin: shodanrep.Plugin, stdin: waiting{cancel}, stdout: &stdout, stderr: &stderr}
	config := writeFile(t, "load.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+sampleConnection+"}\n")
	if status := a.run(ctx, []string{"load", "--config", config, "--to", db.URL()}); status != exitInterrupted || stderr.String() != "shodanrep: interrupted\n" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

func TestALostConnectionLosesNoRow(t *testing.T) {
	t.Parallel()
	const addresses = 300
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Generate(addresses)
	sim.Fault(shodantest.Fault{Kind: shodantest.Hang, Skip: 250})
	connection := uncached(sim) + "timeout = \"5m\"\n"
	ended := make(chan result)
	go func() { ended <- runLoad(t, connection, addressList(addresses), "--to", db.URL()) }()
	waitFor(t, "the service is silent", func() bool { return sim.Count("") > 250 })
	db.Exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'shodanrep load'")
	sim.ClearFaults()
	got := <-ended
	if got.status != exitFailed || !strings.Contains(got.stderr, "shodanrep: the connection to PostgreSQL was lost (") || !strings.HasSuffix(got.stderr, "run the same command again to continue\n") {
		t.Errorf("got %+v", got)
	}
	if got := runLoad(t, connection, addressList(addresses), "--to", db.URL()); got.status != exitDone {
		t.Errorf("got %+v", got)
	}
	if n := db.Query("select count(*) from reputation where status = 'indexed'")[0][0]; n != fmt.Sprint(addresses) {
		t.Errorf("%s rows", n)
	}
}

func TestAWatchGoesOnAfterARestartOfTheServer(t *testing.T) {
	t.Parallel()
	db := postgrestest.NewServer(t)
	db.Exec("create table flows (src_ip inet); insert into flows values ('192.0.2.44')")
	db.Exec("begin; lock table flows")
	ctx, cancel := context.WithCancel(t.Context())
	messages := &lines{each: make(chan string, 100)}
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: messages, stderr: messages}
	config := writeFile(t, "load.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+sampleConnection+"}\n")
	ended := make(chan int)
	go func() {
		ended <- a.run(ctx, []string{"load", "--config", config, "--to", db.URL(), "--from-query", "select src_ip from flows", "--watch", "1s"})
	}()
	// Its first load waits for the table when it loses the connection.
	waitFor(t, "the first load runs its query", func() bool {
		return db.Query("select count(*) from pg_locks where relation = 'flows'::regclass and not granted")[0][0] == "1"
	})
	db.Stop()
	messages.waitFor(t, "the connection to PostgreSQL was lost")
	messages.waitFor(t, "cannot connect to PostgreSQL")
	db.Restart()
	messages.waitFor(t, "1 address in the table public.reputation")
	db.Stop()
	messages.waitFor(t, "cannot connect to PostgreSQL")
	db.Restart()
	db.Exec("insert into flows values ('192.0.2.10')")
	messages.waitFor(t, "2 addresses in the table public.reputation")
	cancel()
	if status := <-ended; status != exitInterrupted {
		t.Errorf("status %d", status)
	}
}

// The addresses that could not be checked are reported by then, and the command is interrupted all the same.
func TestAnInterruptAfterALoadWithUncheckedAddresses(t *testing.T) {
	t.Parallel()
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Fault(shodantest.Fault{Status: http.StatusBadRequest, Body: `{"error": "no"}`})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &cancelingWriter{at: "in the table public.reputation", cancel: cancel}
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: io.Discard, stderr: stderr}
	config := writeFile(t, "load.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+uncached(sim)+"}\n")
	status := a.run(ctx, []string{"load", "--config", config, "--to", db.URL(), "--watch", "1h", "93.10.0.1"})
	if text := stderr.text.String(); status != exitInterrupted || !strings.Contains(text, "1 of 1 address could not be checked") {
		t.Errorf("status %d, %q", status, text)
	}
}

// A cancelingWriter cancels a context when a text is written.
type cancelingWriter struct {
	at     string
	cancel func()
	text   strings.Builder
}

func (w *cancelingWriter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.at) {
		w.cancel()
	}
	return w.text.Write(p)
}

// lines is a stream whose lines a test waits for.
type lines struct{ each chan string }

func (l *lines) Write(p []byte) (int, error) {
	select {
	case l.each <- string(p):
	default:
	}
	return len(p), nil
}

func (l *lines) waitFor(t *testing.T, text string) {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line := <-l.each:
			if strings.Contains(line, text) {
				return
			}
		case <-timeout:
			t.Fatalf("no message %q", text)
		}
	}
}

// Processes that start at the same moment create the table once.
func TestProcessesThatStartAtOnceShareTheWork(t *testing.T) {
	t.Parallel()
	const addresses, processes = 600, 3
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Generate(addresses)
	input := filepath.Join(t.TempDir(), "addresses.txt")
	if err := os.WriteFile(input, []byte(addressList(addresses)), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []*loader
	for range processes {
		all = append(all, startLoader(t, db, uncached(sim), input))
	}
	for i, l := range all {
		if err := l.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, l.stderr.String())
		}
	}
	if n := sim.Count(""); n != addresses {
		t.Errorf("%d requests for %d addresses", n, addresses)
	}
	if n := db.Query("select count(*) from reputation where status = 'indexed'")[0][0]; n != fmt.Sprint(addresses) {
		t.Errorf("%s rows", n)
	}
}

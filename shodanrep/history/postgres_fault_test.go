package history

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// guestURL makes a role that may use the tables that are there now, and create none, and returns its address.
func guestURL(db *postgrestest.Database) string {
	guest := "guest_" + db.Name()
	db.ExecAdmin("create role " + guest + " login; grant all on all tables in schema public to " + guest)
	return strings.Replace(db.URL(), "analyst@", guest+"@", 1)
}

// TestTablesThatAreThereNeedNoRightToMakeThem writes as a role that may not create tables.
func TestTablesThatAreThereNeedNoRightToMakeThem(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	s := openTest(t, Options{Location: db.URL()})
	record1(t, s, addrA, "internetdb", withPorts(t, 80), day(0))
	guest := guestURL(db)
	s = openTest(t, Options{Location: guest})
	record1(t, s, addrA, "internetdb", withPorts(t, 80), day(1))
	if got := states(t, s, Filter{}); len(got) != 1 || got[0].Checks != 2 {
		t.Errorf("%v", shown(got))
	}
	// What is recorded stays although nothing may be deleted.
	db.ExecAdmin(`revoke delete on shodanrep_history from guest_` + db.Name())
	var denied warnings
	s = openTest(t, Options{Location: guest, Logger: denied.logger(), Now: func() time.Time { return time.Now().Add(36 * time.Hour) }})
	for n := range 2 {
		record1(t, s, addrA, "internetdb", withPorts(t, 80), day(float64(2+n)))
	}
	if got := states(t, s, Filter{}); len(got) != 1 || got[0].Checks != 4 {
		t.Errorf("%v", shown(got))
	}
	denied.wantOne(t, notPruned, "permission denied")
	db.Exec("drop table shodanrep_history")
	var w warnings
	s = openTest(t, Options{Location: guest, Logger: w.logger()})
	s.Record(Observation{Addr: addrA, Source: "internetdb", CheckedAt: day(2)})
	if err := s.Flush(t.Context()); err == nil {
		t.Error("a guest made the table")
	}
	w.wantOne(t, "permission denied", "postgres://guest_")
}

// TestStatesAreDeletedByAUserWhoMayNotDeleteFailures has a table of failures that its owner made after the rights were given.
func TestStatesAreDeletedByAUserWhoMayNotDeleteFailures(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	owner := openTest(t, Options{Location: db.URL()})
	record1(t, owner, addrA, "internetdb", withPorts(t, 80), day(0))
	guest := guestURL(db)
	owner.RecordFailure(addrB, "internetdb", "timeout", day(0))
	if err := owner.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var denied warnings
	s := openTest(t, Options{
		Location: guest, Keep: 24 * time.Hour, Logger: denied.logger(),
		Now: func() time.Time { return time.Now().Add(36 * time.Hour) },
	})
	record1(t, s, addrB, "internetdb", withPorts(t, 80), time.Now().Add(36*time.Hour))
	if got := states(t, s, Filter{}); len(got) != 1 || got[0].Addr != addrB {
		t.Errorf("%v", shown(got))
	}
	denied.wantOne(t, "failed lookups are not recorded", "permission denied")
}

// TestACallerThatStopsDoesNotReadTheRestOfATable counts the bytes that come from the server.
func TestACallerThatStopsDoesNotReadTheRestOfATable(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	s := openTest(t, Options{Location: db.URL()})
	record1(t, s, addrA, "internetdb", nil, day(0))
	db.Exec(`insert into shodanrep_history (ip, source, first_checked, last_checked, checks, indexed, summary, facts)
		select '198.51.100.1', 'internetdb', now(), now(), 1, true, 'x', convert_to(repeat('x', 1000), 'UTF8') from generate_series(1, 5000)`)
	config := s.backend.(*postgresBackend).config
	dial, read := config.DialFunc, atomic.Int64{}
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return countingConn{conn, &read}, err
	}
	for state, err := range s.States(t.Context(), Filter{}) {
		if err != nil || state.Addr != addrA {
			t.Fatalf("%v, %v", state, err)
		}
		break
	}
	if n := read.Load(); n == 0 || n > 2<<20 {
		t.Errorf("%d bytes were read of 5 MB", n)
	}
}

// A countingConn counts what is read.
type countingConn struct {
	net.Conn
	read *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// TestADatabaseOfAnotherEncodingHoldsAllFacts records names that LATIN1 lacks. Only the columns for plain SQL lose them.
func TestADatabaseOfAnotherEncodingHoldsAllFacts(t *testing.T) {
	t.Parallel()
	const name = "Telefónica 日本"
	db := postgrestest.NewIn(t, "LATIN1")
	s := openTest(t, Options{Location: db.URL()})
	host, err := shodan.ParseHost([]byte(`{"ip_str": "192.0.2.1", "org": "` + name + `", "ports": [22], "hostnames": ["ü.example"], "data": []}`))
	if err != nil {
		t.Fatal(err)
	}
	s.RecordFailure(addrB, "shodan", "ungültig 日本", day(0))
	record1(t, s, addrA, "shodan", host, day(0))
	record1(t, s, addrA, "shodan", host, day(1))
	if got := states(t, s, Filter{}); len(got) != 1 || got[0].Checks != 2 || string(got[0].Host.Organization) != name {
		t.Errorf("%v", shown(got))
	}
	got := db.Query("select organization, hostnames, reason from shodanrep_history, shodanrep_failure")
	if len(got) != 1 || !slices.Equal(got[0], []string{"Telef?nica ??", "{?.example}", "ung?ltig ??"}) {
		t.Errorf("%q", got)
	}
}

// TestPlainSQLReadsTheTable reads the columns that the docs name.
func TestPlainSQLReadsTheTable(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	s := openTest(t, Options{Location: db.URL()})
	record1(t, s, addrA, "shodan", restHost(t, []int{22, 443}, []int{22, 443}, "AB", 0), day(0))
	record1(t, s, addrC, "internetdb", nil, day(1))
	got := db.Query(`select ip, source, checks, indexed, ports, vulns, tags, organization, asn, country_code, certificates,
		extract(epoch from last_checked - first_checked)::int, last_update is null, facts is null from shodanrep_history order by ip`)
	want := "192.0.2.1 shodan 1 t {22,443} {} {} Example AS64500 NL {ab} 0 f f/2001:db8::1 internetdb 1 f <null> <null> <null> <null> <null> <null> <null> 0 t t"
	var lines []string
	for _, row := range got {
		lines = append(lines, strings.Join(row, " "))
	}
	if text := strings.Join(lines, "/"); text != want {
		t.Errorf("%s, want %s", text, want)
	}
	path := filepath.Join(t.TempDir(), "history.sqlite")
	file := openTest(t, Options{Location: path})
	record1(t, file, addrA, "shodan", restHost(t, []int{22, 443}, []int{22, 443}, "AB", 0), day(0))
	err := file.backend.(*sqliteBackend).do(t.Context(), func(f *sqlitefile.File) error {
		return f.Read(t.Context(), func(c *sqlitefile.Conn) error {
			n, err := c.Number(`SELECT count(*) FROM history WHERE ip = '192.0.2.1' AND ports = '[22,443]' AND vulns = '[]' AND indexed
				AND organization = 'Example' AND certificates = '["ab"]'`)
			if n != 1 {
				t.Errorf("%d rows", n)
			}
			return err
		})
	})
	if err != nil {
		t.Error(err)
	}
}

// TestAServerThatComesBackGetsWhatWasRecorded ends the connection between two batches.
func TestAServerThatComesBackGetsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	s := openTest(t, Options{Location: db.URL()})
	record1(t, s, addrA, "internetdb", nil, day(0))
	db.Exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shodanrep' and datname = current_database()")
	s.Record(Observation{Addr: addrB, Source: "internetdb", CheckedAt: day(1)})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := s.Flush(ctx); err != nil { // the end of the connection may be seen only now
		if err := s.Flush(ctx); err != nil {
			t.Error(err)
		}
	}
	if got := states(t, s, Filter{}); len(got) != 2 {
		t.Errorf("%d states", len(got))
	}
}

// TestLockedTablesHoldNoReaderUp reads while a transaction has the tables locked, as that of a query does which waits for
// the reader: in Steampipe's own database.
func TestLockedTablesHoldNoReaderUp(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	s := openTest(t, Options{Location: db.URL()})
	record1(t, s, addrA, "internetdb", withPorts(t, 80), day(0))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for _, lock := range []string{"lock table shodanrep_history", "lock table shodanrep_history_retention", lockHistory} {
		reader := openTest(t, Options{Location: db.URL()})
		reader.backend.(*postgresBackend).lockTimeout = 50 * time.Millisecond
		db.Exec("begin")
		db.Exec(lock)
		for _, err := range reader.States(ctx, Filter{}) {
			if err == nil || !strings.Contains(err.Error(), "another transaction has locked the tables") {
				t.Errorf("%s: error %v", lock, err)
			}
		}
		db.Exec("rollback")
		if got := states(t, reader, Filter{}); len(got) != 1 {
			t.Errorf("after %s: %d states", lock, len(got))
		}
	}
}

// TestAServerThatDoesNotAnswerHoldsNoProcessUp connects to a server that accepts connections, and says nothing.
func TestAServerThatDoesNotAnswerHoldsNoProcessUp(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	var w warnings
	s := Open(Options{Location: "postgres://user:hunter2@" + silent.Addr().String() + "/db?connect_timeout=3600", Logger: w.logger()})
	s.closeTimeout = closeTimeout // as for users
	s.Record(Observation{Addr: addrA, Source: "internetdb", CheckedAt: day(0)})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Close() // the warning says so
	}()
	select {
	case <-ended:
	case <-time.After(2 * time.Minute): // long after it should have
		t.Fatal("the process waits")
	}
	w.wantOne(t, unusable)
}

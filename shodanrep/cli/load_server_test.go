package cli

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// setDatabase sets a parameter of the server for all sessions of a database.
func setDatabase(db *postgrestest.Database, parameter, value string) {
	db.Exec(fmt.Sprintf("alter database %s set %s = %s", db.Name(), parameter, value))
}

func TestLoadInADatabaseOfAnotherEncoding(t *testing.T) {
	for encoding, want := range map[string][]string{
		"LATIN1":    {"Telef?nica ??", "{?.example}", "13"},
		"SQL_ASCII": {"Telefónica 日本", "{ü.example}", "18"},
	} {
		t.Run(encoding, func(t *testing.T) {
			db, sim := postgrestest.NewIn(t, encoding), shodantest.New(t)
			sim.AddHost(shodantest.Host{IP: "11.0.0.1", Org: "Telefónica 日本", Hostnames: []string{"ü.example"}, Ports: []int{22}})
			// The bytes of a log are not UTF-8.
			db.Exec(`create table log (line text); insert into log values ('11.0.0.1'), ('9')`)
			if encoding == "SQL_ASCII" { // others check each text
				db.Exec(`insert into log values (convert_from('\x31e962', 'SQL_ASCII'))`)
			}
			setDatabase(db, "client_encoding", "'SQL_ASCII'")
			connection := uncached(sim) + "api_key = \"" + shodantest.Key + "\"\n"
			for range 2 { // it finds the row that it wrote
				if got := runLoad(t, connection, "", "--to", db.URL(), "--from-query", "select line from log where line like '1%'"); got.status != exitDone && !strings.Contains(got.stderr, `not an address in the result of --from-query: "1\xe9b"`) {
					t.Fatalf("got %+v", got)
				}
			}
			rows := db.Query("select organization, hostnames, length(organization) from reputation")
			if diff := cmp.Diff([][]string{want}, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Processes share the work also if each statement of a transaction would see the same state of the tables.
func TestProcessesShareTheWorkByAnyDefaultIsolation(t *testing.T) {
	t.Parallel()
	const addresses, processes = 300, 3
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Generate(addresses)
	setDatabase(db, "default_transaction_isolation", "'serializable'")
	var all sync.WaitGroup
	for i := range processes {
		all.Go(func() {
			if got := runLoad(t, uncached(sim), addressList(addresses), "--to", db.URL()); got.status != exitDone {
				t.Errorf("process %d: %+v", i, got)
			}
		})
	}
	all.Wait()
	if n := db.Query("select count(*) from reputation where status = 'indexed'")[0][0]; n != fmt.Sprint(addresses) {
		t.Errorf("%s rows", n)
	}
}

// A server whose clock is set back during a load, and one whose clock was wrong when rows were written.
func TestLoadWithAClockThatIsWrongForAWhile(t *testing.T) {
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Generate(2)
	connection := uncached(sim)
	db.Exec(`create schema fake; create table fake.clock (ahead interval); insert into fake.clock values ('0'); create table flows (ip text);
		create function fake.now() returns timestamptz stable language sql as 'select pg_catalog.now() + ahead from fake.clock';
		create function fake.clock_timestamp() returns timestamptz language sql as 'select pg_catalog.clock_timestamp() + ahead from fake.clock'`)
	setDatabase(db, "search_path", "fake, pg_catalog, public")
	load := func(want int, args ...string) {
		t.Helper()
		before := sim.Count("")
		got := runLoad(t, connection, "", append([]string{"--to", db.URL(), "--table", "public.reputation", "11.0.0.1", "11.0.0.2", "11.0.9.9"}, args...)...)
		if got.status != exitDone || sim.Count("")-before != want {
			t.Errorf("%d requests, not %d: %+v", sim.Count("")-before, want, got)
		}
	}
	db.Exec("update fake.clock set ahead = '10 years'")
	sim.Fault(shodantest.Fault{Target: "11.0.0.2", Status: 400})
	load(3)
	load(3) // by that clock, the data are old
	db.Exec("update fake.clock set ahead = '0'")
	load(3) // rows in the future are not new
	sim.ClearFaults()
	load(1)
	load(0)
	// The clock is set back while the first address is looked up.
	db.Exec(`create function fake.set_back() returns trigger language plpgsql as $$ begin update fake.clock set ahead = '-3 hours'; return null; end $$;
		create trigger set_back after insert or update on public.reputation execute function fake.set_back()`)
	before := sim.Count("")
	got := runLoad(t, connection, "", "--to", db.URL(), "--table", "public.reputation", "--max-age", "0", "11.0.0.1", "11.0.0.2")
	if n := sim.Count("") - before; got.status != exitDone || n > 4 {
		t.Errorf("%d requests for 2 addresses: %+v", n, got)
	}
}

func TestLoadNamesTheRightsThatARoleLacksBeforeItLooksUp(t *testing.T) {
	db, sim := postgrestest.New(t), shodantest.New(t)
	sim.Generate(1)
	runLoad(t, sampleConnection, "", "--to", db.URL(), "192.0.2.44")
	role := "reader_" + db.Name()
	db.ExecAdmin("create role " + role + " login")
	url := strings.Replace(db.URL(), "analyst@", role+"@", 1)
	for _, step := range []struct{ grant, want string }{
		{"select on reputation, reputation_queue", "may not insert, update in the table public.reputation: ask its owner for grant insert, update on public.reputation to " + role},
		{"insert, update on reputation", "may not insert, update, delete in the table public.reputation_queue: ask its owner for grant insert, update, delete on public.reputation_queue to " + role},
		{"insert, update on reputation_queue", "may not delete in the table public.reputation_queue: "},
		{"delete on reputation_queue", ""},
	} {
		db.Exec("grant " + step.grant + " to " + role)
		before := sim.Count("")
		got := runLoad(t, uncached(sim), "", "--to", url, "11.0.0.1")
		if step.want == "" {
			if got.status != exitDone {
				t.Errorf("with all rights: %+v", got)
			}
		} else if got.status != exitFailed || !strings.Contains(got.stderr, step.want) || sim.Count("") != before {
			t.Errorf("after grant %s: %+v", step.grant, got)
		}
	}
}

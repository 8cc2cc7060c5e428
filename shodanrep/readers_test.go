package shodanrep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A readPath is one of the two ways in which the embedded engine reads tables.
type readPath struct {
	name     string
	readers  embedded.Readers
	db       *embedded.DB
	progress *lookup.Progress
	warnings []string
}

// readPaths returns the two paths. The rows, errors and warnings of both must be the same.
func readPaths() []*readPath {
	return []*readPath{{name: "the SDK's server"}, {name: "the readers", readers: scan.ReaderOf}}
}

func (p *readPath) open(t *testing.T, connections []embedded.Connection) {
	t.Helper()
	var err error
	p.db, err = embedded.Open(t.Context(), embedded.Options{
		PluginFunc: shodanrep.Plugin, Readers: p.readers, Connections: connections,
		Warn: func(message string) { p.warnings = append(p.warnings, message) },
		ListContext: func(ctx context.Context, values int) context.Context {
			p.progress.AddTotal(values)
			return scan.WithListLength(lookup.WithProgress(ctx, p.progress), values)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// An outcome is what a statement returns.
type outcome struct {
	Columns  []embedded.Column
	Rows     []string // sorted: a scan has no order
	Err      string
	Warnings []string
	Done     int64 // of the progress
	Failed   int64
}

// query runs statements. Each value has its type. What is in hide is shown only as null or not.
func (p *readPath) query(ctx context.Context, sql string, hide ...string) (o outcome) {
	p.progress, p.warnings = lookup.NewProgress(), nil
	err := p.db.Query(ctx, sql, func(rows *embedded.Rows) error {
		o.Columns = append(o.Columns, rows.Columns()...)
		for first := true; rows.Next(); first = false {
			var b strings.Builder
			for i, v := range rows.Values() {
				if first && v == nil && o.Columns[i].Type == "text" {
					o.Columns[i].Type = anyType
				}
				if raw, ok := v.(json.RawMessage); ok {
					v = "JSON " + string(raw)
				} else if v != nil && slices.Contains(hide, rows.Columns()[i].Name) {
					v = "…"
				}
				fmt.Fprintf(&b, "%s %T %v\n", rows.Columns()[i].Name, v, v)
			}
			o.Rows = append(o.Rows, b.String())
		}
		return rows.Err()
	})
	if err != nil {
		return outcome{Err: err.Error()} // which rows came before it is not said
	}
	slices.Sort(o.Rows)
	state := p.progress.State()
	o.Warnings, o.Done, o.Failed = p.warnings, state.Done, state.Failed
	return o
}

// anyType is the type of a column without a value in the first row. A computed column then has none of its own, and which
// row is the first is not said.
const anyType = "any"

// equalTypes compares the types of columns.
var equalTypes = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Type" },
	cmp.Comparer(func(a, b string) bool { return a == b || a == anyType || b == anyType }))

// tablesWithReaders returns the names of the tables that have a reader.
func tablesWithReaders(t *testing.T) (names []string) {
	for name, table := range schema(t) {
		if scan.ReaderOf(table) != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) < 3 {
		t.Fatalf("only %q have a reader", names)
	}
	return names
}

// The addresses of the queries. Nothing is known of the others that can be on the internet.
const (
	badHost, goodHost, emptyHost = "11.0.0.1", "11.0.0.2", "11.0.0.3"

	addresses = "'11.0.0.1', '11.0.0.2', '11.0.0.3', '11.0.0.9', '10.1.2.3', '11.0.0.0/8', '2001:db8::1', '2a0b::1', 'example.com', '', null"
	// oddAddresses has addresses in several forms.
	oddAddresses = addresses + ", '11.0.0.2/32', '::ffff:11.0.0.2', ' 11.0.0.2 ', '11.0.0.1'"
)

func simulateHosts(t *testing.T, opts ...shodantest.Option) *shodantest.Simulator {
	sim := shodantest.New(t, opts...)
	sim.AddHost(shodantest.Host{
		IP: badHost, Ports: []int{4444, 22, 443, 80}, Tags: []string{"vpn", "c2"}, Vulns: []string{"CVE-2024-1000", "CVE-2024-1001"},
		Hostnames: []string{"bad.example.com", `"quoted", <b>`}, Org: "Example Hosting", ASN: "AS64496",
		LastUpdate: time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC),
	})
	sim.AddHost(shodantest.Host{IP: goodHost, Ports: []int{443, 80}})
	sim.AddHost(shodantest.Host{IP: emptyHost})
	return sim
}

// readsPast reports whether a statement reads the history store.
func readsPast(sql string) bool {
	return strings.Contains(sql, "shodan_reputation_history") || strings.Contains(sql, "shodan_reputation_change")
}

// recordHosts records in a history store what services said of the hosts, and lookups that failed. It returns its path.
func recordHosts(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	store := history.Open(history.Options{Location: path})
	first := time.Now().AddDate(0, 0, -10)
	for i, ports := range []string{"443", "443, 4444", ""} {
		for _, ip := range []string{badHost, goodHost} {
			o := history.Observation{Addr: netip.MustParseAddr(ip), Source: "internetdb", CheckedAt: first.AddDate(0, 0, i)}
			if ip == badHost {
				o.Source = "shodan"
			}
			if ports != "" {
				var err error
				if o.Host, err = shodan.ParseInternetDB([]byte(`{"ip": "` + ip + `", "ports": [` + ports + `], "vulns": [], "tags": [], "hostnames": [], "cpes": []}`)); err != nil {
					t.Fatal(err)
				}
			}
			store.Record(o)
		}
	}
	store.RecordFailure(netip.MustParseAddr(goodHost), "internetdb", "timeout", first.AddDate(0, 0, 5))
	store.RecordFailure(netip.MustParseAddr(emptyHost), "shodan", "bad key", first.AddDate(0, 0, 5))
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// simulated is a connection without a history store: what the two paths look up would change what they read of it.
func simulated(sim *shodantest.Simulator, key, cache string) string {
	return fmt.Sprintf("api_url = %q\ninternetdb_url = %q\ncvedb_url = %q\nexploits_url = %q\napi_key = %q\ncache = %q\n"+
		"history_store = \"off\"\nrequests_per_second = 1000\ninternetdb_requests_per_second = 1000\nbulk_lookup = \"off\"\ndata_files = [\"config/sample/hosts.json.gz\"]\n",
		sim.APIURL(), sim.InternetDBURL(), sim.CVEDBURL(), sim.ExploitsURL(), key, cache)
}

func TestReadersReturnWhatTheServerReturns(t *testing.T) {
	atRoot(t)
	sim := simulateHosts(t)
	config := simulated(sim, shodantest.Key, "memory")
	connections := []embedded.Connection{
		{Name: "keyed", Config: config},
		{Name: "free", Config: simulated(sim, "", "memory") + "source = \"internetdb\"\npolicy = \"extended\"\n"},
		{Name: "refused", Config: simulated(sim, "wrong-key", "memory") + "source = \"shodan\"\n"},
		{Name: "wrong", Config: config + "max_concurrency = -1\n"},
		{Name: "both", Members: []string{"keyed", "free"}},
		{Name: "one_wrong", Members: []string{"keyed", "wrong"}},
	}
	paths := readPaths()
	for _, p := range paths {
		p.open(t, connections)
	}
	// The tables of the history read a store in which nothing is recorded meanwhile.
	past := recordHosts(t)
	for i := range connections {
		connections[i].Config = strings.ReplaceAll(connections[i].Config, "history_store = \"off\"", fmt.Sprintf("history_store = %q", past))
	}
	pathsOfPast := readPaths()
	for _, p := range pathsOfPast {
		p.open(t, connections)
	}
	statements, withRows := 0, 0
	compare := func(t *testing.T, sql string) {
		t.Helper()
		paths := paths
		if readsPast(sql) {
			paths = pathsOfPast
		}
		server, readers := paths[0].query(t.Context(), sql), paths[1].query(t.Context(), sql)
		statements++
		if len(server.Rows) > 0 {
			withRows++
		}
		if diff := cmp.Diff(server, readers, equalTypes); diff != "" {
			t.Errorf("%s: the server's (-) and the readers' (+) differ: %s", sql, diff)
		}
	}
	tables := schema(t)
	for _, name := range tablesWithReaders(t) {
		t.Run(name, func(t *testing.T) {
			all := []string{"ip", "sp_connection_name", "_ctx", "sp_ctx"}
			for _, c := range tables[name].Columns {
				all = append(all, c.Name)
				compare(t, fmt.Sprintf("select %s from %s where ip in (%s)", c.Name, name, oddAddresses))
			}
			everything := strings.Join(all, ", ")
			for _, condition := range []string{
				"ip in (" + oddAddresses + ")",
				"ip = '11.0.0.1'",
				"ip = 'example.com'",
				"ip = null",
				"ip = 7",
				"ip in ()",
				"ip in (select null where false)",
				"ip in ('11.0.0.1', '11.0.0.2') and ip in ('11.0.0.2', '11.0.0.3')",
				"ip = '11.0.0.1' or ip = '11.0.0.2' or ip = '11.0.0.1/32'",
				"ip in ('11.0.0.1', '11.0.0.2') or ip in ('11.0.0.2', '11.0.0.3')",
				"ip like '11.%' and ip in ('11.0.0.1', '192.0.2.80')",
				"ip > '11.0.0.1' and ip in ('11.0.0.1', '192.0.2.80')",
				"title = '11.0.0.1' and ip in ('11.0.0.1', '11.0.0.2')",
				"sp_connection_name = 'keyed' and ip = '11.0.0.1'",
				"sp_connection_name = 'free' and ip = '11.0.0.1'",
				"ip in ('192.0.2.80', '203.0.113.10', '11.0.0.1')",
				"true",
			} {
				compare(t, fmt.Sprintf("select %s from %s where %s", everything, name, condition))
				compare(t, fmt.Sprintf("select count(*), count(ip) from %s where %s", name, condition))
				compare(t, fmt.Sprintf("select ip from %s where %s", name, condition))
				compare(t, fmt.Sprintf("select 1 from free.%s where %s", name, condition))
			}
			for _, condition := range optionalConditions(tables[name].List.KeyColumns.String()) {
				compare(t, fmt.Sprintf("select %s from %s where %s", everything, name, condition))
				compare(t, fmt.Sprintf("select %s from %s where %s and ip in (%s)", everything, name, condition, oddAddresses))
				compare(t, fmt.Sprintf("select %s from %s where %s or ip in ('11.0.0.1', '192.0.2.80')", everything, name, condition))
			}
			for _, connection := range []string{"free", "refused", "wrong", "both", "one_wrong"} {
				compare(t, fmt.Sprintf("select %s from %s.%s where ip in (%s)", everything, connection, name, oddAddresses))
			}
			for _, members := range []string{"= 'keyed'", "= 'free'", "in ('keyed', 'free')", "in ('free', 'nobody')", "= 'nobody'", "<> 'free'", "is null"} {
				compare(t, fmt.Sprintf("select %s from both.%s where ip in ('11.0.0.1', '10.1.2.3') and sp_connection_name %s", everything, name, members))
			}
			compare(t, fmt.Sprintf("select a.ip, b.ip, b.sp_connection_name from %[1]s a join both.%[1]s b on a.ip = b.ip where a.ip in ('11.0.0.1', '11.0.0.3')", name))
			for _, limit := range []string{"0", "1", "2", "3", "1000", "2 offset 1", "1 offset 1000"} {
				// Which rows they are is not said.
				compare(t, fmt.Sprintf("select count(*) from (select * from %s where ip in (%s) limit %s)", name, oddAddresses, limit))
				compare(t, fmt.Sprintf("select * from %s where ip = '11.0.0.9' limit %s", name, limit))
			}
		})
	}
	t.Run("networks", func(t *testing.T) {
		const table = "shodan_network_reputation"
		for networks, valid := range map[string]bool{
			"'11.0.0.0/30'": true, "'11.0.0.0/30', '192.0.2.80/31'": true, "'11.0.0.1', '11.0.0.2/32', '11.0.0.1'": true,
			"'10.0.0.0/30', '2a0b::/126'": true, "": true,
			"'11.0.0.0/8'": false, "'11.0.0.0/30', '11.0.0.0/8'": false, "'11.0.0.0/30', 'example.com'": false, "''": false, "null": false,
		} {
			where := " where network in (" + networks + ")"
			for _, c := range tables[table].Columns {
				compare(t, "select "+c.Name+" from "+table+where)
			}
			compare(t, "select *, sp_connection_name, _ctx from "+table+where)
			compare(t, "select count(*), count(ip) from "+table+where)
			for _, limit := range []string{"0", "1", "3", "5", "1000", "2 offset 1"} {
				compare(t, "select count(*) from (select * from "+table+where+" limit "+limit+")")
			}
			if !valid {
				continue // of two errors, which one the server returns is chance
			}
			for _, connection := range []string{"free", "refused", "wrong", "both", "one_wrong"} {
				compare(t, "select *, sp_connection_name, _ctx from "+connection+"."+table+where)
			}
			for _, condition := range optionalConditions(tables[table].List.KeyColumns.String()) {
				if !strings.HasPrefix(condition, "policy in") { // two List calls of the server look up the same: they may count it twice
					compare(t, "select * from "+table+where+" and "+condition)
				}
			}
		}
	})
	if withRows < 500 {
		t.Errorf("only %d of %d statements have rows", withRows, statements)
	}
}

// optionalConditions returns conditions on the key columns, other than ip, that a table has.
func optionalConditions(keys string) (conditions []string) {
	for column, of := range map[string][]string{
		"source":  {"= 'internetdb'", "= 'shodan'", "= 'dataset'", "in ('dataset', 'internetdb')", "= 'auto'", "= 'nowhere'", "= null"},
		"policy":  {"= 'extended'", "in ('baseline', 'extended')", "in ('baseline', 'nothing')"},
		"history": {"= true", "= false", "in (true, false)", "= 'x'"},
		"minify":  {"= true", "= 0", "in (true, false)"},
	} {
		if strings.Contains(keys, column) {
			for _, condition := range of {
				conditions = append(conditions, column+" "+condition)
			}
		}
	}
	slices.Sort(conditions)
	return conditions
}

func TestReadersSendTheRequestsThatTheServerSends(t *testing.T) {
	atRoot(t)
	paths, sims := readPaths(), []*shodantest.Simulator{}
	for _, p := range paths {
		sim := simulateHosts(t)
		p.open(t, []embedded.Connection{{Name: "keyed", Config: simulated(sim, shodantest.Key, "off")}})
		sims = append(sims, sim)
	}
	for _, name := range tablesWithReaders(t) {
		for _, sql := range []string{
			"select * from %s where ip in (" + addresses + ")",
			"select title from %s where ip in (" + addresses + ")",
			"select count(*) from %s where ip in (" + addresses + ")",
			"select * from %s where ip = '11.0.0.1' limit 1",
			"select * from %s where ip in ('11.0.0.1', '11.0.0.2') and source = 'internetdb'",
			"select * from shodan_network_reputation where network in ('11.0.0.0/29', '11.0.0.8/30')",
			"select * from shodan_network_reputation where network in ('11.0.0.0/30', '11.0.0.9') and source in ('shodan', 'internetdb')",
		} {
			sql := strings.ReplaceAll(sql, "%s", name)
			before := []int{len(sims[0].Requests()), len(sims[1].Requests())}
			var outcomes []outcome
			var requests [][]string
			for i, p := range paths {
				outcomes = append(outcomes, p.query(t.Context(), sql, "checked_at", "fresh_until"))
				requests = append(requests, requestsOf(sims[i].Requests()[before[i]:]))
			}
			if diff := cmp.Diff(outcomes[0], outcomes[1], equalTypes); diff != "" {
				t.Errorf("%s: the server's (-) and the readers' (+) rows differ: %s", sql, diff)
			}
			if diff := cmp.Diff(requests[0], requests[1]); diff != "" {
				t.Errorf("%s: the server's (-) and the readers' (+) requests differ: %s", sql, diff)
			}
		}
	}
}

// requestsOf returns requests as sorted text.
func requestsOf(all []shodantest.Request) (requests []string) {
	for _, r := range all {
		requests = append(requests, fmt.Sprint(r.Service, r.Endpoint, r.Target, r.Status))
	}
	slices.Sort(requests)
	return requests
}

func TestReadersReturnWhatTheExamplesReturn(t *testing.T) {
	atRoot(t)
	connections, err := spcfile.Connections([]string{servicesConfig(t)}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	paths := readPaths()
	for _, p := range paths {
		p.open(t, connections)
		if err := p.db.AttachCSV(rulesTable, sampleRules); err != nil {
			t.Fatal(err)
		}
	}
	documents := pages(t)
	documents["policies"] = read(t, "docs/policies.md")
	compared := 0
	for name, document := range documents {
		for _, b := range blocksIn(document, "sql", "sql+sqlite") {
			for _, sql := range statements(b.text) {
				if !slices.ContainsFunc(tablesWithReaders(t), func(table string) bool { return strings.Contains(sql, table) }) {
					continue
				}
				compared++
				server, readers := paths[0].query(t.Context(), sql), paths[1].query(t.Context(), sql)
				if len(server.Rows) == len(readers.Rows) && (strings.Contains(sql, "limit") || strings.Contains(sql, "group_concat")) {
					server.Rows, readers.Rows = nil, nil // they depend on the order of rows, which is not said
				}
				if diff := cmp.Diff(server, readers, equalTypes); diff != "" {
					t.Errorf("%s, %s: the server's (-) and the readers' (+) differ: %s", name, b.heading, diff)
				}
			}
		}
	}
	if compared < 30 {
		t.Errorf("only %d examples were compared", compared)
	}
}

func TestAQueryThatIsCanceledStopsItsReaders(t *testing.T) {
	atRoot(t)
	for _, name := range tablesWithReaders(t) {
		if readsPast(name) {
			continue // it looks nothing up, so that no lookup can be waited for
		}
		for _, p := range readPaths() {
			t.Run(name+" with "+p.name, func(t *testing.T) {
				sim := simulateHosts(t)
				sim.Fault(shodantest.Fault{Target: goodHost, Kind: shodantest.Hang})
				p.open(t, []embedded.Connection{{Name: "keyed", Config: simulated(sim, shodantest.Key, "off") + "timeout = \"1h\"\n"}})
				ctx, cancel := context.WithCancel(t.Context())
				p.progress = lookup.NewProgress()
				rows := 0
				column := "ip"
				if name == "shodan_network_reputation" {
					column = "network"
				}
				err := p.db.Query(ctx, "select * from "+name+" where "+column+" in ('11.0.0.1', '11.0.0.2')", func(r *embedded.Rows) error {
					for r.Next() {
						rows++
						cancel()
					}
					return r.Err()
				})
				if !errors.Is(err, context.Canceled) || rows == 0 {
					t.Errorf("%d rows, error %v", rows, err)
				}
			})
		}
	}
}

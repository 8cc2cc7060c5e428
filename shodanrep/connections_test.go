package shodanrep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// withConnections starts the plugin with connections, in the order of the names, as Steampipe does.
func withConnections(t *testing.T, names []string, spc map[string]string) server {
	t.Helper()
	s := server{newPluginServer(), new(atomic.Bool)}
	request := &proto.SetAllConnectionConfigsRequest{}
	for _, name := range names {
		request.Configs = append(request.Configs, &proto.ConnectionConfig{Connection: name, Plugin: "shodanrep", Config: spc[name]})
	}
	if response, err := s.SetAllConnectionConfigs(request); err != nil || len(response.FailedConnections) != 0 {
		t.Fatalf("the connections are not read: %v, %v", response, err)
	}
	return s
}

// runIn is run in one connection.
func (s server) runIn(t *testing.T, connection string, q query) ([]row, error) {
	t.Helper()
	q.connections = []string{connection}
	return s.run(t, q)
}

func TestAWrongConnectionDoesNotTakeAnotherDown(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	for name, wrong := range map[string]struct{ spc, want string }{
		"a value that is not allowed": {`timeout = "soon"`, `connection wrong: timeout = "soon": use a time such as "10s", "5m" or "24h"`},
		"a value of the wrong type":   {`max_concurrency = "many"`, `connection wrong: max_concurrency = "many": use a whole number from 1 to 1000`},
		"an unknown argument":         {`apikey = "x"`, `connection wrong: there is no argument "apikey": did you mean "api_key"?`},
		"a missing policy":            {`policy = "/none/x.hcl"`, `connection wrong: policy = "/none/x.hcl"`},
		"a missing key":               {`source = "shodan"`, `connection wrong: source = "shodan" needs a key`},
	} {
		for _, order := range [][]string{{"good", "wrong"}, {"wrong", "good"}} {
			t.Run(fmt.Sprint(name, ", ", order[0], " first"), func(t *testing.T) {
				s := withConnections(t, order, map[string]string{"good": free(sim), "wrong": wrong.spc})
				q := query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad, good, empty)}}
				if rows, err := s.runIn(t, "good", q); err != nil || len(rows) != 3 || byIP(t, rows, bad)["status"] != "indexed" {
					t.Errorf("the good connection: %d rows, error %v", len(rows), err)
				}
				rows, err := s.runIn(t, "wrong", q)
				if err == nil || !strings.Contains(err.Error(), wrong.want) || strings.Count(err.Error(), "connection wrong") != 1 || len(rows) != 0 {
					t.Errorf("the wrong connection: %d rows, error %v, want %s", len(rows), err, wrong.want)
				}
			})
		}
	}
}

func TestAWrongConnectionFailsTheQueriesOfEveryTable(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, `max_concurrency = "many"`)
	schema, err := s.GetSchema(&proto.GetSchemaRequest{Connection: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range schema.Schema.Schema {
		quals := map[string]*proto.QualValue{}
		for _, key := range table.ListCallKeyColumnList {
			i := slices.IndexFunc(table.Columns, func(c *proto.ColumnDefinition) bool { return c.Name == key.Name })
			if key.Require == "optional" && key.Name != "ip" || key.Name == "source" {
				continue
			}
			switch table.Columns[i].Type {
			case proto.ColumnType_INET, proto.ColumnType_CIDR:
				quals[key.Name] = inets(bad)
			case proto.ColumnType_INT:
				quals[key.Name] = numbers(1)
			default:
				quals[key.Name] = texts("example.com")
			}
		}
		rows, err := s.run(t, query{table: name, quals: quals})
		if err == nil || !strings.Contains(err.Error(), `connection test: max_concurrency = "many"`) || len(rows) != 0 {
			t.Errorf("%s with conditions on %v: %d rows, error %v", name, slices.Sorted(maps.Keys(quals)), len(rows), err)
		}
	}
}

func TestAConnectionThatIsChangedWhileItRunsIsReadAnew(t *testing.T) {
	sim := simulate(t)
	s := withConnections(t, []string{"a", "b"}, map[string]string{"a": free(sim), "b": free(sim)})
	q := query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad)}}
	change := func(spc string) {
		t.Helper()
		_, err := s.UpdateConnectionConfigs(&proto.UpdateConnectionConfigsRequest{
			Changed: []*proto.ConnectionConfig{{Connection: "a", Plugin: "shodanrep", Config: spc}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct{ spc, want string }{
		{free(sim), ""},
		{`requests_per_sec = 5`, `connection a: there is no argument "requests_per_sec": did you mean "requests_per_second"?`},
		{free(sim), ""},
		{`requests_per_second = "fast"`, `connection a: requests_per_second = "fast"`},
	} {
		change(step.spc)
		rows, err := s.runIn(t, "a", q)
		if step.want == "" && (err != nil || len(rows) != 1) || step.want != "" && (err == nil || !strings.Contains(err.Error(), step.want)) {
			t.Errorf("%s: %d rows, error %v, want %q", step.spc, len(rows), err, step.want)
		}
		if rows, err := s.runIn(t, "b", q); err != nil || len(rows) != 1 {
			t.Errorf("the connection beside it: %d rows, error %v", len(rows), err)
		}
	}
}

func TestAnAggregatorAsksOnlyTheConnectionsThatTheQueryNames(t *testing.T) {
	sim := simulate(t)
	s := withConnections(t, []string{"a", "b"}, map[string]string{"a": free(sim), "b": `timeout = "soon"`})
	_, err := s.UpdateConnectionConfigs(&proto.UpdateConnectionConfigsRequest{Added: []*proto.ConnectionConfig{
		{Connection: "all", Plugin: "shodanrep", Type: "aggregator", ChildConnections: []string{"a", "b"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	equal := func(value *proto.QualValue, operator string) map[string]*proto.Quals {
		return map[string]*proto.Quals{"sp_connection_name": {Quals: []*proto.Qual{
			{FieldName: "sp_connection_name", Operator: &proto.Qual_StringValue{StringValue: operator}, Value: value},
		}}}
	}
	for name, others := range map[string]map[string]*proto.Quals{
		"=":        equal(texts("a"), "="),
		"in":       equal(texts("a", "none"), "="),
		"like":     equal(texts("a%"), "~~"),
		"<>":       equal(texts("b"), "<>"),
		"not like": equal(texts("b%"), "!~~"),
	} {
		// The other connection has a fault, so that the query fails where it is asked.
		rows, err := s.run(t, query{
			table: "shodan_ip_reputation", columns: []string{"ip", "status"}, connection: "all", connections: []string{"a", "b"},
			quals: map[string]*proto.QualValue{"ip": inets(bad, good)}, others: others,
		})
		if err != nil || len(rows) != 2 {
			t.Errorf("%s: %d rows, error %v", name, len(rows), err)
		}
	}
}

func TestARaisedRateTakesEffectWithoutARestart(t *testing.T) {
	sim := simulate(t)
	configured := func(perSecond float64) string {
		return fmt.Sprintf("%s\nsource = \"shodan\"\napi_key = %q\nrequests_per_second = %v\n", free(sim), shodantest.Key, perSecond)
	}
	// The second request would have to wait for nearly two hours.
	s := withConnections(t, []string{"a", "b"}, map[string]string{"a": configured(0.0002), "b": configured(1000)})
	lookUp := func(connection, ip string) {
		t.Helper()
		rows, err := s.runIn(t, connection, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(ip)}})
		if err != nil || len(rows) != 1 || rows[0]["status"] == "error" {
			t.Fatalf("%s: %v, error %v", connection, rows, err)
		}
	}
	lookUp("a", bad)
	if _, err := s.UpdateConnectionConfigs(&proto.UpdateConnectionConfigsRequest{
		Changed: []*proto.ConnectionConfig{{Connection: "a", Plugin: "shodanrep", Config: configured(1000)}},
	}); err != nil {
		t.Fatal(err)
	}
	lookUp("a", good)
	lookUp("b", empty)
}

func TestARemovedConnectionSlowsNoOtherDown(t *testing.T) {
	sim := simulate(t)
	configured := func(perSecond float64) string {
		return fmt.Sprintf("%s\nsource = \"shodan\"\napi_key = %q\nrequests_per_second = %v\n", free(sim), shodantest.Key, perSecond)
	}
	s := withConnections(t, []string{"slow", "quick"}, map[string]string{"slow": configured(0.0002), "quick": configured(1000)})
	for _, step := range []struct{ connection, ip string }{{"slow", bad}, {"quick", good}, {"quick", empty}} {
		if step.ip == good {
			if _, err := s.UpdateConnectionConfigs(&proto.UpdateConnectionConfigsRequest{Deleted: []*proto.ConnectionConfig{{Connection: "slow"}}}); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := s.runIn(t, step.connection, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(step.ip)}})
		if err != nil || len(rows) != 1 || rows[0]["status"] == "error" {
			t.Fatalf("%s: %v, error %v", step.connection, rows, err)
		}
	}
}

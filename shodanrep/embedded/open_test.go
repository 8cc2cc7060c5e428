package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

func TestConnections(t *testing.T) {
	t.Parallel()
	f := open(t, 2,
		embedded.Connection{Name: "home", Config: `word = "h"`},
		embedded.Connection{Name: "work", Config: `word = "w"`},
		embedded.Connection{Name: "all", Members: []string{"home", "work"}},
	)
	tests := map[string]struct{ sql, want string }{
		"the first one's tables need no name before theirs": {"select word from fake_address where ip = '192.0.2.1'", "h"},
		"and have it as well":                               {"select word from home.fake_address where ip = '192.0.2.1'", "h"},
		"another one's need it":                             {"select word from work.fake_address where ip = '192.0.2.1'", "w"},
		"two in one query":                                  {"select h.word, w.word from home.fake_address h join work.fake_address w using (ip) where h.ip = '192.0.2.1'", "h|w"},
		"an aggregator's are those of all": {
			"select word, sp_connection_name from \"all\".fake_address where ip in ('192.0.2.1') order by 1", "h|home\nw|work"},
		"an aggregator's batch": {
			"select word, ip from \"all\".fake_address where ip in ('192.0.2.1', 'x') order by 1, 2", "h|192.0.2.1\nh|x\nw|192.0.2.1\nw|x"},
		"an aggregator's limit": {"select count(*) from (select n from \"all\".fake_event limit 3)", "3"},
		"one of an aggregator":  {"select word from \"all\".fake_address where ip = '192.0.2.1' and sp_connection_name = 'work'", "w"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := f.query(t, tt.sql); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnAggregatorAsksOnlyTheConnectionsThatTheQueryNames(t *testing.T) {
	t.Parallel()
	f := open(t, 2,
		embedded.Connection{Name: "home", Config: `word = "h"`},
		embedded.Connection{Name: "work", Config: `word = "w"`},
		embedded.Connection{Name: "away", Config: `word = "a"`},
		embedded.Connection{Name: "all", Members: []string{"home", "work", "away"}},
	)
	for _, tt := range []struct {
		condition, want string
		calls           int
	}{
		{"= 'work'", "w", 1},
		{"in ('home', 'work')", "h\nw", 2},
		{"in ('work', 'nowhere')", "w", 1},
		{"= 'nowhere'", "", 0},
		{"<> 'work'", "a\nh", 3}, // SQLite leaves the others out
	} {
		f.plugin.Reset()
		got := f.query(t, `select word from "all".fake_address where ip = '192.0.2.1' and sp_connection_name `+tt.condition+` order by 1`)
		if calls := len(f.plugin.Calls("fake_address")); got != tt.want || calls != tt.calls {
			t.Errorf("sp_connection_name %s: %q with %d calls, want %q with %d", tt.condition, got, calls, tt.want, tt.calls)
		}
	}
	f.plugin.Reset()
	got := f.query(t, `select distinct word from "all".fake_address where ip in ('192.0.2.1', '192.0.2.2') and sp_connection_name in ('work', 'away') order by 1`)
	if calls := len(f.plugin.Calls("fake_address")); got != "a\nw" || calls != 4 {
		t.Errorf("two lists: %q with %d calls", got, calls)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		connections []embedded.Connection
		want        string
	}{
		"an unknown argument":           {[]embedded.Connection{{Name: "a"}, {Name: "b", Config: `colour = "red"`}}, `connection "b": `},
		"a value of the wrong type":     {[]embedded.Connection{{Name: "a", Config: `count = "many"`}}, `connection "a": `},
		"text that is no HCL":           {[]embedded.Connection{{Name: "a", Config: `word = `}}, `connection "a": `},
		"a connection by SQLite's name": {[]embedded.Connection{{Name: "a"}, {Name: "Temp"}}, `connection "Temp": SQLite already has a schema of that name, so rename the connection`},
		"two connections of one name":   {[]embedded.Connection{{Name: "a"}, {Name: "a"}}, `connection "a": database a is already in use`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := embedded.Open(t.Context(), embedded.Options{PluginFunc: new(embeddedtest.Plugin).Func, Connections: tt.connections})
			if err == nil {
				db.Close()
				t.Fatal("opened")
			}
			if !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "rpc error") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheFirstConnectionMayHaveSQLitesName(t *testing.T) {
	t.Parallel()
	f := open(t, 2, embedded.Connection{Name: "main", Config: `word = "m"`}, embedded.Connection{Name: "b"})
	if got := f.query(t, "select word from main.fake_address where ip = '192.0.2.1'"); got != "m" {
		t.Errorf("got %q", got)
	}
}

func TestMoreConnectionsThanSQLiteTakesAreWarnedOf(t *testing.T) {
	t.Parallel()
	var connections []embedded.Connection
	for i := range 12 {
		connections = append(connections, embedded.Connection{Name: fmt.Sprintf("c%d", i)})
	}
	f := &fixture{plugin: &embeddedtest.Plugin{}}
	db, err := embedded.Open(t.Context(), embedded.Options{
		PluginFunc: f.plugin.Func, Connections: connections,
		Warn: func(message string) { f.warnings = append(f.warnings, message) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if len(f.warnings) != 2 || f.warnings[0] != `connection "c10" is left out: SQLite can have no more than 10` {
		t.Errorf("warnings %q", f.warnings)
	}
	f.DB = db
	if got := f.query(t, "select 1 from c9.fake_address where ip = '192.0.2.1'"); got != "1" {
		t.Errorf("got %q", got)
	}
}

func TestAPluginThatPanicsIsAnError(t *testing.T) {
	t.Parallel()
	_, err := embedded.Open(t.Context(), embedded.Options{PluginFunc: func(context.Context) *plugin.Plugin { panic("no tables") }})
	if err == nil || err.Error() != "the plugin could not be started: no tables" {
		t.Errorf("got %v", err)
	}
}

func TestAnErrorThatThePluginIgnoresIsNone(t *testing.T) {
	t.Parallel()
	fake := &embeddedtest.Plugin{}
	db, err := embedded.Open(t.Context(), embedded.Options{PluginFunc: func(ctx context.Context) *plugin.Plugin {
		p := fake.Func(ctx)
		p.DefaultIgnoreConfig = &plugin.IgnoreConfig{
			ShouldIgnoreErrorFunc: func(_ context.Context, _ *plugin.QueryData, _ *plugin.HydrateData, err error) bool {
				return strings.Contains(err.Error(), "credits")
			},
		}
		return p
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{DB: db, plugin: fake}
	defer f.Close()
	if got := f.query(t, "select way, value from fake_failure where way = 'column'"); got != "column|<nil>" {
		t.Errorf("got %q", got)
	}
	if _, err := f.run(t.Context(), "select * from fake_failure where way = 'list'"); err == nil {
		t.Error("another error was ignored as well")
	}
}

// A table may have a get call beside its list call, or no list call at all.
func TestGetCalls(t *testing.T) {
	t.Parallel()
	item := func(_ context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
		if id := d.EqualsQualString("id"); id != "none" {
			return id, nil
		}
		return nil, nil
	}
	list := func(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
		d.StreamListItem(ctx, "listed")
		return nil, nil
	}
	columns := []*plugin.Column{{Name: "id", Type: proto.ColumnType_STRING, Transform: transform.FromValue()}}
	get := &plugin.GetConfig{KeyColumns: plugin.SingleColumn("id"), Hydrate: item}
	db, err := embedded.Open(t.Context(), embedded.Options{PluginFunc: func(context.Context) *plugin.Plugin {
		return &plugin.Plugin{Name: "get", TableMap: map[string]*plugin.Table{
			"both": {Name: "both", Columns: columns, Get: get, List: &plugin.ListConfig{Hydrate: list}},
			"only": {Name: "only", Columns: columns, Get: get},
		}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{DB: db}
	defer f.Close()
	for sql, want := range map[string]string{
		"select id from both":                                           "listed",
		"select id from both where id = 'a'":                            "a",
		"select id from only where id = 'a'":                            "a",
		"select id from only where id in ('a', 'none', 'b') order by 1": "a\nb",
	} {
		if got := f.query(t, sql); got != want {
			t.Errorf("%s: got %q, want %q", sql, got, want)
		}
	}
	want := "only needs a condition on id, for example: select * from only where id = '…' (or id in ('…', …))"
	if _, err := f.run(t.Context(), "select * from only"); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// This test is about the process's standard logger, so it doesn't run beside others.
func TestTheLogIsQuietUnlessAskedFor(t *testing.T) {
	for _, tt := range []struct {
		level       hclog.Level
		own, others bool
	}{
		{hclog.Warn, true, false},
		{hclog.Off, false, false},
		{hclog.Debug, true, true},
	} {
		t.Run(tt.level.String(), func(t *testing.T) {
			var out bytes.Buffer
			fake := &embeddedtest.Plugin{Rows: 3}
			db, err := embedded.Open(t.Context(), embedded.Options{
				PluginFunc: fake.Func,
				Logger:     hclog.New(&hclog.LoggerOptions{Level: tt.level, Output: &out}),
			})
			if err != nil {
				t.Fatal(err)
			}
			f := &fixture{DB: db, plugin: fake}
			f.query(t, "select * from fake_address where ip in "+list(5))
			f.run(t.Context(), "select * from fake_failure where way = 'list'")
			log.Print("[DEBUG] of the SDK")
			f.plugin.Warn("of the plugin")
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(out.String(), "of the plugin"); got != tt.own {
				t.Errorf("the plugin's warning is there: %v", got)
			}
			if got := strings.Contains(out.String(), "of the SDK"); got != tt.others {
				t.Errorf("the SDK's lines are there: %v\n%s", got, out.String())
			}
			if tt.level == hclog.Warn && strings.Count(out.String(), "\n") != 1 {
				t.Errorf("more than the plugin's warning:\n%s", out.String())
			}
		})
	}
}

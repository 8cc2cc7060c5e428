package embedded_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

func TestValuesKeepTheirTypes(t *testing.T) {
	t.Parallel()
	f := open(t, 3)
	var columns []embedded.Column
	var values []string
	err := f.Query(t.Context(), `select ip, source, error, score, public, ratio, network, checked_at, tags,
		score + 1 as more, max(score) as most, json_array(tags) as nested, null as missing, x'00' as raw,
		sp_connection_name from fake_address where ip = '2001:db8::1'`,
		func(rows *embedded.Rows) error {
			columns = rows.Columns()
			for rows.Next() {
				for _, v := range rows.Values() {
					values = append(values, fmt.Sprintf("%T %[1]v", v))
				}
			}
			return rows.Err()
		})
	if err != nil {
		t.Fatal(err)
	}
	want := []embedded.Column{
		{"ip", "inet"}, {"source", "text"}, {"error", "text"}, {"score", "int8"}, {"public", "bool"}, {"ratio", "float8"},
		{"network", "cidr"}, {"checked_at", "timestamptz"}, {"tags", "jsonb"}, {"more", "int8"}, {"most", "int8"},
		{"nested", "jsonb"}, {"missing", "text"}, {"raw", "bytea"}, {"sp_connection_name", "text"},
	}
	if diff := cmp.Diff(want, columns); diff != "" {
		t.Error(diff)
	}
	wantValues := []string{
		"string 2001:db8::1", "string fake", "<nil> <nil>", "int64 11", "bool false", "float64 0.5", "<nil> <nil>",
		"string 2026-01-02T03:04:05.6Z", `json.RawMessage [91 34 97 34 44 34 98 34 93]`, "int64 12", "int64 11",
		`json.RawMessage [91 91 34 97 34 44 34 98 34 93 93]`, "<nil> <nil>", "[]uint8 [0]", "string default",
	}
	if diff := cmp.Diff(wantValues, values); diff != "" {
		t.Error(diff)
	}
}

func TestAComputedValueIsJSONWhateverTheFirstRowHas(t *testing.T) {
	t.Parallel()
	var values []any
	err := open(t, 3).Query(t.Context(), "select case column1 when 1 then json_array(1) when 2 then '[2]' end from (values (0), (1), (2))",
		func(rows *embedded.Rows) error {
			for rows.Next() {
				values = append(values, rows.Values()[0])
			}
			return rows.Err()
		})
	if diff := cmp.Diff([]any{nil, json.RawMessage("[1]"), "[2]"}, values); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ sql, want string }{
		"several statements each have a result":    {"select 1; select 2, 3", "1\n2|3"},
		"empty statements and comments are passed": {";; -- one;\n /* two; */ ; select 1;; -- three\n; select 2; --", "1\n2"},
		"nothing at all is no error":               {" -- nothing", ""},
		"a statement without a result is run":      {"create temp table x (n); insert into x values (7); select n from x", "7"},
		"time compares as SQLite's own":            {"select n from fake_event where datetime(at) < datetime('2026-01-02 04:30:00') order by n", "0\n1"},
		"JSON is SQLite's own":                     {"select value from fake_address, json_each(tags) where ip = '192.0.2.1'", "a\nb"},
		"a NULL is no value":                       {"select error is null from fake_address where ip = '192.0.2.1'", "1"},
		"hidden columns answer when named":         {"select sp_connection_name, json_extract(sp_ctx, '$.connection_name') from fake_address where ip = '192.0.2.1'", "default|default"},
		"an explained query asks nothing":          {"create temp table y as select 1; explain query plan select * from fake_event where n = 1", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 3)
			got := f.query(t, tt.sql)
			if strings.Contains(tt.sql, "explain") {
				got = strings.Join(f.plugin.Values("fake_event", "n"), "")
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(f.warnings) > 0 {
				t.Errorf("warnings: %q", f.warnings)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ sql, want string }{
		"an error of the list call":                 {"select * from fake_failure where way = 'list'", "the key is wrong, set api_key"},
		"one of many calls fails":                   {"select * from fake_failure where way in ('fine', 'list', 'good')", "the key is wrong, set api_key"},
		"an error after rows":                       {"select * from fake_failure where way = 'late'", "the service went away"},
		"an error of a column":                      {"select value from fake_failure where way = 'column'", "no credits are left"},
		"a panic of the list call":                  {"select * from fake_failure where way = 'panic'", "hydrate function listFailures-fm failed with panic list out of order"},
		"an error in a join":                        {"select * from (select 'list' w) join fake_failure on way = w", "the key is wrong, set api_key"},
		"an error in a subquery":                    {"select (select value from fake_failure where way = 'column')", "no credits are left"},
		"a source without an address":               {"select * from fake_address where source = 'fake'", "source = 'fake' needs an address"},
		"an unknown table":                          {"select * from customers", "no such table: customers; there are fake_address, fake_block, fake_event, fake_failure, fake_pair, fake_wide"},
		"a misspelt table":                          {"select * from fake_adress", "no such table: fake_adress: did you mean \"fake_address\"?"},
		"a misspelt table of a subquery":            {"select 1 where 1 in (select n from FAKE_EVENTS)", "no such table: FAKE_EVENTS: did you mean \"fake_event\"?"},
		"a misspelt temporary table":                {"create temp table watched as select 1; select * from wacthed", "no such table: wacthed: did you mean \"watched\"?"},
		"a misspelt connection":                     {"select * from defualt.fake_event", "no such table: defualt.fake_event: did you mean \"default.fake_event\"?"},
		"an unknown connection":                     {"select * from work.fake_event", "no such table: work.fake_event; the connections are default"},
		"a misspelt table of a connection":          {"select * from \"default\".fake_evnt", "no such table: default.fake_evnt: did you mean \"fake_event\"?"},
		"an unknown column":                         {"select colour from fake_address where ip = '192.0.2.1'", "no such column: colour"},
		"a misspelt column":                         {"select scoer from fake_address where ip = '192.0.2.1'", "no such column: scoer: did you mean \"score\"?"},
		"a misspelt column of a table":              {"select a.scoer from fake_address as a where ip = '192.0.2.1'", "no such column: a.scoer: did you mean \"score\"?"},
		"a misspelt column in quotes":               {"select \"scoer\" from fake_address where ip = '192.0.2.1'", "no such column: \"scoer\": did you mean \"score\"?"},
		"a column of no such table":                 {"select b.score from fake_address as a where ip = '192.0.2.1'", "no such column: b.score"},
		"a misspelt column of a temporary table":    {"create temp table watched as select 1 as address; select adress from watched", "no such column: adress: did you mean \"address\"?"},
		"a misspelt function":                       {"select uper('a')", "no such function: uper: did you mean \"upper\"?"},
		"a syntax error":                            {"select 1; selct 2 from   fake_event", `near "selct": syntax error, at: selct 2 from fake_event`},
		"a table that cannot be written to":         {"delete from fake_event", "table fake_event may not be modified"},
		"no condition on a table that needs one":    {"select * from fake_address", "fake_address needs a condition on ip or source, for example: select * from fake_address where ip = '8.8.8.8' (or ip in ('8.8.8.8', …))"},
		"a condition of another kind than it takes": {"select * from fake_address where ip <> '192.0.2.1'", "fake_address needs a condition on ip or source, for example: select * from fake_address where ip = '8.8.8.8' (or ip in ('8.8.8.8', …))"},
		"a condition on a column that is no key":    {"select * from fake_address where score > 3", "fake_address needs a condition on ip or source, for example: select * from fake_address where ip = '8.8.8.8' (or ip in ('8.8.8.8', …))"},
		"one of two conditions that are needed":     {"select * from fake_pair where kind = 'a'", "fake_pair needs a condition on kind and size, for example: select * from fake_pair where kind = '…' and size = 443"},
		"two tables that wait for each other":       {"select * from fake_address a join fake_failure f on f.way = a.source and f.way = a.ip", "fake_address needs a condition on ip or source, for example: select * from fake_address where ip = '8.8.8.8' (or ip in ('8.8.8.8', …))\nfake_failure needs a condition on way, for example: select * from fake_failure where way = '…' (or way in ('…', …))"},
		"a table without a condition in a join":     {"select * from fake_event, fake_failure", "fake_failure needs a condition on way, for example: select * from fake_failure where way = '…' (or way in ('…', …))"},
		"the same table with and without":           {"select * from fake_address a, fake_address b where a.ip = '192.0.2.1'", "fake_address needs a condition on ip or source, for example: select * from fake_address where ip = '8.8.8.8' (or ip in ('8.8.8.8', …))"},
		"either of two conditions with one useless": {"select * from fake_address where ip = '192.0.2.1' or score = 3", "fake_address needs a condition on ip or source, for example: select * from fake_address where ip = '8.8.8.8' (or ip in ('8.8.8.8', …))"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 3)
			_, err := f.run(t.Context(), tt.sql)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if got := f.query(t, "select 'still ' || 'there'"); got != "still there" {
				t.Errorf("afterwards: %q", got)
			}
		})
	}
}

func TestAPanicOfAColumnIsAnError(t *testing.T) {
	t.Parallel()
	_, err := open(t, 0).run(t.Context(), "select value from fake_failure where way = 'column panic'")
	if err == nil || !strings.Contains(err.Error(), "column out of order") {
		t.Errorf("got %v", err)
	}
}

// A row that fails must fail the query however many rows there are around it.
func TestNoErrorIsLostAmongRows(t *testing.T) {
	t.Parallel()
	f := open(t, 20)
	values := []string{"'late'"}
	for i := range 50 {
		values = append(values, fmt.Sprintf("'fine %d'", i))
	}
	for range 20 {
		_, err := f.run(t.Context(), "select value from fake_failure where way in ("+strings.Join(values, ", ")+")")
		if err == nil || err.Error() != "the service went away" {
			t.Fatalf("got %v", err)
		}
	}
}

func TestTheCallersErrorEndsTheQuery(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	f, seen := open(t, 100), 0
	err := f.Query(t.Context(), "select n from fake_event; select 1", func(rows *embedded.Rows) error {
		seen++
		rows.Next()
		return enough
	})
	if !errors.Is(err, enough) || seen != 1 {
		t.Errorf("got %v after %d results", err, seen)
	}
}

func TestAnEndedContextEndsTheQuery(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := open(t, 1)
	if _, err := f.run(ctx, "select 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := f.query(t, "select 1"); got != "1" {
		t.Errorf("with another context: %q", got)
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	f := open(t, 0, embedded.Connection{Name: "a"}, embedded.Connection{Name: "b"})
	var names []string
	for _, table := range f.Tables() {
		names = append(names, table.Name)
	}
	if want := []string{"fake_address", "fake_block", "fake_event", "fake_failure", "fake_pair", "fake_wide"}; !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
	address := f.Tables()[0]
	wantKeys := []embedded.KeyColumn{{"ip", []string{"="}, "any_of"}, {"source", []string{"="}, "any_of"}}
	if diff := cmp.Diff(wantKeys, address.Keys); diff != "" {
		t.Error(diff)
	}
	if first := address.Visible()[0]; first.Name != "ip" || first.Type != "inet" || first.Description != "The address as it was asked for." {
		t.Errorf("first column: %+v", first)
	}
	if n := len(address.Visible()); n != 11 {
		t.Errorf("%d visible columns", n)
	}
}

// A database file from someone else must not send requests: its tables are its own.
func TestAnAttachedFileHasNoTablesOfThePlugin(t *testing.T) {
	t.Parallel()
	f := open(t, 3)
	file := filepath.Join(t.TempDir(), "foreign.db")
	if _, err := f.QueryAll(t.Context(), "attach '"+file+`' as foreign_file; create table foreign_file.own (x); pragma writable_schema = on;
		insert into foreign_file.sqlite_schema values ('table', 'address', 'address', 0, 'CREATE VIRTUAL TABLE address USING plugin_table(0)');
		detach foreign_file`); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, 3).QueryAll(t.Context(), "attach '"+file+"' as foreign_file; select * from foreign_file.own; select * from foreign_file.address where ip = '2001:db8::1'")
	if err == nil || !strings.Contains(err.Error(), "plugin_table has tables of a connection only") {
		t.Errorf("%v", err)
	}
}

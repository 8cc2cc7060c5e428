package embedded_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

func TestKeyColumns(t *testing.T) {
	t.Parallel()
	const notTime = ", because this is not a time: write it such as 2026-01-31T06:00:00Z, or use datetime('now', '-1 day')"
	const nothing = "fake_address: there was no value to look up, nothing was looked up"
	tests := map[string]struct {
		sql string
		// rows are those of the result, in order of their text.
		rows []string
		// asked are the values of ip in the calls, in order of their text; batch is the longest list among them.
		asked    []string
		batch    int
		warnings []string
	}{
		"an address is asked for as it is written": {
			sql:  "select ip, score from fake_address where ip = '192.0.2.1/32'",
			rows: []string{"192.0.2.1/32|12"}, asked: []string{"192.0.2.1/32"},
		},
		"a list goes out as one batch, each value once": {
			sql:  "select ip from fake_address where ip in ('192.0.2.1', '192.0.2.2', '192.0.2.1', null)",
			rows: []string{"192.0.2.1", "192.0.2.2"}, asked: []string{"192.0.2.1", "192.0.2.2"}, batch: 2,
		},
		"alternatives are a list": {
			sql:  "select ip from fake_address where ip = '192.0.2.1' or ip = '192.0.2.2'",
			rows: []string{"192.0.2.1", "192.0.2.2"}, asked: []string{"192.0.2.1", "192.0.2.2"}, batch: 2,
		},
		"a list of one is no list": {
			sql:  "select ip from fake_address where ip in ('192.0.2.1')",
			rows: []string{"192.0.2.1"}, asked: []string{"192.0.2.1"},
		},
		"a subquery goes out as one batch": {
			sql:  "select ip from fake_address where ip in (select '192.0.2.' || n from fake_event)",
			rows: []string{"192.0.2.0", "192.0.2.1", "192.0.2.2"}, asked: []string{"192.0.2.0", "192.0.2.1", "192.0.2.2"}, batch: 3,
		},
		"values go out as one batch": {
			sql:  "select ip from fake_address where ip in (values ('192.0.2.1'), ('2001:db8::1'))",
			rows: []string{"192.0.2.1", "2001:db8::1"}, asked: []string{"192.0.2.1", "2001:db8::1"}, batch: 2,
		},
		"a join asks one after the other": {
			sql:  "select e.n, a.ip from fake_event e join fake_address a on a.ip = '192.0.2.' || e.n",
			rows: []string{"0|192.0.2.0", "1|192.0.2.1", "2|192.0.2.2"}, asked: []string{"192.0.2.0", "192.0.2.1", "192.0.2.2"},
		},
		"a join with a list asks once": {
			sql: `with t(ip, name) as (values ('192.0.2.1', 'x'), ('192.0.2.2', 'y'), ('192.0.2.1', 'z'))
				select t.name, a.ip from t join fake_address a on a.ip = t.ip where a.ip in (select ip from t)`,
			rows: []string{"x|192.0.2.1", "y|192.0.2.2", "z|192.0.2.1"}, asked: []string{"192.0.2.1", "192.0.2.2"}, batch: 2,
		},
		"a left join keeps the rows that have nothing to look up": {
			sql: `with t(ip, name) as (values ('192.0.2.1', 'x'), (null, 'y'))
				select t.name, a.ip from t left join fake_address a on a.ip = t.ip`,
			rows: []string{"x|192.0.2.1", "y|<nil>"}, asked: []string{"192.0.2.1"},
		},
		"a subquery of each row is a batch each": {
			sql: `with t(a, b) as (values ('192.0.2.1', '192.0.2.2'), ('192.0.2.3', '192.0.2.4'))
				select (select group_concat(ip) from (select ip from fake_address where ip in (t.a, t.b) order by ip)) from t`,
			rows:  []string{"192.0.2.1,192.0.2.2", "192.0.2.3,192.0.2.4"},
			asked: []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}, batch: 2,
		},
		"two addresses at once are none": {
			sql:      "select ip from fake_address where ip = '192.0.2.1' and ip = '192.0.2.2'",
			warnings: []string{nothing},
		},
		"an address that is also in a list is asked for alone": {
			sql:  "select ip from fake_address where ip = '192.0.2.1' and ip in ('192.0.2.2', '192.0.2.1')",
			rows: []string{"192.0.2.1"}, asked: []string{"192.0.2.1"},
		},
		"nothing equals NULL": {
			sql:      "select ip from fake_address where ip = null",
			warnings: []string{nothing},
		},
		"a list of NULLs is asked for by nobody": {
			sql:      "select ip from fake_address where ip in (null, null)",
			warnings: []string{nothing},
		},
		"an empty list is warned of": {
			sql:      "select ip from fake_address where ip in (select 'x' where 0)",
			warnings: []string{"fake_address: the list of ip is empty, nothing was looked up"},
		},
		"a list without values is warned of": {
			sql:      "select ip, 'in ()' from fake_address /* in () */ where ip in ( )",
			warnings: []string{"fake_address: the list of ip is empty, nothing was looked up"},
		},
		"a text in place of a time is warned of": {
			sql: "select n from fake_event where at > 'yesterday'",
			warnings: []string{"fake_event: at > 'yesterday' compares texts, because this is not a time: " +
				"write it such as 2026-01-31T06:00:00Z, or use datetime('now', '-1 day')"},
		},
		"a text that should equal a time is warned of": {
			sql:      "select n from fake_event where at = 'yesterday'",
			warnings: []string{"fake_event: at = 'yesterday' compares texts" + notTime},
		},
		"one in a list of times of a key is warned of": {
			sql:      "select n from fake_event where at in ('2026-01-02 04:04:05.6', null, 'yesterday')",
			rows:     []string{"1"},
			warnings: []string{"fake_event: at = 'yesterday' compares texts" + notTime},
		},
		"a text in place of a time of a column that is no key is warned of": {
			sql:      "select ip from fake_address where ip = '192.0.2.1' and checked_at > 'yesterday'",
			warnings: []string{"a time was compared as a text with 'yesterday'" + notTime}, asked: []string{"192.0.2.1"},
		},
		"one in a list of times is warned of": {
			sql:      "select ip from fake_address where ip = '192.0.2.1' and checked_at in ('2026-01-01', 'today')",
			warnings: []string{"a time was compared as a text with 'today'" + notTime}, asked: []string{"192.0.2.1"},
		},
		"one of another table is warned of": {
			sql:      "select ip from (select '' as day) join fake_address on checked_at < day where ip = '192.0.2.1'",
			warnings: []string{"a time was compared as a text with ''" + notTime}, asked: []string{"192.0.2.1"},
		},
		"times in any order, and none, are not": {
			sql:  "select ip from fake_address where ip = '192.0.2.1' and coalesce(checked_at, 'never') <> 'never' order by checked_at",
			rows: []string{"192.0.2.1"}, asked: []string{"192.0.2.1"},
		},
		"a time is not": {
			sql:  "select n from fake_event where at > datetime('now', '-1 day') or at > '2026-01-02T04:30:00Z'",
			rows: []string{"2"},
		},
		"an empty table in a join is warned of": {
			sql:      "select a.ip from fake_event e join fake_address a on a.ip = e.name where e.n > 99",
			warnings: []string{nothing},
		},
		"what is no address fails no other": {
			sql: "select ip, status, error from fake_address where ip in ('192.0.2.1', '999.1.1.1', 'example.com')",
			rows: []string{"192.0.2.1|indexed|<nil>", `999.1.1.1|error|"999.1.1.1" is not an address`,
				`example.com|error|"example.com" is not an address`},
			asked: []string{"192.0.2.1", "999.1.1.1", "example.com"},
		},
		"what is no address joins as it is written": {
			sql: `with t(ip, name) as (values ('', 'x'), ('192.0.2.1 ', 'y'), ('fe80::1%eth0', 'z'))
				select t.name, a.status from t join fake_address a on a.ip = t.ip`,
			rows: []string{"x|error", "y|error", "z|error"}, asked: []string{"", "192.0.2.1 ", "fe80::1%eth0"},
		},
		"an address can be asked for as a network of one": {
			sql:  "select ip from fake_address where ip in ('192.0.2.0/24', '2001:db8::/32')",
			rows: []string{"192.0.2.0/24", "2001:db8::/32"}, asked: []string{"192.0.2.0/24", "2001:db8::/32"}, batch: 2,
		},
		"a number is no address": {
			sql:  "select ip, status from fake_address where ip = 1234",
			rows: []string{"1234|error"}, asked: []string{"1234"},
		},
		"another key column goes along": {
			sql:  "select ip, source from fake_address where ip in ('192.0.2.1', '192.0.2.2') and source = 'other'",
			rows: []string{"192.0.2.1|other", "192.0.2.2|other"}, asked: []string{"192.0.2.1", "192.0.2.2"}, batch: 2,
		},
		"another key column can do without": {
			sql:  "select ip from fake_address where source = 'dataset'",
			rows: []string{"198.51.0.0", "198.51.0.1", "198.51.0.2"}, asked: []string{""},
		},
		"two lists go along whole, as in Steampipe": {
			sql:  "select ip, source from fake_address where ip in ('192.0.2.1', '192.0.2.2') and source in ('x', 'y')",
			rows: []string{"192.0.2.1|x", "192.0.2.1|y", "192.0.2.2|x", "192.0.2.2|y"}, asked: []string{"192.0.2.1,192.0.2.2"},
			batch: 2,
		},
		"rows that differ in no used column all come": {
			sql:  "select status from fake_address where source = 'dataset' or ip = '192.0.2.1'",
			rows: []string{"indexed", "indexed", "indexed", "indexed"}, asked: []string{"", "192.0.2.1"},
		},
		"a condition by another collation is SQLite's": {
			sql:  "select ip, source from fake_address where ip = '192.0.2.1' and source = 'FAKE' collate nocase",
			rows: []string{"192.0.2.1|fake"}, asked: []string{"192.0.2.1"},
		},
		"other conditions are SQLite's": {
			sql:  "select ip from fake_address where ip in ('192.0.2.1', '192.0.2.22') and score > 9 and status like 'IND%'",
			rows: []string{"192.0.2.22"}, asked: []string{"192.0.2.1", "192.0.2.22"}, batch: 2,
		},
		"a negated list is no list": {
			sql:  "select ip from fake_address where source = 'dataset' and ip not in ('198.51.0.1')",
			rows: []string{"198.51.0.0", "198.51.0.2"}, asked: []string{""},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 3)
			var rows []string
			if got := f.query(t, tt.sql); got != "" {
				rows = strings.Split(got, "\n")
			}
			slices.Sort(rows)
			if diff := cmp.Diff(tt.rows, rows); diff != "" {
				t.Errorf("rows:\n%s", diff)
			}
			if diff := cmp.Diff(tt.asked, f.plugin.Values("fake_address", "ip")); diff != "" {
				t.Errorf("asked:\n%s", diff)
			}
			batch := 0
			for _, call := range f.plugin.Calls("fake_address") {
				batch = max(batch, call.Batch)
			}
			if batch != tt.batch {
				t.Errorf("a batch of %d, want %d", batch, tt.batch)
			}
			if diff := cmp.Diff(tt.warnings, f.warnings); diff != "" {
				t.Errorf("warnings:\n%s", diff)
			}
		})
	}
}

func TestValuesAreAskedForByTheTypeOfTheColumn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ sql, rows, call string }{
		"a number as text":                    {"select n from fake_event where n = '1'", "1", "map[n:int64_value:1] [n =]"},
		"a whole number as a float":           {"select n from fake_event where n = 1.0", "1", "map[n:int64_value:1] [n =]"},
		"text that is no number":              {"select n from fake_event where n = 'one'", "", ""},
		"a fraction":                          {"select n from fake_event where n = 1.5", "", ""},
		"a text":                              {"select n from fake_event where name = 'Event 1'", "1", "map[name:Event 1] [name =]"},
		"a time without a zone":               {"select n from fake_event where at = '2026-01-02 04:04:05.6'", "1", "map[at:2026-01-02T04:04:05Z] [at =]"},
		"a time in another zone":              {"select n from fake_event where at = '2026-01-02T05:04:05.6+01:00'", "1", "map[at:2026-01-02T04:04:05Z] [at =]"},
		"a text that is no time":              {"select n from fake_event where at = 'yesterday'", "", ""},
		"the greater than":                    {"select n from fake_event where n > 1", "2", "map[] [n >]"},
		"a range":                             {"select n from fake_event where n between 1 and 1", "1", "map[] [n <= n >=]"},
		"the unequal":                         {"select n from fake_event where n <> 1 and n != 0", "2", "map[] [n <> n <>]"},
		"the alike":                           {"select n from fake_event where name like 'EVENT _' and n = 1", "1", "map[n:int64_value:1] [n = name ~~*]"},
		"the later":                           {"select n from fake_event where at > '2026-01-02T04:30:00Z'", "2", "map[] [at >]"},
		"the later, in another zone":          {"select n from fake_event where at > '2026-01-02T05:30:00+01:00'", "2", "map[] [at >]"},
		"the later, as SQLite writes times":   {"select n from fake_event where at > datetime('2026-01-02T04:30:00Z')", "2", "map[] [at >]"},
		"the later than seconds":              {"select n from fake_event where at > unixepoch('2026-01-02T04:30:00Z')", "2", "map[] [at >]"},
		"a time in seconds":                   {"select n from fake_event where at = 1767326645.6", "1", "map[at:2026-01-02T04:04:05Z] [at =]"},
		"the later than a text":               {"select n from fake_event where at > 'yesterday'", "", "map[] []"},
		"the later than NULL":                 {"select n from fake_event where at > null", "", ""},
		"the earlier, which it doesn't take":  {"select n from fake_event where at < '2026-01-02T04:00:00Z'", "0", "map[] []"},
		"the earlier, as SQLite writes times": {"select n from fake_event where at < datetime('2026-01-02T04:00:00Z')", "0", "map[] []"},
		"a pattern, which it doesn't take":    {"select n from fake_event where name glob '*1'", "1", "map[] []"},
		"an expression, which it cannot":      {"select n from fake_event where name regexp '[12]$' and n + 1 = 2", "1", "map[] []"},
		"no value to compare with":            {"select n from fake_event where n > null", "", "map[] []"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 3)
			if got := f.query(t, tt.sql); got != tt.rows {
				t.Errorf("rows %q, want %q", got, tt.rows)
			}
			var calls []string
			for _, c := range f.plugin.Calls("fake_event") {
				calls = append(calls, fmt.Sprint(c.Values, c.Operators))
			}
			if got := strings.Join(calls, "; "); got != tt.call {
				t.Errorf("calls %q, want %q", got, tt.call)
			}
		})
	}
}

// A time of any column is compared as a time, also if the plugin takes no condition on it.
func TestTimesOfAllColumnsAreComparedAsTimes(t *testing.T) {
	t.Parallel()
	f := open(t, 3)
	for condition, want := range map[string]bool{ // checked_at is 2026-01-02T03:04:05.6Z
		"checked_at < datetime('2026-01-02 04:00:00')":                                   true,
		"checked_at > datetime('2026-01-02 04:00:00')":                                   false,
		"checked_at >= '2026-01-02 03:04:05.6'":                                          true,
		"checked_at > '2026-01-02 03:04:05.6'":                                           false,
		"checked_at <= '2026-01-02T04:04:05.6+01:00'":                                    true,
		"'2026-01-02 04:00:00' > checked_at":                                             true,
		"checked_at between '2026-01-02 03:00' and '2026-01-02 03:30:00'":                true,
		"checked_at > '2026-01-02'":                                                      true,
		"checked_at < '2026-01-02'":                                                      false,
		"checked_at < date('2026-01-02', '+1 day')":                                      true,
		"checked_at < null":                                                              false,
		"not checked_at > '2026-01-02 04:00:00'":                                         true,
		"checked_at < (select '2026-01-02 04:00:00')":                                    true,
		"checked_at < '2026-01-02 04:00:00' and checked_at > '2026-01-02 03:00:00'":      true,
		"(checked_at < '2026-01-02 04:00:00' or score = 0)":                              true,
		"(checked_at > '2026-01-02 04:00:00' or score = 0)":                              false,
		"exists (select 1 from (select '2026-01-02 04:00:00' at) where checked_at < at)": true,
		"case when checked_at < '2026-01-02 04:00:00' then 1 end":                        true,
		"checked_at = '2026-01-02 03:04:05.6'":                                           true,
		"checked_at <> '2026-01-02 03:04:05.6'":                                          false,
		"checked_at in ('2026-01-02', '2026-01-02T04:04:05.6+01:00')":                    true,
		"checked_at is '2026-01-02 03:04:05.600'":                                        true,
		"checked_at > unixepoch('2026-01-02 04:00:00')":                                  false,
		"checked_at < unixepoch('2026-01-02 04:00:00')":                                  true,
		"unixepoch('2026-01-02 04:00:00') < checked_at":                                  false,
		"checked_at > unixepoch('2026-01-02 04:00:00') - 86400":                          true,
		"checked_at > 1767326400":                                                        false, // 04:00:00
		"checked_at between 1767322800 and 1767326400":                                   true,
		"checked_at = 1767323045.6":                                                      true,
		"checked_at <> 1767323045.6":                                                     false,
		"checked_at in (1, 1767323045.6)":                                                true,
		"checked_at not in (1, 1767323045.6)":                                            false,
		"checked_at > strftime('%s', '2026-01-02 04:00:00')":                             false,
		"checked_at > julianday('2026-01-02 04:00:00')":                                  false,
		"checked_at > julianday('2026-01-02 03:00:00')":                                  true,
		"checked_at < (select unixepoch('2026-01-02 04:00:00'))":                         true,
		"checked_at > 0":        true,
		"checked_at > 20260103": false,
	} {
		for _, from := range []string{"fake_address", "(select * from fake_address)", "fake_address left join (select 1)"} {
			got := f.query(t, "select ip from "+from+" where ip = '192.0.2.1' and "+condition)
			if got != "192.0.2.1" && got != "" || (got != "") != want {
				t.Errorf("from %s where %s: got %q", from, condition, got)
			}
		}
	}
	// A row without a partner in a join stays, and one with a partner of the wrong time does not get it.
	got := f.query(t, "select n, ip from fake_event left join fake_address on ip = '192.0.2.1' and checked_at > datetime('2026-01-02 04:00:00') where n = 1")
	if got != "1|<nil>" {
		t.Errorf("got %q", got)
	}
	got = f.query(t, "with events as (select n, at from fake_event) select n from events where at < '2026-01-02 05:00:00' or n = 7 order by at desc")
	if got != "1\n0" {
		t.Errorf("got %q", got)
	}
}

func TestALongListGoesOutInSlices(t *testing.T) {
	t.Parallel()
	var told []int
	type key struct{}
	fake := &embeddedtest.Plugin{}
	db, err := embedded.Open(t.Context(), embedded.Options{
		PluginFunc: fake.Func,
		ListContext: func(ctx context.Context, values int) context.Context {
			told = append(told, values)
			return context.WithValue(ctx, key{}, values)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{DB: db, plugin: fake}
	defer f.Close()

	const n = 4321
	rows := strings.Split(f.query(t, "select ip, score from fake_address where ip in "+list(n)), "\n")
	slices.Sort(rows)
	if distinct := len(slices.Compact(rows)); distinct != n {
		t.Errorf("%d distinct rows, want %d", distinct, n)
	}
	longest := 0
	for _, call := range f.plugin.Calls("fake_address") {
		longest = max(longest, call.Batch)
	}
	if calls := len(f.plugin.Calls("fake_address")); calls != n || longest > 500 {
		t.Errorf("%d calls in batches of up to %d", calls, longest)
	}
	if !slices.Equal(told, []int{n}) {
		t.Errorf("told of lists of %v", told)
	}
}

func TestRequiredColumnsAreJoined(t *testing.T) {
	t.Parallel()
	f := open(t, 3)
	got := f.query(t, "select kind, size from fake_event e join fake_pair p on p.size = e.n and p.kind in ('a', 'b') order by 1, 2")
	if want := "a|0\na|1\na|2\nb|0\nb|1\nb|2"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestUsedColumns(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ sql, table, columns string }{
		"only what is used":                         {"select score from fake_address where ip = '192.0.2.1' and ratio > 0", "fake_address", "ip score ratio"},
		"nothing but the key for a count":           {"select count(*) from fake_address where ip = '192.0.2.1'", "fake_address", "ip"},
		"the first of many":                         {"select c1, c62 from fake_wide", "fake_wide", "c1 c62"},
		"all of the many that SQLite counts as one": {"select c66 from fake_wide", "fake_wide", "c63 c64 c65 c66 c67 c68 c69"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 3)
			f.query(t, tt.sql)
			calls := f.plugin.Calls(tt.table)
			if len(calls) != 1 || strings.Join(calls[0].Columns, " ") != tt.columns {
				t.Errorf("got %v", calls)
			}
		})
	}
	t.Run("an unused column costs nothing", func(t *testing.T) {
		t.Parallel()
		f := open(t, 3)
		if got := f.query(t, "select count(*) from fake_address where ip in "+list(50)); got != "50" {
			t.Errorf("counted %s", got)
		}
		if got := f.plugin.Hydrated(); len(got) > 0 {
			t.Errorf("looked up %q", got)
		}
	})
	t.Run("the last of many columns has its value", func(t *testing.T) {
		t.Parallel()
		if got := open(t, 0).query(t, "select c69, c0, c63 from fake_wide"); got != "69|0|63" {
			t.Errorf("got %q", got)
		}
	})
}

func TestLimit(t *testing.T) {
	t.Parallel()
	addresses := "from fake_address where ip in " + list(1000)
	tests := map[string]struct {
		sql string
		// rows is how many come; hydrated is the most that may have been looked up; limit is what the plugin was told.
		rows, hydrated int
		limit          int64
	}{
		"a limit looks up no more":              {"select ip, score " + addresses + " limit 7", 7, 7, 7},
		"a limit beyond the list":               {"select ip, score from fake_address where ip in ('192.0.2.1', '192.0.2.2') limit 7", 2, 2, 7},
		"a limit beyond a slice":                {"select ip, score " + addresses + " limit 450", 450, 450, 450},
		"an offset is looked up as well":        {"select ip, score " + addresses + " limit 3 offset 4", 3, 7, 7},
		"no limit":                              {"select ip, score " + addresses + " limit -1", 1000, 1000, -1},
		"an order needs every row":              {"select ip, score " + addresses + " order by score limit 5", 5, 1000, -1},
		"a condition of SQLite's may skip rows": {"select ip, score " + addresses + " and score > 1 limit 5", 5, 1000, -1},
		"a distinct result may merge rows":      {"select distinct score " + addresses + " limit 1", 1, 1000, -1},
		"a total needs every row":               {"select sum(score) " + addresses + " limit 1", 1, 1000, -1},
		"a limit of a subquery":                 {"select * from (select ip, score " + addresses + " limit 5)", 5, 5, 5},
		"none":                                  {"select ip, score " + addresses + " limit 0", 0, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 0)
			rows := 0
			if got := f.query(t, tt.sql); got != "" {
				rows = len(strings.Split(got, "\n"))
			}
			if rows != tt.rows {
				t.Errorf("%d rows, want %d", rows, tt.rows)
			}
			if n := len(f.plugin.Hydrated()); n > tt.hydrated {
				t.Errorf("looked up %d, want at most %d", n, tt.hydrated)
			}
			var limit int64
			if calls := f.plugin.Calls("fake_address"); len(calls) > 0 {
				limit = calls[0].Limit
			}
			if limit != tt.limit {
				t.Errorf("told of a limit of %d, want %d", limit, tt.limit)
			}
		})
	}
}

// TestATextOfANumberIsTheNumber compares a column of numbers of the plugin with what SQLite finds in a table of its own.
func TestATextOfANumberIsTheNumber(t *testing.T) {
	t.Parallel()
	f := open(t, 0)
	f.query(t, "create temp table own (size bigint); insert into own values (7)")
	for _, value := range []string{
		"7", "'7'", "'07'", "' 7'", "'7 '", "'+7'", "7.0", "'7.0'", "'7e0'", "(select '07')", "7.5", "'7.5'", "'0x7'", "'7x'", "''", "'seven'", "null", "x'37'",
	} {
		want := f.query(t, "select size from own where size = "+value)
		if got := f.query(t, "select size from fake_pair where kind = 'a' and size = "+value); got != want {
			t.Errorf("size = %s: %q, want %q", value, got, want)
		}
	}
	f.query(t, "create temp table texts (size text); insert into texts values ('07'), ('x')")
	if got := f.query(t, "select p.size from texts join fake_pair p on p.kind = 'a' and p.size = texts.size"); got != "7" {
		t.Errorf("a join with texts: %q", got)
	}
}

// TestConditionsOnTheRowIDAreLeftToSQLite has some with a LIMIT, which is then not that of the plugin's rows.
func TestConditionsOnTheRowIDAreLeftToSQLite(t *testing.T) {
	t.Parallel()
	f := open(t, 3)
	for condition, want := range map[string]string{
		"rowid is not null": "192.0.2.1\n192.0.2.2", "rowid is null": "", "rowid in (1, 2)": "", "rowid = 7": "",
		"_rowid_ in (select rowid from fake_address where ip = '192.0.2.2')": "192.0.2.2",
	} {
		if got := f.query(t, "select ip from (select ip from fake_address where ip in ('192.0.2.1', '192.0.2.2') and "+condition+" limit 2) order by ip"); got != want {
			t.Errorf("%s: %q, want %q", condition, got, want)
		}
	}
}

package embedded_test

import "testing"

func TestASubqueryWithoutTheColumnIsRefused(t *testing.T) {
	t.Parallel()
	const want = "f has no column ip; its columns are src_ip, user"
	for name, tt := range map[string]struct{ sql, want string }{
		"as the only condition": {sql: "select * from fake_address where ip in (select ip from f)"},
		"beside a source":       {sql: "select * from fake_address where source = 'dataset' and ip in (select ip from f)"},
		"with a condition":      {sql: "select * from fake_address where ip in (select ip from f where user = 'x')"},
		"in capitals":           {sql: "SELECT * FROM fake_address WHERE ip IN (SELECT IP FROM f)", want: "f has no column IP; its columns are src_ip, user"},
		"in quotes":             {sql: `select * from fake_address where "ip" in (select "ip" from f)`},
		"in brackets": {sql: `select * from fake_address where [ip] in ( /* a */ select distinct [ip] -- (b
			from f)`},
		"with an order and a limit": {sql: "select * from fake_address where ip in (select ip from f order by 1 limit 5)"},
		"in an expression":          {sql: "select * from fake_address where ip in (select iphost(trim(ip)) from f)"},
		"with another name":         {sql: "select * from fake_address where ip in (select ip as address from f)"},
		"excluded":                  {sql: "select * from fake_address where source = 'dataset' and ip not in (select ip from f)"},
		"in a union":                {sql: "select * from fake_address where ip in (select src_ip from f union select ip from f)"},
		"as one value":              {sql: "select * from fake_address where ip = (select ip from f)"},
		"where a row exists":        {sql: "select * from fake_address a where source = 'dataset' and exists (select 1 from f where ip = a.ip)"},
		"in a subquery of another":  {sql: "select * from (select * from fake_address where ip in (select ip from f))"},
		"in a common table":         {sql: "with x as (select * from fake_address where ip in (select ip from f)) select * from x"},
		"of a common table": {
			sql:  "with x as (select src_ip from f) select * from fake_address where ip in (select ip from x)",
			want: "x has no column ip; its columns are src_ip",
		},
		"of a common table of another": {
			sql: `with recursive x(n) as (select src_ip from f), y as (select * from x)
				select * from fake_address where ip in (with z as (select * from y) select ip from z)`,
			want: "z has no column ip; its columns are n",
		},
		"of a table of the plugin": {
			sql:  "select * from fake_address where ip in (select ip from fake_pair)",
			want: "fake_pair has no column ip; its columns are kind, size",
		},
		"of two tables": {
			sql:  "select * from fake_address where ip in (select ip from f join g on g.a = f.user)",
			want: "f join g on g.a = f.user has no column ip; its columns are src_ip, user, a",
		},
		"in what makes a table":   {sql: "create temp table t as select * from fake_address where ip in (select ip from f)"},
		"in the second statement": {sql: "select 1; select * from fake_address where ip in (select ip from f); select 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 3)
			f.query(t, "create temp table f (src_ip text, user text); create temp table g (a text)")
			if tt.want == "" {
				tt.want = want
			}
			if _, err := f.run(t.Context(), tt.sql); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if calls := f.plugin.Calls("fake_address"); len(calls) > 0 {
				t.Errorf("the plugin was asked %v", calls)
			}
		})
	}
}

func TestASubqueryMayUseColumnsFromOutside(t *testing.T) {
	t.Parallel()
	f := open(t, 3)
	f.query(t, `create temp table f (src_ip text, user text, weight int);
		insert into f values ('198.51.0.0', 'a', 2), ('198.51.0.1', 'b', 3), ('192.0.2.9', 'c', 4);
		create temp table o (ip text, ports text, n int); insert into o values ('198.51.0.1', '[80,443]', 2)`)
	for sql, want := range map[string]string{
		"select ip from fake_address where ip in (select src_ip from f where user <> 'c') order by 1":                "198.51.0.0\n198.51.0.1",
		"select user from f where src_ip in (select ip from o)":                                                      "b",
		"select user from f where exists (select 1 from o where ip = src_ip)":                                        "b",
		"select user from f where exists (select 1 from o where o.ip = f.src_ip)":                                    "b",
		"select ip from o where exists (select * from f where src_ip = ip)":                                          "198.51.0.1",
		"select ip from o where exists (select ip from f where src_ip = o.ip)":                                       "198.51.0.1",
		"select (select weight * n from f where src_ip = ip) from o":                                                 "6",
		"select ip from o where 6 in (select weight * n from f)":                                                     "198.51.0.1",
		"select ip from o where ip in (select o.ip from f)":                                                          "198.51.0.1",
		"select ip from o where n in (select count(*) c from f where src_ip <> ip)":                                  "198.51.0.1",
		"select (select count(*) c from f) from o":                                                                   "3",
		"select (select count(*) from json_each(ports)) from o":                                                      "2",
		"select ip from o where 443 in (select value from json_each(ports))":                                         "198.51.0.1",
		"select ip from o where ip in (select src_ip as ip from f)":                                                  "198.51.0.1",
		"select ip from o where ip in (select 'ip' from f) or ip in (select x.src_ip from f as x order by x.weight)": "198.51.0.1",
		"with ip(ip) as (select '198.51.0.1') select ip from o where ip in (select ip from ip)":                      "198.51.0.1",
		"select count(*) from f where src_ip in (select ip from (select ip from o))":                                 "1",
		"select '(select ip from f)', \"user\" from f where user = 'a' -- in (select ip from f)":                     "(select ip from f)|a",
	} {
		got, err := f.run(t.Context(), sql)
		if err != nil || got != want {
			t.Errorf("%s\ngot  %q, %v\nwant %q", sql, got, err, want)
		}
	}
}

func FuzzSubqueries(f *testing.F) {
	for _, seed := range []string{"", "(", ")", "(select", "((select a from b))", "with x as (select 1) select (select a from x where", "in (select a from",
		"(with", "(select from)", "(select a from b union select", `("`, "([select", "(select distinct", "(with recursive", "with a(b) as (", "/*", "x'"} {
		f.Add(seed)
	}
	db := open(f, 0)
	f.Fuzz(func(t *testing.T, sql string) {
		// An error is SQLite's to find; the check itself has to come to an end.
		_, _ = db.run(t.Context(), "explain select 1 where 1 in ("+sql+")")
		db.query(t, "select 1")
	})
}

package config_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest/joincheck"
)

// The tests of joincheck are here because this package has the plugin in it anyway.

func TestUnsafeJoinsAreFound(t *testing.T) {
	all := tables(t)
	maps.Copy(all, joincheck.Foreign("aws_x"))
	for name, test := range map[string]struct{ sql, want string }{
		"a comparison beside the key":                    {"select count(*) from t join shodan_ip_reputation r on r.ip = t.ip and r.score > t.id * 1000", "r.score, t.id"},
		"a range beside the key":                         {"select * from g join shodan_service s on s.ip = g.ip and s.port between g.from_port and g.to_port", "s.port, g.from_port, g.to_port"},
		"not exists":                                     {"select * from g where not exists (select 1 from shodan_service s where s.ip = g.ip and s.port between g.from_port and g.to_port)", "s.port"},
		"exists":                                         {"select * from g where exists (select 1 from shodan_service s where s.ip = g.ip and s.port > g.port limit 1)", "s.port"},
		"two equalities beside a given key":              {"select 1 from shodan_fingerprint a join shodan_fingerprint b on b.kind = a.kind and b.value = a.value where a.ip = '192.0.2.1' and b.ip = '192.0.2.2'", "b.value, a.value"},
		"in the where clause":                            {"select 1 from t, shodan_ip_reputation r where r.ip = t.ip and r.score > t.id", "r.score, t.id"},
		"a left join":                                    {"select 1 from t left join shodan_ip_reputation r on r.ip = t.ip and r.level = t.level", "r.level, t.level"},
		"join and where":                                 {"select 1 from t join shodan_ip_reputation r on r.ip = t.ip where r.score > t.id", "r.score, t.id"},
		"names without a table":                          {"select 1 from t join shodan_ip_reputation on ip = address where score > least", "score, least"},
		"using":                                          {"select 1 from t join shodan_service using (ip, port)", "port"},
		"a natural join":                                 {"select 1 from t natural join shodan_service", "natural"},
		"a CTE that PostgreSQL merges":                   {"with r as (select ip, score as s from shodan_ip_reputation) select 1 from t join r on r.ip = t.ip and r.s > t.id", "r.s, t.id"},
		"a CTE that must be merged":                      {"with r as not materialized (select * from shodan_ip_reputation) select 1 from t join r on r.ip = t.ip and r.score > t.id", "r.score, t.id"},
		"a subquery that PostgreSQL merges":              {"select 1 from t join (select * from shodan_ip_reputation) r on r.ip = t.ip and r.score > t.id", "r.score, t.id"},
		"a subquery with new names":                      {"select 1 from t join (select ip, score from shodan_ip_reputation) r (a, b) on r.a = t.ip and r.b > t.id", "r.b, t.id"},
		"a lateral subquery without offset":              {"select 1 from t cross join lateral (select * from shodan_ip_reputation where ip = t.ip) r where r.score > t.id", "r.score, t.id"},
		"the filter inside of offset 0":                  {"select 1 from t cross join lateral (select * from shodan_service where ip = t.ip and port > t.port offset 0) s", "port, t.port"},
		"a subquery that is a value":                     {"select (select max(score) from shodan_ip_reputation r where r.ip = t.ip and r.level = t.level) from t", "r.level, t.level"},
		"another table after in":                         {"select 1 from t join shodan_service s on s.ip = t.ip where s.port in (select port from p)", "s.port"},
		"the table after in":                             {"select 1 from t where (t.ip, t.port) in (select ip, port from shodan_service) and exists (select 1 from shodan_ip_reputation r where r.ip = t.ip and r.score > t.id)", "r.score"},
		"alternatives with the same key":                 {"select 1 from t join shodan_service s on (s.ip = t.ip and s.port = t.a) or (s.ip = t.ip and s.port = t.b)", "s.port, t.a"},
		"inside of a materialized CTE":                   {"with r as materialized (select 1 from t join shodan_ip_reputation r on r.ip = t.ip and r.score > t.id) select * from r", "r.score, t.id"},
		"inside of a union":                              {"select 1 union all select 1 from t join shodan_ip_reputation r on r.ip = t.ip and r.score > t.id", "r.score, t.id"},
		"inside of an insert":                            {"insert into x select 1 from t join shodan_ip_reputation r on r.ip = t.ip and r.score > t.id", "r.score, t.id"},
		"a CTE with the name of its table":               {"with shodan_service as (select * from shodan_service) select 1 from t join shodan_service s on s.ip = t.ip and s.port > t.port", "s.port, t.port"},
		"a table of another plugin":                      {"select 1 from t join aws_x a on a.region = t.region and a.name = t.name", "a.name, t.name"},
		"a third table":                                  {"select 1 from t join shodan_service s on s.ip = t.ip join p on p.port = s.port", "p.port, s.port"},
		"two tables with a column of a third":            {"select 1 from t join shodan_ip_reputation r on r.ip = t.ip join shodan_host h on h.ip = t.ip", "h and r are joined with the same column"},
		"two tables, one after the other":                {"select 1 from t join shodan_ip_reputation r on r.ip = t.ip join shodan_host h on h.ip = r.ip", "h and r are joined with the same column"},
		"a function of both sides":                       {"select 1 from t join shodan_ip_reputation r on r.ip = t.ip and coalesce(r.level, 'low') = lower(t.level)", "r.level, t.level"},
		"a column of the schema's own":                   {"select 1 from t join shodan_ip_reputation r on r.ip = t.ip and r.sp_connection_name = t.name", "r.sp_connection_name"},
		"a table of a schema":                            {"select 1 from t join shodanrep.shodan_ip_reputation on shodan_ip_reputation.ip = t.ip and shodan_ip_reputation.score > t.id", "shodan_ip_reputation.score"},
		"an operator on a column of another table":       {"select 1 from t join shodan_exploit e on e.query = 'cve:' || t.cve", "Steampipe crashes: e.query, t.cve"},
		"an operator on the left":                        {"select 1 from t join shodan_ip_reputation r on t.ip + 1 = r.ip", "Steampipe crashes: t.ip, r.ip"},
		"an operator inside of offset 0":                 {"select 1 from t cross join lateral (select title from shodan_exploit where query = t.names ->> 0 offset 0) e", "Steampipe crashes: query, t.names"},
		"a table whose key columns are all not required": {"select 1 from t join shodan_cve c on c.cve_id = t.cve_id and c.cvss > t.least", "c.cvss, t.least"},
		"a limit and an order by an expression":          {"select * from shodan_search where query = 'x' order by lower(org) limit 5", "shodan_search has a limit and orders by an expression"},
		"a limit and a second key that is an expression": {"select * from shodan_search where query = 'x' order by port, lower(org) desc limit 5", "orders by an expression"},
		"a limit and an order by an expression's name":   {"select ip, lower(org) as o from shodan_search where query = 'x' order by o limit 5", "orders by an expression"},
		"a limit and an order by an expression's place":  {"select ip, lower(org) from shodan_search where query = 'x' order by 2 limit 5", "orders by an expression"},
		"a limit over a CTE that PostgreSQL merges":      {"with s as (select * from shodan_search where query = 'x') select * from s order by lower(org) limit 5", "orders by an expression"},
		"a limit in a subquery":                          {"select count(*) from (select * from shodan_search where query = 'x' order by lower(org) limit 5) s", "orders by an expression"},
		"a limit and a window function":                  {"select ip, count(*) over () from shodan_search where query = 'x' limit 5", "a window function"},
		"a limit and a function that returns rows":       {"select jsonb_array_elements_text(hostnames) from shodan_search where query = 'x' limit 5", "returns rows"},
		"a limit of another plugin's table":              {"select * from aws_x order by lower(name) limit 5", "orders by an expression"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := joincheck.Problems(test.sql, all)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(found, "\n"), test.want) {
				t.Errorf("found %q, want %q", found, test.want)
			}
		})
	}
}

func TestSafeJoinsPass(t *testing.T) {
	all := tables(t)
	maps.Copy(all, joincheck.Foreign("aws_x"))
	for name, sql := range map[string]string{
		"a table of another plugin, by its key":   "select 1 from aws_x a join shodan_ip_reputation r on r.ip = a.ip where a.region = 'x'",
		"a table of another plugin with offset 0": "select 1 from t left join (select region, name from aws_x offset 0) a on a.region = t.region and a.name = t.name",
		"the key alone":                        "select 1 from t join shodan_ip_reputation r on r.ip = t.ip where r.score > 10 and t.id > 5 and r.level in ('high')",
		"a left join with the key alone":       "select 1 from t left join shodan_ip_reputation r on r.ip = t.ip",
		"a function":                           "select 1 from t join shodan_reputation(array(select ip from t)) r on r.ip = t.ip and r.score > t.id",
		"a materialized CTE":                   "with r as materialized (select t.id, r.* from t join shodan_ip_reputation r on r.ip = t.ip) select 1 from r where score > id",
		"a materialized CTE, joined again":     "with r as materialized (select r.* from t join shodan_ip_reputation r on r.ip = t.ip) select 1 from t join r on r.ip = t.ip and r.score > t.id",
		"a lateral subquery with offset 0":     "select 1 from t cross join lateral (select * from shodan_service where ip = t.ip offset 0) s where s.port between t.a and t.b",
		"a subquery with offset 0":             "select 1 from (select t.a, t.b, s.port from t join shodan_service s on s.ip = t.ip offset 0) s where s.port between s.a and s.b",
		"slices":                               "select 1 from u cross join lateral (select ip, score from shodan_ip_reputation where ip = any (u.ips) offset 0) r join t on t.ip = r.ip and t.id < r.score",
		"a table without key columns":          "select 1 from t join shodan_service_name n on n.port = t.port and n.name <> t.name",
		"a table that is not the plugin's":     "select 1 from t join u on u.ip = t.ip and u.score > t.id",
		"lists of a row":                       "select 1 from shodan_ip_reputation r cross join lateral jsonb_array_elements(r.factors) as f (factor) where r.ip = '192.0.2.1' and f.factor ->> 'factor' = 'tags'",
		"exists in a list of the row":          "select 1 from t join shodan_ip_reputation r on r.ip = t.ip where exists (select 1 from jsonb_array_elements_text(r.tags) as x (tag) where x.tag = 'c2')",
		"a value that depends on nothing":      "select 1 from t join shodan_ip_reputation r on r.ip = t.ip where r.score > (select avg(score) from x)",
		"an operator inside of a fence":        "select 1 from t cross join lateral (select 'cve:' || t.cve as query offset 0) q cross join lateral (select title from shodan_exploit where query = q.query offset 0) e",
		"an operator on a constant":            "select 1 from shodan_cve where published_time > now() - interval '1 day' and cve_id = 'CVE-' || '2021-44228'",
		"two tables, one after a materialized": "with r as materialized (select r.ip from t join shodan_ip_reputation r on r.ip = t.ip) select 1 from r join shodan_host h on h.ip = r.ip",
		"two tables of the dataset":            "select 1 from shodan_fingerprint f join shodan_host h on h.ip = f.ip where f.source = 'dataset' and h.source = 'dataset'",
		"one column of two outside a fence":    "select count(*) from (select ip from shodan_host where ip in ('192.0.2.1') group by ip) h join t on t.ip = h.ip",
		"a limit and an order by a column":     "select ip as org, lower(org) as o from shodan_search where query = 'x' order by org, 1 limit 5",
		"a limit of all":                       "select * from shodan_search where query = 'x' order by lower(org) limit all",
		"a limit of groups":                    "select lower(org), count(*) from shodan_search where query = 'x' group by 1 order by 2 desc, 1 limit 5",
		"a limit of a materialized CTE":        "with s as materialized (select * from shodan_search where query = 'x') select * from s order by lower(org) limit 5",
		"a limit and a function in from":       "select ip, name from shodan_search cross join lateral jsonb_array_elements_text(hostnames) as h (name) where query = 'x' order by lower(name) limit 5",
	} {
		t.Run(name, func(t *testing.T) {
			found, err := joincheck.Problems(sql, all)
			if err != nil || len(found) > 0 {
				t.Errorf("%q, %v", found, err)
			}
		})
	}
}

func TestWhatPostgreSQLCannotParseIsAnError(t *testing.T) {
	if _, err := joincheck.Problems("select from where", tables(t)); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("got %v", err)
	}
}

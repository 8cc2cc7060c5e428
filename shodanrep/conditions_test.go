package shodanrep

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// PostgreSQL checks the conditions of a query against each row again. The row of an address whose lookup failed must
// satisfy all that the query can have, or nobody sees that the address was not checked.
func TestTheRowOfAFailedLookupSatisfiesTheConditions(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	sim.Fault(shodantest.Fault{Target: bad, Status: 418, Body: `{"error": "no"}`})
	s := mustConnect(t, keyed(sim))
	values := map[string]*proto.QualValue{
		"source": texts("shodan"), "policy": texts("baseline", "extended"), "history": truth(true), "minify": truth(true),
		"value": texts("7", "8"), "organization": texts("Example Hosting"), "asn": texts("AS64500"), "pivot": texts("jarm", "ja3s"),
	}
	all, err := tables(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range all {
		quals := map[string]*proto.QualValue{}
		for _, key := range table.List.KeyColumns {
			if value := values[key.Name]; value != nil {
				quals[key.Name] = value
			} else if key.Name != "ip" && slices.Contains(key.Operators, "=") && table.List.KeyColumns.Find("ip") != nil {
				t.Errorf("%s: the test has no value of the key column %s", name, key.Name)
			}
		}
		if name == "shodan_fingerprint_correlation" {
			quals["pivot"] = texts("favicon", "banner_hash")
		}
		if table.List.KeyColumns.Find("ip") == nil {
			continue
		}
		for _, ip := range []string{bad, "11.0.0.0/24"} {
			quals["ip"] = inets(ip)
			rows := s.mustRun(t, query{table: name, quals: quals})
			if len(rows) == 0 {
				t.Errorf("%s: no row of %s", name, ip)
			}
			for _, r := range rows {
				for column, value := range quals {
					if !satisfies(r[column], value) {
						t.Errorf("%s: the row of %s has %s = %v, which is not %v", name, ip, column, r[column], value)
					}
				}
			}
		}
	}
}

// No row has an empty source: a query for one would look up, and then return nothing.
func TestAnEmptySourceIsAnError(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, keyed(simulate(t)))
	all, err := tables(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range all {
		if table.List.KeyColumns.Find("source") == nil {
			continue
		}
		quals := map[string]*proto.QualValue{"ip": inets(bad), "source": texts("")}
		if table.List.KeyColumns.Find("network") != nil {
			quals = map[string]*proto.QualValue{"network": inets(bad), "source": texts("")}
		}
		if rows, err := s.run(t, query{table: name, quals: quals}); err == nil || !strings.Contains(err.Error(), `source = "" is no source`) {
			t.Errorf("%s: %d rows, error %v", name, len(rows), err)
		}
	}
}

// satisfies reports whether a column equals the value of a condition, or one of its list.
func satisfies(value any, condition *proto.QualValue) bool {
	if list := condition.GetListValue(); list != nil {
		return slices.ContainsFunc(list.Values, func(one *proto.QualValue) bool { return satisfies(value, one) })
	}
	switch condition := condition.Value.(type) {
	case *proto.QualValue_StringValue:
		return value == condition.StringValue
	case *proto.QualValue_BoolValue:
		return value == condition.BoolValue
	case *proto.QualValue_InetValue:
		return value == condition.InetValue.Addr || value == condition.InetValue.Cidr
	}
	return false
}

// TestAJoinWithAList is about x join t on t.ip = x.ip where t.ip in (…): in a nested loop Steampipe passes on both the value
// of x and the list. Only that value is looked up, and a network or a reserved address of x, which is not, does not make the
// others wait for it.
func TestAJoinWithAList(t *testing.T) {
	t.Parallel()
	list := []string{"11.0.0.0/24", bad, good, "10.1.2.3", "::ffff:" + empty}
	for _, table := range []string{"shodan_ip_reputation", "shodan_reputation_factor", "shodan_service", "shodan_host", "shodan_reputation_history"} {
		for joined, requests := range map[string]int{"11.0.0.0/24": 0, "10.1.2.3": 0, bad: 1, bad + "/32": 1, "::ffff:" + empty: 1, "11.0.0.99": 0} {
			for name, conditions := range map[string][]*proto.Qual{
				"the list last":  {equals("ip", inets(joined)), equals("ip", inets(list...))},
				"the list first": {equals("ip", inets(list...)), equals("ip", inets(joined))},
			} {
				if table == "shodan_reputation_history" {
					requests = 0 // it has a row of each address, and requests nothing
				}
				sim := simulate(t)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				rows, err := mustConnect(t, free(sim)).runContext(ctx, t, query{table: table, others: map[string]*proto.Quals{"ip": {Quals: conditions}}})
				cancel()
				if err != nil || sim.Count("") != requests {
					t.Errorf("%s, %s, %s: %d requests, want %d, error %v", table, joined, name, sim.Count(""), requests, err)
				}
				host := strings.TrimSuffix(joined, "/32")
				for _, r := range rows {
					if r["ip"] != host {
						t.Errorf("%s, %s, %s: a row of %v", table, joined, name, r["ip"])
					}
				}
				if wanted := slices.Contains(list, host); wanted != (len(rows) > 0) {
					t.Errorf("%s, %s, %s: %d rows", table, joined, name, len(rows))
				}
			}
		}
	}
	// A policy that is compared twice.
	sim := simulate(t)
	rows, err := mustConnect(t, free(sim)).run(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad)},
		others: map[string]*proto.Quals{"policy": {Quals: []*proto.Qual{equals("policy", texts("baseline")), equals("policy", texts("extended", "baseline"))}}}})
	if err != nil || len(rows) != 1 || rows[0]["policy"] != "baseline" || rows[0]["score"] == nil {
		t.Errorf("%v, error %v", rows, err)
	}
}

// equals makes a condition by equality.
func equals(column string, value *proto.QualValue) *proto.Qual {
	return &proto.Qual{FieldName: column, Operator: &proto.Qual_StringValue{StringValue: "="}, Value: value}
}

// TestSeveralConditionsOnAColumn is about a column that is compared with two lists, or with two values, as a join does with
// ip in ('…') beside on t.ip = x.ip. The SDK passes neither on. The rows are those of what the conditions have in common.
func TestSeveralConditionsOnAColumn(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	sim.AddRecords("example.com", shodantest.Record{Subdomain: "www", Type: "A", Value: bad})
	sim.AddCVE(shodantest.CVE{ID: "CVE-2024-0004", CPEs: []string{"cpe:2.3:a:f5:nginx:1.18.0"}})
	sim.AddExploits(shodantest.Exploit{"_id": "1", "source": "ExploitDB", "description": "apache"})
	s := mustConnect(t, keyed(sim))
	ip, two := []string{bad, good, empty}, []string{"port:443", "port:22", "port:80"}
	for _, test := range []struct {
		table, column string
		values        []string // the second is what both lists have
		beside        map[string]*proto.QualValue
		mayBeEmpty    bool
	}{
		{table: "shodan_ip_reputation", column: "ip", values: ip},
		{table: "shodan_ip_reputation", column: "policy", values: []string{"baseline", "extended", "none"}, beside: map[string]*proto.QualValue{"ip": inets(bad)}},
		{table: "shodan_ip_reputation", column: "source", values: []string{"internetdb", "shodan", "none"}, beside: map[string]*proto.QualValue{"ip": inets(bad, good)}},
		{table: "shodan_host", column: "ip", values: ip},
		{table: "shodan_service", column: "ip", values: ip},
		{table: "shodan_reputation_factor", column: "ip", values: []string{good, bad, empty}},
		{table: "shodan_reputation_history", column: "ip", values: ip},
		{table: "shodan_internetdb", column: "ip", values: ip},
		{table: "shodan_network_reputation", column: "network", values: []string{"11.0.0.8/30", "11.0.0.0/30", "11.0.0.16/30"}},
		{table: "shodan_search", column: "query", values: two},
		{table: "shodan_count", column: "query", values: two},
		{table: "shodan_search_facet", column: "facet", values: []string{"org", "port", "country"}, beside: map[string]*proto.QualValue{"query": texts("port:22")}},
		{table: "shodan_saved_query", column: "search", values: []string{"Germany", "nginx", "rdp"}},
		{table: "shodan_saved_query", column: "sort", values: []string{"timestamp", "votes", "name"}},
		{table: "shodan_dns_resolve", column: "hostname", values: []string{"a.example.com", "www.example.com", "b.example.com"}},
		{table: "shodan_dns_reverse", column: "ip", values: ip},
		{table: "shodan_domain", column: "domain", values: []string{"example.org", "example.com", "example.net"}},
		{table: "shodan_exploit", column: "query", values: []string{"nginx", "apache", "iis"}},
		{table: "shodan_cve", column: "cve_id", values: []string{"CVE-2024-0001", "CVE-2024-0004", "CVE-2024-0005"}},
		{table: "shodan_cve", column: "product", values: []string{"apache", "nginx", "iis"}},
		{table: "shodan_asn_correlation", column: "ip", values: ip, mayBeEmpty: true},
	} {
		values := func(of ...string) *proto.QualValue {
			if test.column == "ip" {
				return inets(of...)
			}
			return texts(of...)
		}
		run := func(conditions ...*proto.QualValue) []row {
			q := query{table: test.table, quals: test.beside}
			compared := &proto.Quals{}
			for _, value := range conditions {
				compared.Quals = append(compared.Quals, equals(test.column, value))
			}
			q.others = map[string]*proto.Quals{test.column: compared}
			return s.mustRun(t, q)
		}
		first, both, last := test.values[0], test.values[1], test.values[2]
		want := run(values(both))
		if len(want) == 0 && !test.mayBeEmpty {
			t.Errorf("%s has no row of %s = %s", test.table, test.column, both)
		}
		for name, rows := range map[string][]row{
			"two lists":        run(values(first, both), values(both, last)),
			"three conditions": run(values(first, both, last), values(both), values(both, last)),
		} {
			if len(rows) != len(want) {
				t.Errorf("%s, %s, %s: %d rows, want %d", test.table, test.column, name, len(rows), len(want))
			}
			for _, r := range rows {
				if !satisfies(r[test.column], values(both)) {
					t.Errorf("%s, %s, %s: a row of %v", test.table, test.column, name, r[test.column])
				}
			}
		}
		before := len(sim.Requests())
		for name, rows := range map[string][]row{
			"two values":     run(values(both), values(last)),
			"nothing common": run(values(first, both), values(last)),
			"other lists":    run(values(first, "11.0.0.99"), values(both, last)),
		} {
			if len(rows) != 0 {
				t.Errorf("%s, %s, %s: %d rows", test.table, test.column, name, len(rows))
			}
		}
		if more := len(sim.Requests()) - before; more != 0 {
			t.Errorf("%s, %s: %d requests for what no row has", test.table, test.column, more)
		}
	}
	// A value that is missing, beside a known one, as of a NULL of another table: the rows of both are not known.
	for _, table := range []string{"shodan_ip_reputation", "shodan_dns_reverse"} {
		conditions := []*proto.Qual{equals("ip", inets(bad)), equals("ip", &proto.QualValue{})}
		_, err := s.run(t, query{table: table, others: map[string]*proto.Quals{"ip": {Quals: conditions}}})
		if err == nil || !strings.Contains(err.Error(), "only known when the query runs") {
			t.Errorf("%s: error %v", table, err)
		}
	}
	// Lists that have several values in common.
	for column, lists := range map[string][]*proto.QualValue{
		"ip":     {inets(bad, good, empty), inets(empty, "11.0.0.99", bad)},
		"search": {texts("nginx", "rdp", "Germany"), texts("Germany", "none", "nginx")},
	} {
		table := map[string]string{"ip": "shodan_ip_reputation", "search": "shodan_saved_query"}[column]
		found := map[any]bool{}
		rows := s.mustRun(t, query{table: table, others: map[string]*proto.Quals{column: {Quals: []*proto.Qual{equals(column, lists[0]), equals(column, lists[1])}}}})
		for _, r := range rows {
			found[r[column]] = true
		}
		if len(found) != 2 || column == "ip" && len(rows) != 2 {
			t.Errorf("%s: rows of %v", table, found)
		}
	}
}

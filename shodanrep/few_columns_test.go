package shodanrep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// sameWithFewColumns checks that a scan of no column has as many rows as one of all columns, and that a scan of each column
// alone has the same values: what a column does not need is neither read nor scored.
func sameWithFewColumns(t *testing.T, s server, q query) {
	t.Helper()
	all := s.mustRun(t, q)
	if len(all) == 0 {
		t.Errorf("%s %v %v has no rows", q.table, q.quals, q.others)
		return
	}
	q.columns = []string{}
	if rows := s.mustRun(t, q); len(rows) != len(all) {
		t.Errorf("%s %v %v: %d rows without a column, and %d with all", q.table, q.quals, q.others, len(rows), len(all))
	}
	for _, column := range slices.Sorted(maps.Keys(all[0])) {
		if strings.HasPrefix(column, "_ctx") || strings.HasPrefix(column, "sp_") || column == "checked_at" {
			continue
		}
		q.columns = []string{column}
		if diff := cmp.Diff(fieldsOf(all, column), fieldsOf(s.mustRun(t, q), column), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s %v %v: the values of %s with all columns (-), and alone (+): %s", q.table, q.quals, q.others, column, diff)
		}
	}
}

func TestRowsOfThePastAreTheSameWithFewColumns(t *testing.T) {
	t.Parallel()
	location := recordedHere(t)
	s := withPast(t, location, recordedPast...)
	recordFailures(t, location, failedPast...)
	between := func(column string) map[string]*proto.Quals {
		both := since(column, ">=", recordedDay(3))
		both[column].Quals = append(both[column].Quals, since(column, "<", recordedDay(6))[column].Quals...)
		return both
	}
	for table, column := range map[string]string{"shodan_reputation_history": "last_checked", "shodan_reputation_change": "changed_at"} {
		for _, others := range []map[string]*proto.Quals{
			nil, since(column, ">", recordedDay(4)), since(column, "<=", recordedDay(5)), since(column, "<", recordedDay(3)), between(column),
		} {
			sameWithFewColumns(t, s, query{table: table, others: others})
		}
		for _, quals := range []map[string]*proto.QualValue{
			{"ip": inets("203.0.114.1", "203.0.114.2", "2001:db9::1")}, {"source": texts("internetdb")},
			{"ip": inets("203.0.114.1"), "source": texts("internetdb", "shodan"), "policy": texts("baseline", "extended")},
		} {
			sameWithFewColumns(t, s, query{table: table, quals: quals, others: between(column)})
		}
		// Of these there is a row only if the time has no bound.
		sameWithFewColumns(t, s, query{table: table, quals: map[string]*proto.QualValue{
			"ip": inets("203.0.114.4", "203.0.114.99", "10.0.0.1", "203.0.114.0/24", "2001:db9::4"),
		}})
	}
}

func TestRowsOfAddressesAreTheSameWithFewColumns(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: "11.0.0.1", Ports: []int{4444, 22, 443}, Tags: []string{"vpn", "c2"}, Vulns: manyVulns, Hostnames: []string{"bad.example.com"}, Org: "Example", ASN: "AS64496"})
	sim.AddHost(shodantest.Host{IP: "11.0.0.2", Ports: []int{80}})
	config := fmt.Sprintf("api_url = %q\ninternetdb_url = %q\napi_key = %q\ncache = \"memory\"\nhistory_store = \"off\"\nrequests_per_second = 1000\ninternetdb_requests_per_second = 1000\nallow_list = [\"AS64496 ours\"]\n", sim.APIURL(), sim.InternetDBURL(), shodantest.Key)
	s := mustConnect(t, config)
	for _, source := range []lookup.Source{lookup.Shodan, lookup.InternetDB} {
		quals := map[string]*proto.QualValue{"source": texts(string(source))}
		for _, policy := range []string{"baseline", "extended"} {
			quals["policy"] = texts(policy)
			quals["ip"] = inets("11.0.0.1", "11.0.0.2", "11.0.0.3", "10.0.0.1", "11.0.0.0/8")
			for _, table := range []string{"shodan_ip_reputation", "shodan_reputation_factor"} {
				sameWithFewColumns(t, s, query{table: table, quals: maps.Clone(quals)})
			}
			delete(quals, "ip")
			quals["network"] = inets("11.0.0.0/30")
			sameWithFewColumns(t, s, query{table: "shodan_network_reputation", quals: maps.Clone(quals)})
			delete(quals, "network")
		}
	}
}

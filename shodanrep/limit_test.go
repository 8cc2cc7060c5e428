//lint:file-ignore SA1019 older versions of Steampipe pass the LIMIT of the query, and none for each connection

package shodanrep

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// Steampipe passes the LIMIT of a query that orders by an expression, and needs all rows to find the first ones.
func TestALimitOfSteampipeIsUsedOnlyWhereRowsCost(t *testing.T) {
	all, err := tables(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var limited []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		request := &proto.ExecuteRequest{
			QueryContext:          &proto.QueryContext{Limit: &proto.NullableInt{Value: 3}},
			ExecuteConnectionData: map[string]*proto.ExecuteConnectionData{"test": {Limit: &proto.NullableInt{Value: 3}}},
		}
		scan.DropLimit(all[name], request)
		if (request.QueryContext.Limit == nil) != (request.ExecuteConnectionData["test"].Limit == nil) {
			t.Errorf("%s: one limit remains", name)
		}
		if request.QueryContext.Limit != nil {
			limited = append(limited, name)
		}
	}
	want := []string{
		"shodan_asn_correlation", "shodan_cve", "shodan_domain", "shodan_exploit", "shodan_fingerprint_correlation", "shodan_network_reputation",
		"shodan_org_correlation", "shodan_saved_query", "shodan_scan", "shodan_search", "shodan_ssl_correlation",
	}
	if diff := cmp.Diff(want, limited); diff != "" {
		t.Error(diff)
	}
}

func TestALimitOfSteampipeDoesNotShortenAListOfAddresses(t *testing.T) {
	sim := simulate(t)
	ips := []string{}
	for _, a := range sim.Generate(50) {
		ips = append(ips, a.String())
	}
	s := mustConnect(t, free(sim))
	if rows := s.mustRun(t, query{table: "shodan_ip_reputation", limit: 3, quals: map[string]*proto.QualValue{"ip": inets(ips...)}}); len(rows) != 50 {
		t.Errorf("%d rows, want 50", len(rows))
	}
}

// Package shodanrep is the plugin: what SQL sees. It has the tables and their columns (table_*.go, columns_*.go) and the
// arguments of a connection (connection_*.go). Package scan makes the rows; its comment says how to add a table.
package shodanrep

import (
	"context"
	"os"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// freeMemory is the variable that tells the SDK after how many rows to collect garbage and hand memory back. Its
// default also does that at the first row of every call, which costs a join most of its time: each of its addresses is
// a call.
const freeMemory = "STEAMPIPE_FREE_MEM_INTERVAL"

// pluginName is the name by which Steampipe finds the plugin in its process.
const pluginName = "steampipe-plugin-shodanrep"

// Plugin returns the Steampipe plugin with all its tables.
func Plugin(context.Context) *plugin.Plugin {
	if _, set := os.LookupEnv(freeMemory); !set {
		os.Setenv(freeMemory, "0")
	}
	return &plugin.Plugin{
		Name: pluginName,
		ConnectionConfigSchema: &plugin.ConnectionConfigSchema{
			NewInstance: func() any { return &connectionBody{} },
		},
		// With this the SDK queries only the members of an aggregator that where sp_connection_name = … names.
		ConnectionKeyColumns: []plugin.ConnectionKeyColumn{{Name: "sp_connection_name", Hydrate: connectionName}},
		TableMapFunc:         tables,
		// No rate limiters of the SDK's: package ratelimit keeps the services' limits. The tables' tags are for limiters that
		// a user defines.
	}
}

// tables returns the table map. It does not look at the connection: the SDK calls it for one connection only, which is
// chosen by chance, and an error here would fail all connections that start with it. A wrong argument fails the queries
// of its connection.
func tables(ctx context.Context, _ *plugin.TableMapData) (map[string]*plugin.Table, error) {
	return map[string]*plugin.Table{
		"shodan_account_profile":         tableShodanAccountProfile(ctx),
		"shodan_alert":                   tableShodanAlert(ctx),
		"shodan_api_info":                tableShodanAPIInfo(ctx),
		"shodan_asn_correlation":         tableShodanASNCorrelation(ctx),
		"shodan_count":                   tableShodanCount(ctx),
		"shodan_cve":                     tableShodanCVE(ctx),
		"shodan_dns_resolve":             tableShodanDNSResolve(ctx),
		"shodan_dns_reverse":             tableShodanDNSReverse(ctx),
		"shodan_domain":                  tableShodanDomain(ctx),
		"shodan_exploit":                 tableShodanExploit(ctx),
		"shodan_fingerprint":             tableShodanFingerprint(ctx),
		"shodan_fingerprint_correlation": tableShodanFingerprintCorrelation(ctx),
		"shodan_host":                    tableShodanHost(ctx),
		"shodan_host_history":            tableShodanHostHistory(ctx),
		"shodan_internetdb":              tableShodanInternetDB(ctx),
		"shodan_ip_reputation":           tableShodanIPReputation(ctx),
		"shodan_network_reputation":      tableShodanNetworkReputation(ctx),
		"shodan_org_correlation":         tableShodanOrgCorrelation(ctx),
		"shodan_port":                    tableShodanPort(ctx),
		"shodan_protocol":                tableShodanProtocol(ctx),
		"shodan_reputation_change":       tableShodanReputationChange(ctx),
		"shodan_reputation_factor":       tableShodanReputationFactor(ctx),
		"shodan_reputation_history":      tableShodanReputationHistory(ctx),
		"shodan_saved_query":             tableShodanSavedQuery(ctx),
		"shodan_scan":                    tableShodanScan(ctx),
		"shodan_search":                  tableShodanSearch(ctx),
		"shodan_search_facet":            tableShodanSearchFacet(ctx),
		"shodan_search_filter":           tableShodanSearchFilter(ctx),
		"shodan_service":                 tableShodanService(ctx),
		"shodan_service_name":            tableShodanServiceName(ctx),
		"shodan_ssl_correlation":         tableShodanSSLCorrelation(ctx),
		"shodan_vulnerability":           tableShodanVulnerability(ctx),
	}, nil
}

// newTable joins what SQL sees of a table with how its rows are made.
func newTable(seen *plugin.Table, made scan.Table) *plugin.Table {
	return scan.Define(seen, made, scanSettings)
}

// connectionName returns the name of the connection that a call is for.
func connectionName(_ context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	return d.Connection.Name, nil
}

package matrix

import (
	"fmt"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The addresses in the queries. The fault is on the target and must not change the results for the others.
const (
	target    = "11.0.7.1"
	neighbour = "11.0.7.2"
	unknown   = "11.0.7.9"
	private   = "10.0.0.1"
)

// An endpointCase is one endpoint of a service, and the SQL that sends requests to it.
type endpointCase struct {
	name     string
	service  string
	endpoint string // of the fault; empty for all
	faultOn  string // of the fault; empty for all
	sql      string
	// key is the column whose values are in the query. It is empty for a table that is one list: a fault fails the
	// query.
	key string
	// all is true if one request has all values of the query, so that the fault affects all of them.
	all bool
	// fallback is true if the targets can be looked up without the endpoint, so that correct rows are expected.
	fallback bool
	// keyless leaves the API key out of the connection.
	keyless bool
	// arguments are further arguments of the connection.
	arguments string
}

var addresses = fmt.Sprintf("('%s')", strings.Join([]string{target, neighbour, unknown, private}, "', '"))

// hostTable returns a case for a table with rows for each address, whose requests are for one address each.
func hostTable(table, service string) endpointCase {
	c := endpointCase{
		name: table + " from " + service, service: service, endpoint: shodantest.EndpointHost, faultOn: target, key: "ip",
		sql: fmt.Sprintf("select * from %s where ip in %s and source = '%s'", table, addresses, service),
	}
	if service == shodantest.InternetDB {
		c.endpoint, c.keyless = "", true
	}
	return c
}

// list returns a case for a table that is one list of the REST API.
func list(table, endpoint, condition string) endpointCase {
	return endpointCase{name: table, service: shodantest.Shodan, endpoint: endpoint, sql: "select * from " + table + condition}
}

// endpointCases returns every endpoint that a table sends requests to.
func endpointCases() []endpointCase {
	bulk := hostTable("shodan_ip_reputation", shodantest.Shodan)
	bulk.name, bulk.endpoint, bulk.faultOn, bulk.all = "bulk lookup", shodantest.EndpointHosts, "", true
	bulk.fallback = true
	bulk.arguments = `bulk_lookup = "on"`
	correlation := func(table, pivot string) endpointCase {
		return endpointCase{
			name: table, service: shodantest.Shodan, endpoint: shodantest.EndpointSearch, key: "ip",
			sql: fmt.Sprintf("select * from %s where ip = '%s'%s", table, target, pivot),
		}
	}
	internetDBTable := hostTable("shodan_internetdb", shodantest.InternetDB)
	internetDBTable.sql = "select * from shodan_internetdb where ip in " + addresses
	history := hostTable("shodan_host_history", shodantest.Shodan)
	history.sql = "select * from shodan_host_history where ip in " + addresses
	return []endpointCase{
		hostTable("shodan_ip_reputation", shodantest.Shodan),
		hostTable("shodan_ip_reputation", shodantest.InternetDB),
		bulk,
		hostTable("shodan_reputation_factor", shodantest.InternetDB),
		hostTable("shodan_service", shodantest.Shodan),
		hostTable("shodan_service", shodantest.InternetDB),
		hostTable("shodan_host", shodantest.Shodan),
		history,
		internetDBTable,
		hostTable("shodan_fingerprint", shodantest.Shodan),
		hostTable("shodan_vulnerability", shodantest.InternetDB),
		{
			name: "shodan_network_reputation", service: shodantest.InternetDB, faultOn: target, key: "ip", keyless: true,
			sql: "select * from shodan_network_reputation where network = '11.0.7.0/29'",
		},
		correlation("shodan_ssl_correlation", " and pivot = 'subject_cn'"),
		correlation("shodan_org_correlation", ""),
		correlation("shodan_asn_correlation", ""),
		correlation("shodan_fingerprint_correlation", ""),
		{
			name: "shodan_dns_reverse", service: shodantest.Shodan, endpoint: "/dns/reverse", key: "ip", all: true,
			sql: "select * from shodan_dns_reverse where ip in ('" + target + "', '" + neighbour + "')",
		},
		{
			name: "shodan_dns_resolve", service: shodantest.Shodan, endpoint: "/dns/resolve", key: "hostname", all: true,
			sql: "select * from shodan_dns_resolve where hostname in ('a.example.com', 'b.example.com')",
		},
		list("shodan_domain", shodantest.EndpointDomain, " where domain = 'example.com'"),
		list("shodan_search", shodantest.EndpointSearch, " where query = 'port:443'"),
		list("shodan_count", shodantest.EndpointCount, " where query = 'port:443'"),
		list("shodan_search_facet", shodantest.EndpointCount, " where query = 'port:443' and facet = 'port'"),
		list("shodan_search_filter", "/shodan/host/search/filters", ""),
		list("shodan_api_info", shodantest.EndpointInfo, ""),
		list("shodan_account_profile", "/account/profile", ""),
		list("shodan_port", "/shodan/ports", ""),
		list("shodan_protocol", "/shodan/protocols", ""),
		list("shodan_service_name", "/shodan/services", ""),
		list("shodan_saved_query", "/shodan/query", ""),
		list("shodan_scan", "/shodan/scans", ""),
		list("shodan_alert", "/shodan/alert/info", ""),
		{
			name: "shodan_cve", service: shodantest.CVEDB, endpoint: shodantest.EndpointCVE, keyless: true,
			sql: "select * from shodan_cve where cve_id in ('CVE-2024-0001')",
		},
		{
			name: "shodan_cve by product", service: shodantest.CVEDB, endpoint: shodantest.EndpointCVEs, keyless: true,
			sql: "select * from shodan_cve where product = 'shop'",
		},
		{
			name: "shodan_exploit", service: shodantest.Exploits, endpoint: shodantest.EndpointExploitSearch,
			sql: "select * from shodan_exploit where query = 'httpd'",
		},
	}
}

// populate adds the data for the queries to the simulator.
func populate(sim *shodantest.Simulator) {
	expires := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, ip := range []string{target, neighbour, "11.0.7.3"} {
		sim.AddHost(shodantest.Host{
			IP: ip, Org: "Example Hosting", ASN: "AS64500", Hostnames: []string{string(rune('a'+i)) + ".example.com"},
			Tags: []string{"self-signed"}, Vulns: []string{"CVE-2024-0001", "CVE-2024-0002"},
			Banners: []map[string]any{
				{"port": 443, "transport": "tcp", "product": "nginx", "ssl": shodantest.TLS("shared.example.com", expires)},
				{"port": 8080, "transport": "tcp", "product": "nginx"},
			},
		})
	}
	for _, id := range []string{"CVE-2024-0001", "CVE-2024-0002"} {
		sim.AddCVE(shodantest.CVE{
			ID: id, CVSS: 7.5, CVSSVersion: 3.1, EPSS: 0.5, RankingEPSS: 0.97, KEV: true,
			Published: time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC), CPEs: []string{"cpe:2.3:a:example:shop:1.0"},
		})
	}
	sim.AddExploits(shodantest.Exploit{"_id": "1", "source": "ExploitDB", "description": "httpd", "cve": []string{"CVE-2024-0001"}})
	sim.AddRecords("example.com", shodantest.Record{Subdomain: "www", Type: "A", Value: target})
}

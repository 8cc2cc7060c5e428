package shodanrep

import (
	"context"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanIPReputation(context.Context) *plugin.Table {
	return newTable(&plugin.Table{
		Name:        "shodan_ip_reputation",
		Description: "The reputation score of an IP address, the reasons for the score, and the services that the address exposes. One row per address in the query, for every status.",
		Columns: append([]*plugin.Column{
			inet("ip", ipDescription, func(t *scan.Target) string { return t.Echo() }),
			text("title", "The display name of the row: the address.", func(t *scan.Target) string { return t.Given }),
		}, reputationColumns()...),
	}, scan.Table{
		Keys:     addressKeys(),
		Echoes:   []string{"ip", "title"},
		Scores:   true,
		Unscored: unscoredColumns,
		Action:   "host",
		Rows:     scan.OnePerTarget(reputationNeeds),
	})
}

// unscoredColumns are the columns of an address and those of reputationColumns that need no score.
var unscoredColumns = []string{
	"ip", "title", "source", "status", "error", "policy", "organization", "country", "asn", "isp", "country_code", "city", "latitude", "longitude",
	"os", "domains", "last_update", "ports", "hostnames", "vulns", "tags", "port_count", "vuln_count", "cpes", "services", "first_seen", "checked_at",
}

// reputationColumns are all columns but the address, for every table whose rows score one.
func reputationColumns() []*plugin.Column {
	type row = *scan.Verdict
	return slices.Concat(answerColumns(), []*plugin.Column{
		integer("score", "The score of the address. A higher score is worse; 0 means that the policy found nothing. Null if there is no data.", func(r row) any { return scoreOf(r) }),
		text("level", "The level of the score: critical, high, medium or low; unknown if there is no data.", func(r row) string { return string(r.Level()) }),
		text("policy", policyDescription, func(r row) string { return r.PolicyName() }),
		number("confidence", "The confidence in the score, from 0 to 1. It depends on the source, the age of the data, verified vulnerabilities and signs of a honeypot. Null if there is no data.", scored(func(r *reputation.Result) *float64 { return r.Confidence })),
		jsonb("factors", "The reasons for the score: a list of {factor, points, detail, evidence}. The points add up to the score.", scored(func(r *reputation.Result) any { return r.Factors })),
		text("organization", "The organization that the address is assigned to.", host(func(h *shodan.Host) string { return string(h.Organization) })),
		text("country", "The country where the address is registered.", host(func(h *shodan.Host) string { return string(h.CountryName) })),
	}, hostColumns(), summaryColumns(), []*plugin.Column{
		integer("port_count", "The number of open ports.", host(func(h *shodan.Host) any { return len(h.Ports) })),
		jsonb("suspicious_ports", "The open ports that the policy counts, for any factor.", scored(func(r *reputation.Result) []int { return r.SuspiciousPorts })),
		text("hosting_type", "The type of network of the address: residential, business, cloud, cdn, vpn, proxy, tor or bulletproof; unknown if nothing indicates it. InternetDB does not return the autonomous system.", scored(func(r *reputation.Result) string { return r.Hosting.Type })),
		boolean("is_honeypot", "True if the host looks like a honeypot, which pretends to be vulnerable to watch attackers.", scored(func(r *reputation.Result) any { return r.Honeypot })),
		integer("vuln_count", "The number of vulnerabilities found.", host(func(h *shodan.Host) any { return len(h.Vulns) })),
		number("max_cvss", "The highest CVSS score of the vulnerabilities, from 0 to 10. Null if the source does not return it, such as InternetDB.", func(r row) *float64 { return r.VulnerabilitySummary().MaxCVSS }),
		number("max_epss", "The highest EPSS score of the vulnerabilities: the probability of exploitation within the next 30 days, from 0 to 1. Null if the source does not return it, such as InternetDB.", func(r row) *float64 { return r.VulnerabilitySummary().MaxEPSS }),
		integer("kev_count", "The number of vulnerabilities that are known to be exploited, by CISA's catalog. Null if the source does not return it, such as InternetDB and old banners.", func(r row) *int { return r.VulnerabilitySummary().Exploited }),
		integer("verified_vuln_count", "The number of vulnerabilities that Shodan verified by a test, and did not infer from a version. Null if the source does not return it, such as InternetDB.", func(r row) *int { return r.VulnerabilitySummary().Verified }),
		jsonb("cpes", "The products found, as CPE names.", host(func(h *shodan.Host) []string { return h.AllCPEs() })),
		jsonb("services", "The services found: a list of {port, transport, product, version, module, banner, ssl_subject, ssl_issuer, ssl_expires}. InternetDB does not return services.", host(func(h *shodan.Host) []serviceSummary { return servicesOf(h.Banners) })),
		timestamp("first_seen", "Time when Shodan first saw a service of the address. Null unless the policy uses history.", ofPart((*scan.Verdict).Past, func(p *reputation.Past) time.Time { return p.FirstSeen })),
		text("listed", "The list of the connection that contains the address: allow or deny. Null if neither does.", func(r row) string { return string(r.Listing().List) }),
		text("list_reason", "The reason given in the list, or the entry itself if it has no reason.", func(r row) string { return r.Listing().Reason }),
		checkedAt(),
	})
}

// scored gets a column's value from the score, null if there is none.
func scored[V any](get func(*reputation.Result) V) func(*scan.Verdict) V {
	return ofPart((*scan.Verdict).Score, get)
}

func scoreOf(v *scan.Verdict) any {
	return scored(func(r *reputation.Result) any { return r.Score })(v)
}

// reputationNeeds needs a host's summary, or its banners as well, of which only one column has texts. What the policy needs
// is looked up in any case.
func reputationNeeds(selected scan.Columns) lookup.Question {
	return lookup.Question{Banners: selected.Any("services"), Facts: selected.Any("cpes", "confidence", "hosting_type", "max_cvss", "max_epss", "kev_count", "verified_vuln_count")}
}

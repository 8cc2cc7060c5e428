package shodanrep

import (
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanIPReputation(context.Context) *plugin.Table {
	return &plugin.Table{
		Name:        "shodan_ip_reputation",
		Description: "The reputation score of an IP address, the reasons for the score, and the services that the address exposes. One row per address in the query, for every status.",
		List:        &plugin.ListConfig{KeyColumns: judgedKeys(), Hydrate: onePerAddress(wanted), Tags: map[string]string{"service": "shodan", "action": "list"}},
		HydrateConfig: []plugin.HydrateConfig{
			{Func: lookUpReputation, Tags: map[string]string{"service": "shodan", "action": "host"}},
		},
		Cache: noQueryCache(),
		Columns: append([]*plugin.Column{
			inet("ip", ipDescription, func(s *subject) any { return s.echo() }),
			text("title", "The display name of the row: the address.", func(s *subject) any { return s.given }),
		}, hydrated(lookUpReputation, reputationColumns()...)...),
	}
}

// reputationColumns are all columns but the address, for every table whose rows judge one.
func reputationColumns() []*plugin.Column {
	type row = *reputationRow
	return slices.Concat(answerColumns(), []*plugin.Column{
		integer("score", "The score of the address. A higher score is worse; 0 means that the policy found nothing. Null if there is no data.", func(r row) any { return r.score() }),
		text("level", "The level of the score: critical, high, medium or low; unknown if there is no data.", func(r row) any { return string(r.level()) }),
		text("policy", policyDescription, func(r row) any { return r.policy }),
		number("confidence", "The confidence in the score, from 0 to 1. It depends on the source, the age of the data, verified vulnerabilities and signs of a honeypot. Null if there is no data.", judged(func(r *reputation.Result) any { return r.Confidence })),
		list("factors", "The reasons for the score: a list of {factor, points, detail, evidence}. The points add up to the score.", judged(func(r *reputation.Result) any { return r.Factors })),
		text("organization", "The organization that the address is assigned to.", host(func(h *shodan.Host) any { return string(h.Organization) })),
		text("country", "The country where the address is registered.", host(func(h *shodan.Host) any { return string(h.CountryName) })),
	}, hostColumns(), summaryColumns(), []*plugin.Column{
		integer("port_count", "The number of open ports.", host(func(h *shodan.Host) any { return len(h.Ports) })),
		list("suspicious_ports", "The open ports that the policy counts, for any factor.", judged(func(r *reputation.Result) any { return r.SuspiciousPorts })),
		text("hosting_type", "The type of network of the address: residential, business, cloud, cdn, vpn, proxy, tor or bulletproof; unknown if nothing indicates it. InternetDB does not return the autonomous system.", judged(func(r *reputation.Result) any { return r.Hosting.Type })),
		boolean("is_honeypot", "True if the host looks like a honeypot, which pretends to be vulnerable to watch attackers.", judged(func(r *reputation.Result) any { return r.Honeypot })),
		integer("vuln_count", "The number of vulnerabilities found.", host(func(h *shodan.Host) any { return len(h.Vulns) })),
		number("max_cvss", "The highest CVSS score of the vulnerabilities, from 0 to 10. Null if the source does not return it, such as InternetDB.", func(r row) any { return r.detail.MaxCVSS }),
		number("max_epss", "The highest EPSS score of the vulnerabilities: the probability of exploitation within the next 30 days, from 0 to 1. Null if the source does not return it, such as InternetDB.", func(r row) any { return r.detail.MaxEPSS }),
		integer("kev_count", "The number of vulnerabilities that are known to be exploited, by CISA's catalog. Null if the source does not return it, such as InternetDB and old banners.", func(r row) any { return r.detail.Exploited }),
		integer("verified_vuln_count", "The number of vulnerabilities that Shodan verified by a test, and did not infer from a version. Null if the source does not return it, such as InternetDB.", func(r row) any { return r.detail.Verified }),
		list("cpes", "The products found, as CPE names.", host(func(h *shodan.Host) any { return h.AllCPEs() })),
		list("services", "The services found: a list of {port, transport, product, version, module, banner, ssl_subject, ssl_issuer, ssl_expires}. InternetDB does not return services.", host(func(h *shodan.Host) any { return servicesOf(h.Banners) })),
		moment("first_seen", "Time when Shodan first saw a service of the address. Null unless the policy uses history.", func(r row) any { return r.firstSeen() }),
		text("listed", "The list of the connection that contains the address: allow or deny. Null if neither does.", func(r row) any { return string(r.listing.List) }),
		text("list_reason", "The reason given in the list, or the entry itself if it has no reason.", func(r row) any { return r.listing.Reason }),
		checkedAt(),
	})
}

// A reputationRow is what is known of an address and how a policy judges it.
type reputationRow struct {
	answer  lookup.Answer
	policy  string
	result  *reputation.Result // nil where nothing is known
	detail  reputation.VulnerabilitySummary
	past    *reputation.Past // nil where nobody asked
	listing reputation.Listing
}

func (r *reputationRow) became() lookup.Answer { return r.answer }
func (r *reputationRow) host() *shodan.Host    { return r.answer.Host }

// judged makes a column's value of the judgement, and null where there is none.
func judged(get func(*reputation.Result) any) func(*reputationRow) any {
	return func(r *reputationRow) any {
		if r.result == nil {
			return nil
		}
		return get(r.result)
	}
}

func (r *reputationRow) score() any {
	if r.result == nil {
		return nil
	}
	return r.result.Score
}

func (r *reputationRow) level() reputation.Level {
	if r.result == nil {
		return reputation.Unknown
	}
	return r.result.Level
}

func (r *reputationRow) firstSeen() any {
	if r.past == nil {
		return nil
	}
	return moments(r.past.FirstSeen)
}

// wanted is what the columns of a scan need: a host's summary, or its banners as well. What the policy needs comes to
// that whatever the columns.
func wanted(d *plugin.QueryData) lookup.Question {
	return lookup.Question{Banners: needs(d, "services", "cpes", "confidence", "hosting_type", "max_cvss", "max_epss", "kev_count", "verified_vuln_count")}
}

// lookUpReputation fills all columns but the address.
func lookUpReputation(ctx context.Context, d *plugin.QueryData, h *plugin.HydrateData) (any, error) {
	q, s := queryOf(ctx, d), h.Item.(*subject)
	answer, err := q.answer(ctx, s, wanted(d))
	if err != nil {
		return nil, err
	}
	return q.judge(s, answer), nil
}

// judge scores what is known of an address, by the policy that its scan names, or else by the connection's.
func (q *query) judge(s *subject, answer lookup.Answer) *reputationRow {
	policy := q.policies[s.policy]
	row := &reputationRow{answer: answer, policy: policy.Name}
	if answer.Host == nil {
		row.listing = q.settings.lists.Find(s.addr, "")
		return row
	}
	if q.policies.need(lookup.Question{}).History {
		row.answer.Host, row.past = apart(answer.Host)
	}
	facts := factsOf(row.answer.Host, answer.Source, row.past, q.now)
	row.listing = q.settings.lists.Find(s.addr, facts.ASN)
	facts.Listed = row.listing
	if !policy.History {
		facts.Past = nil // another policy of the scan has asked
	}
	row.result, row.detail = new(policy.Score(facts)), facts.VulnerabilitySummary()
	return row
}

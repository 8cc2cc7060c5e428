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
		Description: "How bad an IP address is, why, and what it exposes: one row for every address asked for, whatever became of it.",
		List:        &plugin.ListConfig{KeyColumns: judgedKeys(), Hydrate: onePerAddress(wanted), Tags: map[string]string{"service": "shodan", "action": "list"}},
		HydrateConfig: []plugin.HydrateConfig{
			{Func: lookUpReputation, Tags: map[string]string{"service": "shodan", "action": "host"}},
		},
		Cache: noQueryCache(),
		Columns: append([]*plugin.Column{
			inet("ip", ipDescription, func(s *subject) any { return s.echo() }),
			text("title", "The address, as a name for the row.", func(s *subject) any { return s.given }),
		}, hydrated(lookUpReputation, reputationColumns()...)...),
	}
}

// reputationColumns are all columns but the address, for every table whose rows judge one.
func reputationColumns() []*plugin.Column {
	type row = *reputationRow
	return slices.Concat(answerColumns(), []*plugin.Column{
		integer("score", "The score by the policy: the higher the worse, 0 for nothing found against it. Null where nothing is known.", func(r row) any { return r.score() }),
		text("level", "How bad the score is: critical, high, medium or low; unknown where nothing is known of the address.", func(r row) any { return string(r.level()) }),
		text("policy", policyDescription, func(r row) any { return r.policy }),
		number("confidence", "How sure the score is, from 0 to 1, by the source, the age of the data, whether vulnerabilities were tested, and signs of a honeypot. Null where nothing is known.", judged(func(r *reputation.Result) any { return r.Confidence })),
		list("factors", "Why the score is what it is: a list of {factor, points, detail, evidence} whose points add up to the score.", judged(func(r *reputation.Result) any { return r.Factors })),
		text("organization", "The organization that the address is assigned to.", host(func(h *shodan.Host) any { return string(h.Organization) })),
		text("country", "The country that the address is registered to be in.", host(func(h *shodan.Host) any { return string(h.CountryName) })),
	}, hostColumns(), summaryColumns(), []*plugin.Column{
		integer("port_count", "How many ports are open.", host(func(h *shodan.Host) any { return len(h.Ports) })),
		list("suspicious_ports", "The open ports that count by the policy, whatever for.", judged(func(r *reputation.Result) any { return r.SuspiciousPorts })),
		text("hosting_type", "Who the network of the address is run for: residential, business, cloud, cdn, vpn, proxy, tor or bulletproof; unknown where nothing gives it away. InternetDB knows no autonomous system.", judged(func(r *reputation.Result) any { return r.Hosting.Type })),
		boolean("is_honeypot", "Whether the address only pretends to be vulnerable, to watch attackers.", judged(func(r *reputation.Result) any { return r.Honeypot })),
		integer("vuln_count", "How many vulnerabilities were found.", host(func(h *shodan.Host) any { return len(h.Vulns) })),
		number("max_cvss", "How severe the worst of the vulnerabilities is, from 0 to 10. Null where the source does not say, as InternetDB.", func(r row) any { return r.detail.MaxCVSS }),
		number("max_epss", "The probability that the likeliest of the vulnerabilities is exploited within 30 days, from 0 to 1. Null where the source does not say, as InternetDB.", func(r row) any { return r.detail.MaxEPSS }),
		integer("kev_count", "How many of the vulnerabilities are known to be exploited, by CISA's catalogue. Null where the source does not say, as InternetDB and old banners.", func(r row) any { return r.detail.Exploited }),
		integer("verified_vuln_count", "How many of the vulnerabilities Shodan has tested, and not inferred from a version. Null where the source does not say, as InternetDB.", func(r row) any { return r.detail.Verified }),
		list("cpes", "The products found, as CPE names.", host(func(h *shodan.Host) any { return h.AllCPEs() })),
		list("services", "The services found: a list of {port, transport, product, version, module, banner, ssl_subject, ssl_issuer, ssl_expires}. InternetDB has none.", host(func(h *shodan.Host) any { return servicesOf(h.Banners) })),
		moment("first_seen", "When Shodan first saw a service of the address. Null unless the policy asks for history.", func(r row) any { return r.firstSeen() }),
		text("listed", "The list of the connection that the address is on: allow or deny. Null where it is on neither.", func(r row) any { return string(r.listing.List) }),
		text("list_reason", "Why it is on the list; the entry of the list where that has no reason.", func(r row) any { return r.listing.Reason }),
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

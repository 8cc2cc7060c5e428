package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanIPReputation(context.Context) *plugin.Table {
	type row = *reputationRow
	return &plugin.Table{
		Name:        "shodan_ip_reputation",
		Description: "How bad an IP address is, why, and what it exposes: one row for every address asked for, whatever became of it.",
		List:        &plugin.ListConfig{KeyColumns: addressKeys(), Hydrate: listReputations, Tags: map[string]string{"service": "shodan", "action": "list"}},
		HydrateConfig: []plugin.HydrateConfig{
			{Func: lookUpReputation, Tags: map[string]string{"service": "shodan", "action": "host"}},
		},
		Cache: noQueryCache(),
		Columns: append([]*plugin.Column{
			inet("ip", ipDescription, func(s *subject) any { return s.echo() }),
			text("title", "The address, as a name for the row.", func(s *subject) any { return s.given }),
		}, hydrated(lookUpReputation,
			text("source", sourceDescription, func(r row) any { return string(r.answer.Source) }),
			text("status", statusDescription, func(r row) any { return string(r.answer.Status) }),
			text("error", errorDescription, func(r row) any { return r.answer.Error }),
			integer("score", "The score by the policy: the higher the worse, 0 for nothing found against it. Null where nothing is known.", func(r row) any { return r.score() }),
			text("level", "How bad the score is: critical, high, medium or low; unknown where nothing is known of the address.", func(r row) any { return string(r.level()) }),
			text("policy", "The policy that the score is by.", func(r row) any { return r.policy }),
			list("factors", "Why the score is what it is: a list of {factor, points, detail, evidence} whose points add up to the score.", func(r row) any { return r.factors() }),
			text("organization", "The organization that the address is assigned to.", host(func(h *shodan.Host) any { return string(h.Organization) })),
			text("asn", "The autonomous system that announces the address, such as AS64496.", host(func(h *shodan.Host) any { return string(h.ASN) })),
			text("isp", "The internet service provider.", host(func(h *shodan.Host) any { return string(h.ISP) })),
			text("country", "The country that the address is registered to be in.", host(func(h *shodan.Host) any { return string(h.CountryName) })),
			text("country_code", "That country's two-letter code.", host(func(h *shodan.Host) any { return string(h.CountryCode) })),
			text("city", "The city that the address is registered to be in.", host(func(h *shodan.Host) any { return string(h.City) })),
			number("latitude", "The latitude of that place, in degrees.", host(func(h *shodan.Host) any { return h.Latitude.Ptr() })),
			number("longitude", "The longitude of that place, in degrees.", host(func(h *shodan.Host) any { return h.Longitude.Ptr() })),
			text("os", "The operating system, where a service gives it away.", host(func(h *shodan.Host) any { return string(h.OS) })),
			list("ports", "The open ports, ascending.", host(func(h *shodan.Host) any { return h.Ports })),
			integer("port_count", "How many ports are open.", host(func(h *shodan.Host) any { return len(h.Ports) })),
			list("suspicious_ports", "The open ports that the policy lists as suspicious.", func(r row) any { return r.suspiciousPorts() }),
			list("hostnames", "The names that lead to the address.", host(func(h *shodan.Host) any { return h.Hostnames })),
			list("domains", "The domains of those names.", host(func(h *shodan.Host) any { return h.Domains })),
			list("vulns", "The CVE ids of the vulnerabilities found, sorted. Most are inferred from a version and not verified.", host(func(h *shodan.Host) any { return h.Vulns.IDs() })),
			integer("vuln_count", "How many vulnerabilities were found.", host(func(h *shodan.Host) any { return len(h.Vulns) })),
			list("tags", "Shodan's tags, such as cloud, vpn, self-signed or c2, sorted.", host(func(h *shodan.Host) any { return h.Tags })),
			list("cpes", "The products found, as CPE names.", host(func(h *shodan.Host) any { return h.AllCPEs() })),
			list("services", "The services found: a list of {port, transport, product, version, module, banner, ssl_subject, ssl_issuer, ssl_expires}. InternetDB has none.", host(func(h *shodan.Host) any { return servicesOf(h.Banners) })),
			moment("last_update", "When Shodan last saw a service of the address.", host(func(h *shodan.Host) any { return h.LastUpdate.Ptr() })),
			moment("checked_at", "When the service was asked; an answer from the cache has the time of the question. Null where none was asked.", func(r row) any { return moments(r.answer.CheckedAt) }),
		)...),
	}
}

// A reputationRow is what is known of an address and how the policy judges it.
type reputationRow struct {
	answer lookup.Answer
	policy string
	result *reputation.Result // nil where nothing is known
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

func (r *reputationRow) factors() []reputation.Factor {
	if r.result == nil {
		return nil
	}
	return r.result.Factors
}

func (r *reputationRow) suspiciousPorts() []int {
	if r.result == nil {
		return nil
	}
	return r.result.SuspiciousPorts
}

// host makes a column's value of the host, and null where there is none.
func host(get func(*shodan.Host) any) func(*reputationRow) any {
	return func(r *reputationRow) any {
		if r.answer.Host == nil {
			return nil
		}
		return get(r.answer.Host)
	}
}

// listReputations makes one row for each address, and looks nothing up itself: what is not selected costs nothing.
func listReputations(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	q := queryOf(ctx, d)
	own, all, err := q.subjects(ctx, d)
	if err == nil && q.needsAnswers(d) {
		err = q.ask(ctx, d, own, wanted(d))
	}
	if err != nil {
		return nil, q.fail(ctx, err)
	}
	for s, err := range all {
		if err != nil {
			return nil, q.fail(ctx, err)
		}
		d.StreamListItem(ctx, s)
		if d.RowsRemaining(ctx) == 0 {
			break
		}
	}
	return nil, nil
}

// wanted is what the columns of a scan need: a host's summary, or its banners as well.
func wanted(d *plugin.QueryData) lookup.Question {
	return lookup.Question{Banners: needs(d, "services", "cpes")}
}

// lookUpReputation fills all columns but the address.
func lookUpReputation(ctx context.Context, d *plugin.QueryData, h *plugin.HydrateData) (any, error) {
	q := queryOf(ctx, d)
	answer, err := q.answer(ctx, h.Item.(*subject), wanted(d))
	if err != nil {
		return nil, err
	}
	row := &reputationRow{answer: answer, policy: q.settings.policy.Name}
	if answer.Host != nil {
		result := q.settings.policy.Score(reputation.Host{Ports: answer.Host.Ports, Vulnerabilities: answer.Host.Vulns.IDs(), Tags: answer.Host.Tags})
		row.result = &result
	}
	return row, nil
}

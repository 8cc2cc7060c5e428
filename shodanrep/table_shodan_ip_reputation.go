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
		List:        &plugin.ListConfig{KeyColumns: addressKeys(), Hydrate: onePerAddress(wanted), Tags: map[string]string{"service": "shodan", "action": "list"}},
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
		text("policy", "The policy that the score is by.", func(r row) any { return r.policy }),
		list("factors", "Why the score is what it is: a list of {factor, points, detail, evidence} whose points add up to the score.", func(r row) any { return r.factors() }),
		text("organization", "The organization that the address is assigned to.", host(func(h *shodan.Host) any { return string(h.Organization) })),
		text("country", "The country that the address is registered to be in.", host(func(h *shodan.Host) any { return string(h.CountryName) })),
	}, hostColumns(), summaryColumns(), []*plugin.Column{
		integer("port_count", "How many ports are open.", host(func(h *shodan.Host) any { return len(h.Ports) })),
		list("suspicious_ports", "The open ports that the policy lists as suspicious.", func(r row) any { return r.suspiciousPorts() }),
		integer("vuln_count", "How many vulnerabilities were found.", host(func(h *shodan.Host) any { return len(h.Vulns) })),
		list("cpes", "The products found, as CPE names.", host(func(h *shodan.Host) any { return h.AllCPEs() })),
		list("services", "The services found: a list of {port, transport, product, version, module, banner, ssl_subject, ssl_issuer, ssl_expires}. InternetDB has none.", host(func(h *shodan.Host) any { return servicesOf(h.Banners) })),
		checkedAt(),
	})
}

// A reputationRow is what is known of an address and how the policy judges it.
type reputationRow struct {
	answer lookup.Answer
	policy string
	result *reputation.Result // nil where nothing is known
}

func (r *reputationRow) became() lookup.Answer { return r.answer }
func (r *reputationRow) host() *shodan.Host    { return r.answer.Host }

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
	return q.judge(answer), nil
}

// judge scores what is known of an address.
func (q *query) judge(answer lookup.Answer) *reputationRow {
	row := &reputationRow{answer: answer, policy: q.settings.policy.Name}
	if answer.Host != nil {
		result := q.settings.policy.Score(reputation.Host{Ports: answer.Host.Ports, Vulnerabilities: answer.Host.Vulns.IDs(), Tags: answer.Host.Tags})
		row.result = &result
	}
	return row
}

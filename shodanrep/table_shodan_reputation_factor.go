package shodanrep

import (
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

func tableShodanReputationFactor(context.Context) *plugin.Table {
	type row = *factorRow
	return &plugin.Table{
		Name: "shodan_reputation_factor",
		Description: "The reasons for the score of an IP address, one row each, by any policy. " +
			"An address with nothing against it, or that could not be checked, is one row with a null factor and a status that says which.",
		List:  &plugin.ListConfig{KeyColumns: judgedKeys(), Hydrate: perAddress(wanted, factorRows), Tags: map[string]string{"service": "shodan", "action": "host"}},
		Cache: noQueryCache(),
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(r row) any { return r.echo() }),
			text("policy", policyDescription, func(r row) any { return r.policy }),
		}, answerColumns(), []*plugin.Column{
			text("factor", "The name of the factor, as the policy has it. Null in the one row of an address without factors or without an answer.", factor(func(f *reputation.Factor) any { return f.Factor })),
			integer("points", "What the factor adds to the score; what lowers it is negative. The points of an address add up to its score.", factor(func(f *reputation.Factor) any { return f.Points })),
			text("detail", "The reason, as a sentence.", factor(func(f *reputation.Factor) any { return f.Detail })),
			list("evidence", "What the factor rests on, such as ports, tags or CVE ids: a list, or an object with a list for each fact where the factor looks at several.", factor(func(f *reputation.Factor) any { return f.Evidence })),
			integer("score", "The score of the address by the policy. Null where nothing is known.", func(r row) any { return r.score() }),
			text("level", "How bad the score is: critical, high, medium or low; unknown where nothing is known of the address.", func(r row) any { return string(r.level()) }),
			text("title", "The address and the factor, as a name for the row.", func(r row) any { return r.title() }),
		}),
	}
}

// A factorRow is a factor of an address's score, or an address without one.
type factorRow struct {
	*subject
	*reputationRow
	factor *reputation.Factor
}

func (r *factorRow) title() string {
	if r.factor == nil {
		return r.given
	}
	return r.given + " " + r.factor.Factor
}

// factor makes a column's value of the factor, and null where there is none.
func factor(get func(*reputation.Factor) any) func(*factorRow) any {
	return func(r *factorRow) any {
		if r.factor == nil {
			return nil
		}
		return get(r.factor)
	}
}

// factorRows makes the rows of an address.
func factorRows(q *query, s *subject, answer lookup.Answer) []*factorRow {
	judgement := q.judge(s, answer)
	if judgement.result == nil || len(judgement.result.Factors) == 0 {
		return []*factorRow{{subject: s, reputationRow: judgement}}
	}
	rows := make([]*factorRow, len(judgement.result.Factors))
	for i := range judgement.result.Factors {
		rows[i] = &factorRow{subject: s, reputationRow: judgement, factor: &judgement.result.Factors[i]}
	}
	return rows
}

package shodanrep

import (
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

func tableShodanReputationFactor(context.Context) *plugin.Table {
	type row = *factorRow
	return newTable(&plugin.Table{
		Name: "shodan_reputation_factor",
		Description: "The factors of the score of an IP address, one row per factor, by any policy. " +
			"An address without factors, or whose lookup failed, has one row with a null factor; the status says which.",
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(r row) any { return r.Echo() }),
			text("policy", policyDescription, func(r row) any { return r.PolicyName() }),
		}, answerColumns(), []*plugin.Column{
			text("factor", "The name of the factor in the policy. Null in the only row of an address without factors or whose lookup failed.", factor(func(f *reputation.Factor) any { return f.Factor })),
			integer("points", "The number of points that the factor adds to the score. Negative points lower it. The points of an address add up to its score.", factor(func(f *reputation.Factor) any { return f.Points })),
			text("detail", "The reason, as a sentence.", factor(func(f *reputation.Factor) any { return f.Detail })),
			jsonb("evidence", "The evidence for the factor, such as ports, tags or CVE ids: a list, or an object with a list per fact if the factor uses several facts.", factor(func(f *reputation.Factor) any { return f.Evidence })),
			integer("score", "The score of the address by the policy. Null if there is no data.", func(r row) any { return scoreOf(r.Verdict) }),
			text("level", "The level of the score: critical, high, medium or low; unknown if there is no data.", func(r row) any { return string(r.Level()) }),
			text("title", "The display name of the row: the address and the factor.", func(r row) any { return r.title() }),
		}),
	}, scan.Table{
		Keys:   addressKeys(),
		Scores: true,
		Action: "host",
		Rows:   scan.ManyPerTarget(reputationNeeds, factorRows),
	})
}

// A factorRow is a factor of an address's score, or an address without one.
type factorRow struct {
	*scan.Verdict
	factor *reputation.Factor
}

func (r *factorRow) title() string {
	if r.factor == nil {
		return r.Given
	}
	return r.Given + " " + r.factor.Factor
}

// factor gets a column's value from the factor, null if there is none.
func factor(get func(*reputation.Factor) any) func(*factorRow) any {
	return ofPart(func(r *factorRow) *reputation.Factor { return r.factor }, get)
}

// factorRows makes the rows of an address.
func factorRows(r *scan.Result) []*factorRow {
	verdict := r.Verdict()
	if verdict.Score() == nil || len(verdict.Score().Factors) == 0 {
		return []*factorRow{{Verdict: verdict}}
	}
	factors := verdict.Score().Factors
	rows := make([]*factorRow, len(factors))
	for i := range factors {
		rows[i] = &factorRow{Verdict: verdict, factor: &factors[i]}
	}
	return rows
}

package shodanrep

import (
	"context"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanReputationHistory(context.Context) *plugin.Table {
	type row = *stateRow
	of := func(get func(*reputation.Result) any) func(row) any {
		return func(r row) any { return scored(get)(r.Verdict) }
	}
	return newTable(&plugin.Table{
		Name: "shodan_reputation_history",
		Description: "The past states of IP addresses, as this plugin has recorded them: one row per address, source and state, with its score by any policy. " +
			"The table reads the history store and looks nothing up. An address in the query that was never checked has one row with the status not_checked, and so has each address whose lookups have only failed.",
		Columns: slices.Concat(recordedColumns(), []*plugin.Column{
			timestamp("first_checked", "Time when the source first responded with this state.", func(r row) time.Time { return r.First }),
			timestamp("last_checked", "Time when the source last responded with this state.", func(r row) time.Time { return r.Last }),
		}, failedColumns(), []*plugin.Column{
			integer("checks", "The number of responses with this state.", func(r row) any { return r.checks() }),
			boolean("is_newest", "True if the history store has no newer state of the address by this source.", func(r row) any { return r.newest() }),
			integer("score", "The score of the state. A higher score is worse; 0 means that the policy found nothing. Null if there is no data.", func(r row) any { return scoreOf(r.Verdict) }),
			text("level", "The level of the score: critical, high, medium or low; unknown if there is no data.", func(r row) any { return string(r.Level()) }),
			text("policy", recordedPolicyDescription, func(r row) any { return r.PolicyName() }),
			number("confidence", "The confidence in the score, from 0 to 1, as of first_checked. Null if there is no data.", of(func(s *reputation.Result) any { return s.Confidence })),
			jsonb("factors", "The reasons for the score: a list of {factor, points, detail, evidence}. The points add up to the score.", of(func(s *reputation.Result) any { return s.Factors })),
			text("organization", "The organization that the address is assigned to.", host(func(h *shodan.Host) any { return string(h.Organization) })),
			text("asn", "The autonomous system that announces the address, such as AS64496.", host(func(h *shodan.Host) any { return string(h.ASN) })),
			text("country_code", "The two-letter code of the country where the address is registered.", host(func(h *shodan.Host) any { return string(h.CountryCode) })),
		}, summaryColumns(), []*plugin.Column{
			integer("port_count", "The number of open ports.", host(func(h *shodan.Host) any { return len(h.Ports) })),
			integer("vuln_count", "The number of vulnerabilities found.", host(func(h *shodan.Host) any { return len(h.Vulns) })),
			jsonb("cpes", "The products found, as CPE names.", host(func(h *shodan.Host) any { return h.AllCPEs() })),
			text("title", "The display name of the row: the address and the time of the first check.", func(r row) any { return r.title() }),
		}),
	}, scan.Table{
		Keys:     historyKeys("last_checked"),
		Scores:   true,
		Unscored: slices.Concat(columnsWithoutHost, columnsOfHost),
		AllRows:  true,
		ReadBy:   "ip",
		Rows:     scan.FromPages(listStates),
	})
}

// These columns need no score. columnsWithoutHost do not even need the facts, which take most of the time to read: so the
// rows of a long history can be counted, and addresses be found in it, in seconds.
var (
	columnsWithoutHost = []string{
		"ip", "source", "status", "error", "first_checked", "last_checked", "last_failed", "last_failure", "checks", "is_newest", "policy", "title",
	}
	columnsOfHost = []string{"organization", "asn", "country_code", "ports", "hostnames", "vulns", "tags", "port_count", "vuln_count", "cpes"}
)

// A stateRow is a state of an address, or an address without one.
type stateRow struct{ *scan.Observed }

func (r *stateRow) checks() any {
	if r.Checks == 0 {
		return nil
	}
	return r.Checks
}

func (r *stateRow) newest() any {
	if r.Checks == 0 {
		return nil
	}
	return r.Newest
}

func (r *stateRow) title() string {
	if r.First.IsZero() {
		return r.Given
	}
	return r.Given + " " + r.First.Format(time.RFC3339)
}

// listStates lists the states of the addresses of a call, or of all. An address in the query without a state has a row
// that says so, and also without a condition on it a source that never responded, if the last lookup by it failed. It has
// none if the query limits the time: these rows have no time.
func listStates(ctx context.Context, c *scan.ListCall, emit func(*stateRow) bool) error {
	bounds, err := c.Bounds("last_checked")
	if err != nil {
		return err
	}
	for o, err := range c.Observations(ctx, scan.HistoryNeed{
		Bounds: bounds, Hosts: !c.Selected().AllIn(columnsWithoutHost), Newest: c.Selected().Any("is_newest", "last_failed", "last_failure"),
	}) {
		if err != nil {
			return err
		}
		states := o.States(bounds)
		if len(bounds) == 0 {
			for _, observed := range o.Failing() {
				if observed.Checks == 0 { // the others are among the states
					states = append(states, observed)
				}
			}
			if len(states) == 0 && c.Has("ip") {
				states = append(states, o.Latest())
			}
		}
		for _, state := range states {
			if !emit(&stateRow{state}) {
				return nil
			}
		}
	}
	return nil
}

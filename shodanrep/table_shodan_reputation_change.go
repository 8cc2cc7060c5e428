package shodanrep

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

func tableShodanReputationChange(context.Context) *plugin.Table {
	type row = *changeRow
	changeOf := func(r row) *scan.Change { return r.change }
	change := func(get func(*scan.Change) any) func(row) any { return ofPart(changeOf, get) }
	return newTable(&plugin.Table{
		Name: "shodan_reputation_change",
		Description: "The changes of IP addresses from one check to the next, as this plugin has recorded them: one row per change, with the scores before and after by the same policy. " +
			"The table reads the history store and looks nothing up. An address in the query without a change has one row with a null change; the status says whether it was ever checked. So has an address whose last lookup failed, if no change led to its present state. Facts in the store that cannot be read are a row with a null change and the status error.",
		Columns: slices.Concat(recordedColumns(), []*plugin.Column{
			timestamp("changed_at", "Time when a check found the change. In a row with the status error, time of the check whose changes are not known.", (*changeRow).changedAt),
			timestamp("previous_checked_at", "Time when the address was last checked before, by the same source. The change happened between the two. Null if the address was not checked before.", ofPart(changeOf, (*scan.Change).PreviouslyChecked)),
			timestamp("last_checked", "Time when the address was last checked and was as after the change, or last checked at all if there is no change. Null if the address was never checked.", func(r row) time.Time { return r.Last }),
		}, failedColumns(), []*plugin.Column{
			text("change", "The type of change: "+kindsText()+". "+
				"An address that is checked for the first time has a row indexed or not_indexed, and a row level if it has a score. Null in a row without a change.", change(func(c *scan.Change) any { return string(c.Kind) })),
			text("old_value", "The value before: a level, port, vulnerability, tag, organization or SHA-256 fingerprint of a certificate; the ports of a host that is no longer indexed. Null if there was none.", change(func(c *scan.Change) any { return c.Old })),
			text("new_value", "The value after: a level, port, vulnerability, tag, organization or SHA-256 fingerprint of a certificate; the ports of a host that is newly indexed. Null if there is no value.", change(func(c *scan.Change) any { return c.New })),
			integer("port", "The port that opened or closed, or whose certificate changed. Null for other changes.", change(func(c *scan.Change) any { return c.Port })),
			text("old_level", "The level before: critical, high, medium or low; unknown if there was no data. Null if the address was not checked before.", change(func(c *scan.Change) any { return string(c.OldLevel()) })),
			text("level", "The level after: critical, high, medium or low; unknown if there is no data.", func(r row) any { return string(r.Level()) }),
			integer("old_score", "The score before. Null if there was no data.", change(oldScore)),
			integer("score", "The score after. Null if there is no data.", func(r row) any { return scoreOf(r.Verdict) }),
			boolean("is_worse", "True if the level is worse than before. An address that had no score before is worse with medium, high or critical. Null in a row without a change.", change(func(c *scan.Change) any { return c.IsWorse() })),
			boolean("is_better", "True if the level is better than before. An address without data is not better. Null in a row without a change.", change(func(c *scan.Change) any { return c.IsBetter() })),
			text("policy", recordedPolicyDescription, func(r row) any { return r.PolicyName() }),
			text("title", "The display name of the row: the address and the change.", func(r row) any { return r.title() }),
		}),
	}, scan.Table{
		Keys:    historyKeys("changed_at"),
		Scores:  true,
		AllRows: true,
		ReadBy:  "ip",
		Rows:    scan.FromPages(listChanges),
	})
}

// kindsText lists the kinds of change.
func kindsText() string {
	kinds := scan.ChangeKinds()
	return strings.Join(kinds[:len(kinds)-1], ", ") + " or " + kinds[len(kinds)-1]
}

// A changeRow is a change of an address, or an address without one.
type changeRow struct {
	*scan.Observed
	change *scan.Change // nil if there is none
	at     time.Time    // of facts that cannot be read
}

func (r *changeRow) changedAt() time.Time {
	if r.change != nil {
		return r.change.First
	}
	return r.at
}

func oldScore(c *scan.Change) any {
	if c.Before == nil {
		return nil
	}
	return scoreOf(c.Before.Verdict)
}

func (r *changeRow) title() string {
	if r.change == nil {
		return r.Given
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", r.Given, r.change.Kind, r.change.First.Format(time.RFC3339))), " ")
}

// listChanges lists the changes of the addresses of a call, or of all. An address in the query without a change has a row
// that says so, and also without a condition on it a source whose lookups fail, if no change led to what it said last. It
// has none if the query limits the time: these rows have no time.
func listChanges(ctx context.Context, c *scan.ListCall, emit func(*changeRow) bool) error {
	bounds, err := c.Bounds("changed_at")
	if err != nil {
		return err
	}
	for o, err := range c.Observations(ctx, scan.HistoryNeed{
		Bounds: bounds, Hosts: true, Newest: c.Selected().Any("last_failed", "last_failure"), Changes: true,
	}) {
		if err != nil {
			return err
		}
		var rows []*changeRow
		for _, change := range o.Changes(bounds) {
			rows = append(rows, &changeRow{Observed: change.Observed, change: change})
		}
		for _, unreadable := range o.Unreadable(bounds) {
			rows = append(rows, &changeRow{Observed: unreadable.Observed, at: unreadable.At})
		}
		if len(bounds) == 0 {
			for _, observed := range o.Failing() {
				if !slices.ContainsFunc(rows, func(r *changeRow) bool { return r.Observed == observed }) {
					rows = append(rows, &changeRow{Observed: observed})
				}
			}
			if len(rows) == 0 && c.Has("ip") {
				rows = append(rows, &changeRow{Observed: o.Latest()})
			}
		}
		for _, row := range rows {
			if !emit(row) {
				return nil
			}
		}
	}
	return nil
}

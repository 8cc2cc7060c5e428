package shodanrep

import (
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	recordedSourceDescription = "The source that responded: shodan (the REST API) or internetdb. Answers from files are not recorded. Select one with where source = '…'. If no source has responded, the one whose lookup failed, or null."

	recordedErrorDescription = "The reason why nothing is known of the address: what is wrong with it if status is error, or why the last lookup failed if status is not_checked. Null otherwise, and if the address was never looked up."

	recordedPolicyDescription = "The name of the policy that computed the scores. Select others with where policy = '…'. Scores are computed from the recorded facts, so a new policy also applies to the past."
)

// recordedStatuses are those of the tables that read the history store.
var recordedStatuses = &statusSet{
	"The result of the check: indexed (the source had data), not_indexed (the source had no data, which does not mean clean), " +
		"not_checked (the history store has no response about the address, so that nothing is known of its past: it was never looked up, or each lookup failed, see last_failed), " +
		"reserved (not on the internet, never looked up), not_a_host (a network), error (not an address, or its facts in the history store cannot be read, see error).",
	[]lookup.Status{lookup.Indexed, lookup.NotIndexed, scan.NotChecked, lookup.Reserved, scan.NotAHost, lookup.Failed},
}

// historyKeys are the key columns of the tables that read the history store: without an address they list it.
func historyKeys(moment string) plugin.KeyColumnSlice {
	return plugin.KeyColumnSlice{
		scan.Optional("ip"), scan.Optional("source"),
		{Name: moment, Require: plugin.Optional, Operators: []string{">=", ">", "<=", "<"}},
	}
}

// recordedColumns are the columns that say what a row of the history store is about.
func recordedColumns() []*plugin.Column {
	return []*plugin.Column{
		inet("ip", ipDescription+" Without a condition on it, the table lists the history store.", func(r answeredTarget) any { return r.Echo() }),
		text("source", recordedSourceDescription, func(r answered) any { return string(r.Answer().Source) }),
		statusColumn(recordedStatuses, func(r answered) any { return string(r.Answer().Status) }),
		text("error", recordedErrorDescription, func(r answered) string { return r.Answer().Error }),
	}
}

// failedColumns are the columns that say whether a row of the history store is as of the last lookup.
func failedColumns() []*plugin.Column {
	return []*plugin.Column{
		timestamp("last_failed", "Time when a lookup of the address by the source last failed, if the source has not responded since: what has changed since last_checked is not known. "+
			"Null if the last lookup succeeded, and in rows that a later response followed.", func(r failing) time.Time { return r.LastFailed() }),
		text("last_failure", "The reason why that lookup failed. Null if last_failed is null.", func(r failing) string { return r.LastFailure() }),
	}
}

// An answeredTarget is a row of an address.
type answeredTarget interface{ Echo() string }

// A failing row may have lookups that failed.
type failing interface {
	LastFailed() time.Time
	LastFailure() string
}

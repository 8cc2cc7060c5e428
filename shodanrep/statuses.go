package shodanrep

import (
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A statusSet is all the statuses that the rows of a table can have, and the description of the column status, which
// explains each of them.
type statusSet struct {
	description string
	statuses    []lookup.Status
}

// statusSets are the sets of all tables.
var statusSets = []*statusSet{
	lookupStatuses, recordedStatuses, relatedStatuses, nameStatuses, domainStatuses, scanStatuses,
}

// statusColumn makes the column status of a table.
func statusColumn[T, V any](set *statusSet, get func(T) V) *plugin.Column {
	return text("status", set.description, get)
}

// lookupStatuses are those of the lookup of an address.
var lookupStatuses = &statusSet{
	"The result of the lookup: indexed (the source has data), not_indexed (the source has no data, which does not mean clean), " +
		"reserved (the address cannot be on the internet), not_a_host (a network), error (the lookup failed, see error).",
	[]lookup.Status{lookup.Indexed, lookup.NotIndexed, lookup.Reserved, scan.NotAHost, lookup.Failed},
}

// StatusesIn returns all the values that a column status can have, by its description, in lower case. It returns nil if
// no table has such a column.
func StatusesIn(description string) []string {
	for _, set := range statusSets {
		if set.description == description {
			statuses := make([]string, len(set.statuses))
			for i, status := range set.statuses {
				statuses[i] = string(status)
			}
			return statuses
		}
	}
	return nil
}

// Statuses returns the values that the columns named status of the tables can have, in lower case.
func Statuses() []string {
	return []string{
		string(lookup.Indexed), string(lookup.NotIndexed), string(lookup.Reserved), string(scan.NotAHost), string(scan.NotChecked), string(lookup.Failed),
		string(resolved), string(notResolved),
		"submitting", "queue", "processing", "done", // of a scan, which Shodan writes in capitals
	}
}

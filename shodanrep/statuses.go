package shodanrep

import "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"

// Statuses returns the values that the columns named status of the tables can have.
func Statuses() []string {
	return []string{
		string(lookup.Indexed), string(lookup.NotIndexed), string(lookup.Reserved), string(notAHost), string(lookup.Failed),
		string(resolved), string(notResolved),
		"submitting", "queue", "processing", "done", // of a scan, which Shodan writes in capitals
	}
}

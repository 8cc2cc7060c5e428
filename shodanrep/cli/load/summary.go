package load

import "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"

// A Summary counts the addresses of an input, as they are in the table at the end, and what this process did.
type Summary struct {
	Table Name
	Found Found
	// Old is how many addresses had to be looked up when the load began.
	Old int64
	// Written is how many of all verdicts this process looked up and wrote. That includes addresses which other processes
	// put into the queue. Failed is how many of them could not be checked.
	Written, Failed int64
	// Groups counts the addresses by status and level.
	Groups []Group
}

// A Group is addresses that have the same status and level.
type Group struct {
	Status string
	Level  string
	// LastFailed says that the last lookup of these addresses failed. Their status, if it is not "error", and their level
	// are those of an earlier lookup.
	LastFailed bool
	Addresses  int64
}

// IsScored reports whether the addresses have a score.
func (g Group) IsScored() bool { return g.Level != string(reputation.Unknown) }

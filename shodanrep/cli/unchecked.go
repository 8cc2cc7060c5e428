package cli

import (
	"errors"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// errUnchecked is the error of a command that has written all results, and none of whose addresses could be checked. It
// counts only with --fail-on: one that reads the exit status must not take that for a result.
var errUnchecked = errors.New("no address was checked: every lookup failed")

// A checkedCount counts the addresses that a source has answered, and those whose lookup failed.
type checkedCount struct{ answered, failed int64 }

// add counts addresses that have a status. Reserved addresses and networks are not looked up.
func (c *checkedCount) add(status lookup.Status, addresses int64) {
	switch status {
	case lookup.Indexed, lookup.NotIndexed:
		c.answered += addresses
	case lookup.Failed:
		c.failed += addresses
	}
}

// err returns errUnchecked if lookups failed and no address could be checked.
func (c *checkedCount) err() error {
	if c.failed > 0 && c.answered == 0 {
		return errUnchecked
	}
	return nil
}

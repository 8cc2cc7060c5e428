package scan

import (
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A Change is a difference between two states of an address, with the scores of both by the same policy.
type Change struct {
	*Observed           // the state after the change
	Before    *Observed // nil if the address was not checked before
	history.Change
}

// ChangeKinds returns the kinds of change, see history.Kind.
func ChangeKinds() []string {
	var kinds []string
	for _, kind := range history.Kinds() {
		kinds = append(kinds, string(kind))
	}
	return kinds
}

// rank orders levels by how bad they are. What is not known is not bad.
func rank(level reputation.Level) int {
	return slices.Index([]reputation.Level{reputation.Medium, reputation.High, reputation.Critical}, level)
}

// OldLevel returns the level before the change, or nothing if the address was not checked before.
func (c *Change) OldLevel() reputation.Level {
	if c.Before == nil {
		return ""
	}
	return c.Before.Level()
}

// PreviouslyChecked returns when the source last responded before the change, zero if the address was not checked before.
func (c *Change) PreviouslyChecked() (never time.Time) {
	if c.Before == nil {
		return never
	}
	return c.Before.Last
}

// IsWorse reports whether the level is worse than before. An address that was not known counts as low before.
func (c *Change) IsWorse() bool { return rank(c.Level()) > rank(c.OldLevel()) }

// IsBetter reports whether the level is better than before. It needs a score: an address without data is not better.
func (c *Change) IsBetter() bool {
	return c.Level() != reputation.Unknown && rank(c.Level()) < rank(c.OldLevel())
}

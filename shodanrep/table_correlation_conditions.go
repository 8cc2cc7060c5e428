package shodanrep

import (
	"fmt"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// keyColumns are those of all correlations: an address or a value, and what narrows them.
func (c correlation) keyColumns() plugin.KeyColumnSlice {
	keys := plugin.KeyColumnSlice{scan.AnyOf("ip"), scan.AnyOf("value"), scan.Optional("source")}
	if len(c.pivots) > 1 {
		keys = append(keys, scan.Optional("pivot"))
	}
	if c.alias != "" {
		keys = append(keys, scan.AnyOf(c.alias))
	}
	return keys
}

// correlationConditions are what one call of List is to conditions.
type correlationConditions struct {
	targets []*scan.Target
	values  []string
	pivots  []shodan.Pivot
	source  lookup.Source
}

// conditions reads the conditions of one call.
func (c correlation) conditions(call *scan.ListCall) (correlationConditions, error) {
	none, found := correlationConditions{}, correlationConditions{pivots: c.pivots[:1]}
	if call.Has("pivot") {
		found.pivots = nil
		for _, text := range call.Texts("pivot") {
			pivot := shodan.Pivot(text)
			if !slices.Contains(c.pivots, pivot) {
				return none, fmt.Errorf("pivot = %q is not a pivot of %s: use %s", text, c.table, join(c.pivots))
			}
			found.pivots = append(found.pivots, pivot)
		}
	}
	if call.Has("source") {
		sources := call.Texts("source")
		if len(sources) != 1 {
			return none, fmt.Errorf("%s takes one source at a time: use source = 'dataset' or source = 'shodan'", c.table)
		}
		if found.source = lookup.Source(sources[0]); found.source == "" {
			return none, call.CheckSource("")
		}
	}
	if call.Has("ip") {
		// A value beside an address narrows it: PostgreSQL drops the others.
		found.targets = call.Targets()
		return found, nil
	}
	for _, column := range []string{"value", c.alias} {
		for _, value := range call.Texts(column) {
			for _, pivot := range found.pivots {
				if err := checkSearched(column, value, pivot); err != nil {
					return none, err
				}
			}
		}
	}
	found.values = slices.Clone(call.Texts("value"))
	for _, value := range call.Texts(c.alias) {
		// The rows will say AS64496, and PostgreSQL would drop them all where the query says 64496.
		if canonical := lookup.CanonicalASN(value); c.alias == "asn" && canonical != value {
			return none, fmt.Errorf("asn = %q: write it as Shodan does, %s", value, canonical)
		}
		found.values = append(found.values, value)
	}
	return found, nil
}

// checkSearched returns an error for a value that no host can have: a search for it would be refused, or find nothing,
// at the price of requests and a credit.
func checkSearched(column, value string, pivot shodan.Pivot) error {
	if err := lookup.CheckShared(pivot, value); err != nil {
		return fmt.Errorf("%s = %q %w", column, value, err)
	}
	return nil
}

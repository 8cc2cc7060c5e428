package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanDNSReverse(context.Context) *plugin.Table {
	type row = *batchedRow[shodan.Texts]
	return &plugin.Table{
		Name:        "shodan_dns_reverse",
		Description: "The host names that Shodan has for an IP address. One row per address in the query, with the list of its names, even if it has none.",
		List: &plugin.ListConfig{
			KeyColumns: plugin.KeyColumnSlice{{Name: "ip", Require: plugin.Required, Operators: []string{"="}}},
			Hydrate:    batched("ip", readAddress, shodan.Reverse, indexing), Tags: map[string]string{"service": "shodan", "action": "dns"},
		},
		Cache: noQueryCache(),
		Columns: []*plugin.Column{
			inet("ip", ipDescription, func(r row) any { return parseAddress(r.given).echo() }),
			list("hostnames", "The list of host names of the address. Empty if Shodan has none, null if the lookup failed.", func(r row) any { return namesOf(r) }),
			integer("hostname_count", "The number of host names.", func(r row) any {
				if names := namesOf(r); names != nil {
					return len(names)
				}
				return nil
			}),
			text("status", statusDescription, func(r row) any { return string(r.status) }),
			text("error", errorDescription, func(r row) any { return r.error }),
			moment("checked_at", "Time when the data was requested from Shodan; a cached response keeps the time of its request. Null if no request was sent.", func(r row) any { return moments(r.checkedAt) }),
			text("title", "The display name of the row: the address.", func(r row) any { return r.given }),
		},
	}
}

// namesOf returns the names of an address, which are none and not unknown where the service says that there are none.
func namesOf(r *batchedRow[shodan.Texts]) shodan.Texts {
	if r.status == lookup.NotIndexed {
		return shodan.Texts{}
	}
	return r.value
}

// indexing is what becomes of an address by the names that the service knows.
func indexing(names shodan.Texts) lookup.Status {
	if len(names) == 0 {
		return lookup.NotIndexed
	}
	return lookup.Indexed
}

// readAddress reads a value of the ip column. An address that cannot be on the internet is not asked for.
func readAddress(text string) batchedValue {
	switch a := parseAddress(text); {
	case a.network:
		return batchedValue{given: text, status: notAHost}
	case !a.addr.IsValid():
		return batchedValue{given: text, status: lookup.Failed, error: a.problem}
	case lookup.IsReserved(a.addr):
		return batchedValue{given: text, status: lookup.Reserved}
	default:
		return batchedValue{given: text, key: a.addr.String()}
	}
}

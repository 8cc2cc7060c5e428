package shodanrep

import (
	"context"
	"net/netip"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanDNSResolve(context.Context) *plugin.Table {
	type row = *batchedRow[netip.Addr]
	return &plugin.Table{
		Name:        "shodan_dns_resolve",
		Description: "The IP address of a host name, as Shodan's resolvers see it. One row per name in the query, even if the name does not resolve.",
		List: &plugin.ListConfig{
			KeyColumns: plugin.KeyColumnSlice{{Name: "hostname", Require: plugin.Required, Operators: []string{"="}}},
			Hydrate:    batched("hostname", readHostname, shodan.Resolve, resolution), Tags: map[string]string{"service": "shodan", "action": "dns"},
		},
		Cache: noQueryCache(),
		Columns: []*plugin.Column{
			text("hostname", "The host name, as written in the query. Upper case, a trailing dot and non-ASCII letters make no difference.", func(r row) any { return echoed(&r.given) }),
			inet("ip", "The address of the name, or one of them if there are several. Null if the name has no address or the lookup failed.", func(r row) any {
				if !r.value.IsValid() {
					return nil
				}
				return r.value.String()
			}),
			text("status", "The result of the lookup: resolved (the name has an address), not_resolved (the name has no address), error (the lookup failed, see error).", func(r row) any { return string(r.status) }),
			text("error", "The reason why the lookup failed, and what to do. Null unless status is error.", func(r row) any { return r.error }),
			moment("checked_at", "Time when the data was requested from Shodan; a cached response keeps the time of its request. Null if no request was sent.", func(r row) any { return moments(r.checkedAt) }),
			text("title", "The display name of the row: the host name.", func(r row) any { return r.given }),
		},
	}
}

// What becomes of a name. Package lookup does not know of it: it is asked about addresses.
const (
	resolved    lookup.Status = "resolved"
	notResolved lookup.Status = "not_resolved"
)

// resolution is what becomes of a name by the address that the service knows.
func resolution(addr netip.Addr) lookup.Status {
	if addr.IsValid() {
		return resolved
	}
	return notResolved
}

// readHostname reads a value of the hostname column.
func readHostname(text string) batchedValue {
	name, err := shodan.HostName(text)
	if err != nil {
		return batchedValue{given: text, status: lookup.Failed, error: err.Error()}
	}
	return batchedValue{given: text, key: name}
}

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
		Description: "The address that a host name leads to, as Shodan's resolvers see it: one row for every name asked for, whatever became of it.",
		List: &plugin.ListConfig{
			KeyColumns: plugin.KeyColumnSlice{{Name: "hostname", Require: plugin.Required, Operators: []string{"="}}},
			Hydrate:    batched("hostname", readHostname, shodan.Resolve, resolution), Tags: map[string]string{"service": "shodan", "action": "dns"},
		},
		Cache: noQueryCache(),
		Columns: []*plugin.Column{
			text("hostname", "The name of a host, as it was asked for. Upper case, a dot at its end and letters beyond ASCII make no difference.", func(r row) any { return echoed(&r.given) }),
			inet("ip", "The address that the name leads to; one of them where there are several. Null where it leads to none, or could not be resolved.", func(r row) any {
				if !r.value.IsValid() {
					return nil
				}
				return r.value.String()
			}),
			text("status", "What became of the name: resolved (it has an address), not_resolved (it has none), error (it could not be resolved, see error).", func(r row) any { return string(r.status) }),
			text("error", "Why the name could not be resolved, and what to do. Null unless status is error.", func(r row) any { return r.error }),
			moment("checked_at", "When Shodan was asked; an answer from the cache has the time of the question. Null where it was not.", func(r row) any { return moments(r.checkedAt) }),
			text("title", "The host name, as a name for the row.", func(r row) any { return r.given }),
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

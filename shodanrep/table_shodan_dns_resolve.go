package shodanrep

import (
	"context"
	"net/netip"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanDNSResolve(context.Context) *plugin.Table {
	type row = *scan.BulkRow[netip.Addr]
	return newTable(&plugin.Table{
		Name:        "shodan_dns_resolve",
		Description: "The IP address of a host name, as Shodan's resolvers see it. One row per name in the query, even if the name does not resolve.",
		Columns: []*plugin.Column{
			text("hostname", "The host name, as written in the query. Upper case, a trailing dot and non-ASCII letters make no difference.", func(r row) any { return echoed(&r.Given) }),
			inet("ip", "The address of the name, or one of them if there are several. Null if the name has no address or the lookup failed.", func(r row) any { return inetValue(r.Value) }),
			statusColumn(nameStatuses, func(r row) any { return string(r.Status) }),
			text("error", errorDescription, func(r row) any { return r.Error }),
			timestamp("checked_at", checkedAtDescription+" Null if no request was sent.", func(r row) time.Time { return r.CheckedAt }),
			text("title", "The display name of the row: the host name.", func(r row) any { return r.Given }),
		},
	}, scan.Table{
		Keys: plugin.KeyColumnSlice{scan.Required("hostname")}, Action: "dns", AllRows: true,
		Rows: scan.FromPages(scan.Bulk("hostname", parseHostname, shodan.Resolve, resolution)),
	})
}

// The statuses of a name. Package lookup does not know them: it looks up addresses.
const (
	resolved    lookup.Status = "resolved"
	notResolved lookup.Status = "not_resolved"
)

// nameStatuses are those of the lookup of a host name.
var nameStatuses = &statusSet{
	"The result of the lookup: resolved (the name has an address), not_resolved (the name has no address), error (the lookup failed, see error).",
	[]lookup.Status{resolved, notResolved, lookup.Failed},
}

// resolution returns the status of a name with an address, or none.
func resolution(addr netip.Addr) lookup.Status {
	if addr.IsValid() {
		return resolved
	}
	return notResolved
}

// parseHostname parses a value of the hostname column.
func parseHostname(text string) scan.BulkValue {
	value := scan.BulkValue{Given: text, Count: func(ctx context.Context, failure error) { lookup.CountName(ctx, text, failure) }}
	name, err := shodan.HostName(text)
	if err != nil {
		value.Status, value.Error = lookup.Failed, err.Error()
	} else {
		value.Key = name
	}
	return value
}

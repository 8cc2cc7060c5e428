package shodanrep

import (
	"context"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanDNSReverse(context.Context) *plugin.Table {
	type row = *scan.BulkRow[shodan.Texts]
	return newTable(&plugin.Table{
		Name:        "shodan_dns_reverse",
		Description: "The host names that Shodan has for an IP address. One row per address in the query, with the list of its names, even if it has none.",
		Columns: []*plugin.Column{
			inet("ip", ipDescription, func(r row) any { return scan.ParseAddress(r.Given).Echo() }),
			jsonb("hostnames", "The list of host names of the address. Empty if Shodan has none, null if the lookup failed.", func(r row) any { return namesOf(r) }),
			integer("hostname_count", "The number of host names.", func(r row) any {
				if names := namesOf(r); names != nil {
					return len(names)
				}
				return nil
			}),
			statusColumn(lookupStatuses, func(r row) any { return string(r.Status) }),
			text("error", errorDescription, func(r row) any { return r.Error }),
			timestamp("checked_at", checkedAtDescription+" Null if no request was sent.", func(r row) time.Time { return r.CheckedAt }),
			text("title", "The display name of the row: the address.", func(r row) any { return r.Given }),
		},
	}, scan.Table{
		Keys: plugin.KeyColumnSlice{scan.Required("ip")}, Action: "dns", AllRows: true,
		Rows: scan.FromPages(scan.Bulk("ip", parseAddress, shodan.Reverse, indexing)),
	})
}

// namesOf returns the names of an address, which are none and not unknown where the service says that there are none.
func namesOf(r *scan.BulkRow[shodan.Texts]) shodan.Texts {
	if r.Status == lookup.NotIndexed {
		return shodan.Texts{}
	}
	return r.Value
}

// indexing returns the status of an address with these names.
func indexing(names shodan.Texts) lookup.Status {
	if len(names) == 0 {
		return lookup.NotIndexed
	}
	return lookup.Indexed
}

// parseAddress parses a value of the ip column. An address that cannot be on the internet is not requested.
func parseAddress(text string) scan.BulkValue {
	a := scan.ParseAddress(text)
	value := scan.BulkValue{Given: text, Count: func(ctx context.Context, failure error) {
		switch progress := lookup.ProgressFrom(ctx); {
		case a.Addr.IsValid():
			lookup.CountAddress(ctx, a.Addr, failure)
		case failure != nil && progress != nil:
			progress.CountInvalid(text)
		}
	}}
	switch {
	case a.Network:
		value.Status = scan.NotAHost
	case !a.Addr.IsValid():
		value.Status, value.Error = lookup.Failed, a.Problem
	case lookup.IsReserved(a.Addr):
		value.Status = lookup.Reserved
	default:
		value.Key = a.Addr.String()
	}
	return value
}

package shodanrep

import (
	"context"
	"fmt"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanService(context.Context) *plugin.Table {
	type row = *serviceRow
	return newTable(&plugin.Table{
		Name:        "shodan_service",
		Description: "The services that an IP address exposes, one row per service. An address without services, or whose lookup failed, has one row with a null port; the status says which.",
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(r row) any { return r.Echo() }),
			text("source", sourceDescription, func(r row) any { return string(r.Answer().Source) }),
			statusColumn(lookupStatuses, func(r row) any { return string(r.Answer().Status) }),
			text("error", errorDescription, func(r row) any { return r.Answer().Error }),
			integer("port", "The port. Null in the only row of an address without services or whose lookup failed.", func(r row) any { return r.port }),
		}, bannerColumns(func(r row) *shodan.Banner { return r.banner }), []*plugin.Column{
			text("title", "The display name of the row: the address, port and transport.", func(r row) any { return r.title() }),
		}, protocolColumns(func(r row) *shodan.Banner { return r.banner })),
	}, scan.Table{
		Keys:   addressKeys(),
		Action: "host",
		Rows:   scan.ManyPerTarget(needBanners, serviceRows),
	})
}

// needBanners needs a host with its banners.
func needBanners(scan.Columns) lookup.Question { return lookup.Question{Banners: true} }

// A serviceRow is a service of an address, or an address without one.
type serviceRow struct {
	*scan.Result
	port   *int64
	banner *shodan.Banner // nil where only the port is known, or there is no service
}

func (r *serviceRow) title() string {
	switch {
	case r.port == nil:
		return r.Given
	case r.banner == nil || r.banner.Transport == "":
		return fmt.Sprintf("%s %d", r.Given, *r.port)
	}
	return fmt.Sprintf("%s %d/%s", r.Given, *r.port, r.banner.Transport)
}

// serviceRows makes the rows of an address: of its banners, of its open ports without a banner, or the one row that says
// that there is nothing to show, and why.
func serviceRows(r *scan.Result) []*serviceRow {
	var rows []*serviceRow
	if host := r.Host(); host != nil {
		known := make(map[int]bool, len(host.Banners)) // ports
		for i := range host.Banners {
			b := &host.Banners[i]
			known[int(b.Port.V)] = known[int(b.Port.V)] || b.Port.Valid
			rows = append(rows, &serviceRow{Result: r, port: b.Port.Ptr(), banner: b})
		}
		for _, port := range host.Ports {
			if !known[port] {
				rows = append(rows, &serviceRow{Result: r, port: new(int64(port))})
			}
		}
	}
	if len(rows) == 0 {
		rows = []*serviceRow{{Result: r}}
	}
	return rows
}

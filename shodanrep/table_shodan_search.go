package shodanrep

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanSearch(context.Context) *plugin.Table {
	type row = *matchRow
	return newTable(&plugin.Table{
		Name:        "shodan_search",
		Description: "The services that match a search query, as on Shodan's website. Each hundred rows cost one query credit; use LIMIT to save credits.",
		Columns: slices.Concat([]*plugin.Column{
			text("query", queryDescription, func(r row) any { return r.query }),
			inet("ip", "The address of the service.", func(r row) any { return inetValue(r.banner.Addr) }),
			integer("port", "The port.", func(r row) any { return r.banner.Port.Ptr() }),
		}, bannerColumns(func(r row) *shodan.Banner { return r.banner }), []*plugin.Column{
			text("os", "The operating system, if the service reveals it.", func(r row) any { return string(r.banner.OS) }),
			text("organization", "The organization that the address is assigned to.", func(r row) any { return string(r.banner.Organization) }),
			text("asn", "The autonomous system that announces the address, such as AS64496.", func(r row) any { return string(r.banner.ASN) }),
			text("isp", "The internet service provider.", func(r row) any { return string(r.banner.ISP) }),
			text("country", "The country where the address is registered.", func(r row) any { return string(r.banner.Location.CountryName) }),
			text("country_code", "The two-letter code of the country.", func(r row) any { return string(r.banner.Location.CountryCode) }),
			text("city", "The city where the address is registered.", func(r row) any { return string(r.banner.Location.City) }),
			number("latitude", "The latitude of the location, in degrees.", func(r row) any { return r.banner.Location.Latitude.Ptr() }),
			number("longitude", "The longitude of the location, in degrees.", func(r row) any { return r.banner.Location.Longitude.Ptr() }),
			integer("total", totalDescription, func(r row) any { return r.page.Total }),
			timestamp("checked_at", checkedAtDescription, func(r row) time.Time { return r.page.CheckedAt }),
			text("title", "The display name of the row: the address, port and transport.", func(r row) any { return endpointOf(r.banner) }),
		}, protocolColumns(func(r row) *shodan.Banner { return r.banner })),
	}, scan.Table{Keys: queryKey(), Action: "search", Rows: scan.FromPages(listMatches)})
}

// A matchRow is a service that a query matches.
type matchRow struct {
	query  string
	page   lookup.Page
	banner *shodan.Banner
}

// endpointOf names a service by what its banner says of where it is.
func endpointOf(b *shodan.Banner) string {
	name := strconv.FormatInt(b.Port.V, 10)
	if b.Addr.IsValid() {
		name = b.Addr.String() + " " + name
	}
	if b.Transport != "" {
		name += "/" + string(b.Transport)
	}
	return name
}

// listMatches searches for as many pages of matches as the scan has use for.
func listMatches(ctx context.Context, c *scan.ListCall, emit func(*matchRow) bool) error {
	queries, err := searchQueries(c)
	if err != nil {
		return err
	}
	for _, query := range queries {
		limit := c.Remaining(ctx)
		if limit == 0 {
			return nil
		}
		for page, err := range c.Engine().Search(ctx, query, limit, int64(c.Settings().SearchLimit)) {
			if err != nil {
				return err
			}
			if page.Missing != nil {
				return page.Missing
			}
			for _, b := range page.Banners {
				if !emit(&matchRow{query: query, page: lookup.Page{Total: page.Total, CheckedAt: page.CheckedAt}, banner: b}) {
					return nil
				}
			}
		}
	}
	return nil
}

package shodanrep

import (
	"context"
	"fmt"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanService(context.Context) *plugin.Table {
	type row = *serviceRow
	return &plugin.Table{
		Name:        "shodan_service",
		Description: "The services that an IP address exposes, one row per service. An address without services, or whose lookup failed, has one row with a null port; the status says which.",
		List:        &plugin.ListConfig{KeyColumns: addressKeys(), Hydrate: perAddress(withBanners, serviceRows), Tags: map[string]string{"service": "shodan", "action": "host"}},
		Cache:       noQueryCache(),
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(r row) any { return r.echo() }),
			text("source", sourceDescription, func(r row) any { return string(r.answer.Source) }),
			text("status", statusDescription, func(r row) any { return string(r.answer.Status) }),
			text("error", errorDescription, func(r row) any { return r.answer.Error }),
			integer("port", "The port. Null in the only row of an address without services or whose lookup failed.", func(r row) any { return r.port }),
		}, bannerColumns(func(r row) *shodan.Banner { return r.banner }), []*plugin.Column{
			text("title", "The display name of the row: the address, port and transport.", func(r row) any { return r.title() }),
		}, protocolColumns(func(r row) *shodan.Banner { return r.banner })),
	}
}

// A serviceRow is a service of an address, or an address without one.
type serviceRow struct {
	*subject
	answer lookup.Answer
	port   *int64
	banner *shodan.Banner // nil where the source has only ports, or there is no service
}

func (r *serviceRow) title() string {
	switch {
	case r.port == nil:
		return r.given
	case r.banner == nil || r.banner.Transport == "":
		return fmt.Sprintf("%s %d", r.given, *r.port)
	}
	return fmt.Sprintf("%s %d/%s", r.given, *r.port, r.banner.Transport)
}

// serviceRows makes the rows of an address: of its banners, of its ports where the source has no banners, or the one
// row that says that there is nothing to show, and why.
func serviceRows(_ *query, s *subject, answer lookup.Answer) []*serviceRow {
	var rows []*serviceRow
	if answer.Host != nil {
		for i := range answer.Host.Banners {
			b := &answer.Host.Banners[i]
			rows = append(rows, &serviceRow{subject: s, answer: answer, port: b.Port.Ptr(), banner: b})
		}
		if answer.Host.Banners == nil {
			for _, port := range answer.Host.Ports {
				rows = append(rows, &serviceRow{subject: s, answer: answer, port: new(int64(port))})
			}
		}
	}
	if len(rows) == 0 {
		rows = []*serviceRow{{subject: s, answer: answer}}
	}
	return rows
}

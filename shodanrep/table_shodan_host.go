package shodanrep

import (
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanHost(context.Context) *plugin.Table {
	return newTable(&plugin.Table{
		Name:        "shodan_host",
		Description: "The data that Shodan has for an IP address: ports, host names, location, owner, vulnerabilities and tags. One row per address in the query, for every status.",
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(t *scan.Target) any { return t.Echo() }),
			boolean("history", "True if the query requests past banners and not only the newest of each service, with where history = true. They are in raw. Null if the query has no such condition.", func(t *scan.Target) any { return t.History }),
			boolean("minify", "True if the query leaves out all banners, with where minify = true. Then cloud is null and raw is short. Null if the query has no such condition.", func(t *scan.Target) any { return t.Minify }),
		}, answerColumns(), []*plugin.Column{
			text("org", "The organization that the address is assigned to.", host(func(h *shodan.Host) any { return string(h.Organization) })),
			text("country_name", "The country where the address is registered.", host(func(h *shodan.Host) any { return string(h.CountryName) })),
			text("country_code3", "The three-letter code of the country. Only old Shodan data has it.", host(func(h *shodan.Host) any { return string(h.CountryCode3) })),
			text("region_code", "The code of the region in the country, such as CA for California.", host(func(h *shodan.Host) any { return string(h.RegionCode) })),
			integer("area_code", "The telephone area code of the location, in the United States.", host(func(h *shodan.Host) any { return h.AreaCode.Ptr() })),
			integer("dma_code", "The designated market area of the location, in the United States. Only old Shodan data has it.", host(func(h *shodan.Host) any { return h.DMACode.Ptr() })),
			text("postal_code", "The postal code of the location. Only old Shodan data has it.", host(func(h *shodan.Host) any { return string(h.PostalCode) })),
		}, hostColumns(), summaryColumns(), []*plugin.Column{
			jsonb("cloud", "The cloud that the address belongs to, from the newest banner that names one: {provider, region, service}.", func(r *scan.Result) any { return cloudOf(r) }),
			jsonb("raw", "The complete response of the service, with all banners unless minify = true. Null for the source dataset, which has banners and no responses.", host(func(h *shodan.Host) any { return string(h.Raw) })),
			checkedAt(),
			text("title", "The display name of the row: the address.", func(t *scan.Target) any { return t.Given }),
		}),
	}, scan.Table{
		Keys:   append(addressKeys(), scan.Optional("history"), scan.Optional("minify")),
		Echoes: []string{"ip", "history", "minify", "title"},
		Action: "host",
		Rows:   scan.OnePerTarget(hostNeeds),
	})
}

// hostNeeds needs a host's summary, its banners as well, or the response itself.
func hostNeeds(selected scan.Columns) lookup.Question {
	return lookup.Question{Banners: selected.Any("raw"), Facts: selected.Any("cloud"), Raw: selected.Any("raw")}
}

// A cloudSummary is the cloud column.
type cloudSummary struct {
	Provider *string `json:"provider"`
	Region   *string `json:"region"`
	Service  *string `json:"service"`
}

// cloudOf returns the cloud, nil if the query leaves out the banners: that the cache or a dataset may have some must make
// no difference.
func cloudOf(r *scan.Result) *cloudSummary {
	if r.Host() == nil || r.Minify != nil && *r.Minify {
		return nil
	}
	cloud := r.Host().Cloud()
	if cloud == nil {
		return nil
	}
	return &cloudSummary{Provider: orNil(cloud.Provider), Region: orNil(cloud.Region), Service: orNil(cloud.Service)}
}

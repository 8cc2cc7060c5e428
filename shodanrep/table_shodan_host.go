package shodanrep

import (
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanHost(context.Context) *plugin.Table {
	lookUpHost := lookUp(wantedOfHost)
	keys := append(addressKeys(),
		&plugin.KeyColumn{Name: "history", Require: plugin.Optional, Operators: []string{"="}},
		&plugin.KeyColumn{Name: "minify", Require: plugin.Optional, Operators: []string{"="}})
	return &plugin.Table{
		Name:        "shodan_host",
		Description: "What Shodan says of an IP address as a whole: its ports, names, place, owner, vulnerabilities and tags. One row for every address asked for, whatever became of it.",
		List:        &plugin.ListConfig{KeyColumns: keys, Hydrate: onePerAddress(wantedOfHost), Tags: map[string]string{"service": "shodan", "action": "list"}},
		HydrateConfig: []plugin.HydrateConfig{
			{Func: lookUpHost, Tags: map[string]string{"service": "shodan", "action": "host"}},
		},
		Cache: noQueryCache(),
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(s *subject) any { return s.echo() }),
			boolean("history", "Whether to ask for the banners of all times and not only the newest of each service, as it was asked: where history = true. They are in raw. Null where nothing was said.", func(s *subject) any { return s.history }),
			boolean("minify", "Whether to leave all banners out, as it was asked: where minify = true. Then cloud is null and raw is short. Null where nothing was said.", func(s *subject) any { return s.minify }),
		}, hydrated(lookUpHost, slices.Concat(answerColumns(), []*plugin.Column{
			text("org", "The organization that the address is assigned to.", host(func(h *shodan.Host) any { return string(h.Organization) })),
			text("country_name", "The country that the address is registered to be in.", host(func(h *shodan.Host) any { return string(h.CountryName) })),
			text("country_code3", "That country's three-letter code. Shodan had it until some years ago.", host(func(h *shodan.Host) any { return string(h.CountryCode3) })),
			text("region_code", "The code of the region in that country, such as CA for California.", host(func(h *shodan.Host) any { return string(h.RegionCode) })),
			integer("area_code", "The telephone area code of the place, in the United States.", host(func(h *shodan.Host) any { return h.AreaCode.Ptr() })),
			integer("dma_code", "The designated market area of the place, in the United States. Shodan had it until some years ago.", host(func(h *shodan.Host) any { return h.DMACode.Ptr() })),
			text("postal_code", "The postal code of the place. Shodan had it until some years ago.", host(func(h *shodan.Host) any { return string(h.PostalCode) })),
		}, hostColumns(), summaryColumns(), []*plugin.Column{
			list("cloud", "The cloud that the address belongs to, by its newest banner that names one: {provider, region, service}.", func(r *addressRow) any { return cloudOf(r) }),
			list("raw", "The answer as the service gave it, with all banners unless minify = true. Null from a dataset, which has banners and no answers.", host(func(h *shodan.Host) any { return string(h.Raw) })),
			checkedAt(),
		})...), []*plugin.Column{
			text("title", "The address, as a name for the row.", func(s *subject) any { return s.given }),
		}),
	}
}

// wantedOfHost is what the columns of a scan need: a host's summary, its banners as well, or the answer itself.
func wantedOfHost(d *plugin.QueryData) lookup.Question {
	return lookup.Question{Banners: needs(d, "cloud", "raw"), Raw: needs(d, "raw")}
}

// A cloudSummary is the cloud column.
type cloudSummary struct {
	Provider *string `json:"provider"`
	Region   *string `json:"region"`
	Service  *string `json:"service"`
}

// cloudOf returns the cloud, and none where no banners were asked for: what the cache or a dataset may have of them all
// the same must make no difference.
func cloudOf(r *addressRow) *cloudSummary {
	if r.answer.Host == nil || r.minify != nil && *r.minify {
		return nil
	}
	cloud := r.answer.Host.Cloud()
	if cloud == nil {
		return nil
	}
	return &cloudSummary{Provider: orNil(cloud.Provider), Region: orNil(cloud.Region), Service: orNil(cloud.Service)}
}

package shodanrep

import (
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanInternetDB(context.Context) *plugin.Table {
	lookUpAddress := lookUp(ofInternetDB)
	return &plugin.Table{
		Name:        "shodan_internetdb",
		Description: "The data that Shodan's free InternetDB has for an IP address, without a score. One row per address in the query, for every status.",
		List:        &plugin.ListConfig{KeyColumns: plugin.KeyColumnSlice{{Name: "ip", Require: plugin.Required, Operators: []string{"="}}}, Hydrate: onePerAddress(ofInternetDB), Tags: map[string]string{"service": "internetdb", "action": "list"}},
		HydrateConfig: []plugin.HydrateConfig{
			{Func: lookUpAddress, Tags: map[string]string{"service": "internetdb", "action": "host"}},
		},
		Cache: noQueryCache(),
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(s *subject) any { return s.echo() }),
		}, hydrated(lookUpAddress, slices.Concat([]*plugin.Column{status(), failure()}, summaryColumns(), []*plugin.Column{
			list("cpes", "The products found, as CPE names.", host(func(h *shodan.Host) any { return h.AllCPEs() })),
			checkedAt(),
			moment("fresh_until", "Time when the cached response expires. Until then, no new request is sent to InternetDB. Null if no request was sent or it failed.", func(r *addressRow) any { return moments(r.answer.FreshUntil) }),
		})...), []*plugin.Column{
			text("title", "The display name of the row: the address.", func(s *subject) any { return s.given }),
		}),
	}
}

// ofInternetDB asks InternetDB, whatever the connection's source.
func ofInternetDB(*plugin.QueryData) lookup.Question {
	return lookup.Question{Source: lookup.InternetDB}
}

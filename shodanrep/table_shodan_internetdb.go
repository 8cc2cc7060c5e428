package shodanrep

import (
	"context"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanInternetDB(context.Context) *plugin.Table {
	return newTable(&plugin.Table{
		Name:        "shodan_internetdb",
		Description: "The data that Shodan's free InternetDB has for an IP address, without a score. One row per address in the query, for every status.",
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(t *scan.Target) any { return t.Echo() }),
			status(),
			failure(),
		}, summaryColumns(), []*plugin.Column{
			jsonb("cpes", "The products found, as CPE names.", host(func(h *shodan.Host) any { return h.AllCPEs() })),
			checkedAt(),
			timestamp("fresh_until", "Time when the cached response expires. Until then, no new request is sent to InternetDB. Null if no request was sent or it failed.", func(r *scan.Result) time.Time { return r.Answer().FreshUntil }),
			text("title", "The display name of the row: the address.", func(t *scan.Target) any { return t.Given }),
		}),
	}, scan.Table{
		Keys:    plugin.KeyColumnSlice{scan.Required("ip")},
		Echoes:  []string{"ip", "title"},
		Service: "internetdb",
		Action:  "host",
		Rows:    scan.OnePerTarget(needInternetDB),
	})
}

// needInternetDB needs InternetDB's data, even if the connection has another source.
func needInternetDB(scan.Columns) lookup.Question {
	return lookup.Question{Source: lookup.InternetDB}
}

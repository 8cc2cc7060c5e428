package shodanrep

import (
	"context"
	"fmt"
	"math"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanScan(context.Context) *plugin.Table {
	type row = part[shodan.Scan]
	return &plugin.Table{
		Name:        "shodan_scan",
		Description: "The scans that the account has asked Shodan for. The table starts none.",
		List:        listOf(listing(listScans)),
		Cache:       noQueryCache(),
		Columns: []*plugin.Column{
			text("id", "The id of the scan.", func(r row) any { return string(r.item.ID) }),
			text("status", "How far the scan is: SUBMITTING, QUEUE, PROCESSING or DONE.", func(r row) any { return string(r.item.Status) }),
			integer("size", "How many addresses are scanned.", func(r row) any { return r.item.Size.Ptr() }),
			moment("created", "When the scan was asked for.", func(r row) any { return r.item.Created.Ptr() }),
			moment("status_check", "When the status was last looked at.", func(r row) any { return r.item.StatusCheck.Ptr() }),
			integer("credits_left", "How many scan credits were left after it.", func(r row) any { return r.item.CreditsLeft.Ptr() }),
			integer("total", "How many scans there are in all. Where it is more than the rows, Shodan has not listed the others.", func(r row) any { return r.total }),
			text("title", "The id of the scan, as a name for the row.", func(r row) any { return string(r.item.ID) }),
		},
	}
}

func listScans(ctx context.Context, r *request, emit func(part[shodan.Scan]) bool) error {
	return paged(ctx, r, math.MaxInt, shodan.Scans, func(s shodan.Scan) string { return fmt.Sprint(s.ID, s.Created) }, emit)
}

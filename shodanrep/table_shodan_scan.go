package shodanrep

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// scanStatuses are those of a scan.
var scanStatuses = &statusSet{
	"The status of the scan: SUBMITTING, QUEUE, PROCESSING or DONE.",
	[]lookup.Status{"submitting", "queue", "processing", "done"},
}

func tableShodanScan(context.Context) *plugin.Table {
	type row = scan.Item[shodan.Scan]
	return newTable(&plugin.Table{
		Name:        "shodan_scan",
		Description: "The scans that the account has requested from Shodan. The table does not start scans.",
		Columns: []*plugin.Column{
			text("id", "The id of the scan.", func(r row) any { return string(r.Value.ID) }),
			statusColumn(scanStatuses, func(r row) any { return string(r.Value.Status) }),
			integer("size", "The number of addresses in the scan.", func(r row) any { return r.Value.Size.Ptr() }),
			timestamp("created", "Time when the scan was requested.", func(r row) time.Time { return r.Value.Created.Time }),
			timestamp("status_check", "Time when the status was last checked.", func(r row) time.Time { return r.Value.StatusCheck.Time }),
			integer("credits_left", "The number of scan credits left after the scan.", func(r row) any { return r.Value.CreditsLeft.Ptr() }),
			integer("total", "The total number of scans. If it is higher than the number of rows, Shodan did not list the others.", func(r row) any { return r.Total }),
			text("title", "The display name of the row: the id of the scan.", func(r row) any { return string(r.Value.ID) }),
		},
	}, scan.Table{Rows: scan.FromPages(listScans)})
}

func listScans(ctx context.Context, c *scan.ListCall, emit func(scan.Item[shodan.Scan]) bool) error {
	return scan.EmitItems(ctx, c, math.MaxInt, shodan.Scans, func(s *shodan.Scan) string { return fmt.Sprint(s.ID, s.Created) }, emit)
}

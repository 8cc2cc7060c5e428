package shodanrep

import (
	"context"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanCount(context.Context) *plugin.Table {
	type row = *countRow
	return newTable(&plugin.Table{
		Name:        "shodan_count",
		Description: "The number of services that match a search query. Counting costs no query credits.",
		Columns: []*plugin.Column{
			text("query", queryDescription, func(r row) any { return r.query }),
			integer("total", totalDescription, func(r row) any { return r.total }),
			timestamp("checked_at", checkedAtDescription, func(r row) time.Time { return r.checkedAt }),
			text("title", "The display name of the row: the query.", func(r row) any { return r.query }),
		},
	}, scan.Table{Keys: queryKey(), Action: "count", AllRows: true, Rows: scan.FromPages(listCounts)})
}

// A countRow is a query with its total.
type countRow struct {
	query     string
	total     int64
	checkedAt time.Time
}

func listCounts(ctx context.Context, c *scan.ListCall, emit func(*countRow) bool) error {
	queries, err := searchQueries(c)
	if err != nil {
		return err
	}
	for _, query := range queries {
		reply, err := scan.Fetch(ctx, c, shodan.Count(query, nil, 0))
		if err != nil {
			return err
		}
		if !emit(&countRow{query: query, total: reply.Value.Total.V, checkedAt: reply.CheckedAt}) {
			return nil
		}
	}
	return nil
}

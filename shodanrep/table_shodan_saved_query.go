package shodanrep

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// savedQueries is how many saved queries a scan lists at most. Shodan gives ten in a request, and takes one request a
// second.
const savedQueries = 500

func tableShodanSavedQuery(context.Context) *plugin.Table {
	type row = *savedQuery
	return newTable(&plugin.Table{
		Name:        "shodan_saved_query",
		Description: fmt.Sprintf("The search queries that Shodan users have shared, at most %d per search.", savedQueries),
		Columns: []*plugin.Column{
			text("search", "The text to search the queries for, with where search = '…'. Null if all queries are listed.", func(r row) any { return r.search }),
			text("sort", "The sort order of the list, with where sort = '…': timestamp (newest first, the default) or votes. Null if the query has no such condition.", func(r row) any { return r.sort }),
			text("query", "The search query, in the form that shodan_search accepts.", func(r row) any { return string(r.Value.Query) }),
			text("description", "The description that the author wrote.", func(r row) any { return string(r.Value.Description) }),
			integer("votes", "The number of users who voted for the query.", func(r row) any { return r.Value.Votes.Ptr() }),
			jsonb("tags", "The tags that the author assigned.", func(r row) any { return r.Value.Tags }),
			timestamp("timestamp", "Time when the query was shared.", func(r row) time.Time { return r.Value.Timestamp.Time }),
			integer("total", "The total number of queries. The table may list only some of them.", func(r row) any { return r.Total }),
			text("title", "The title that the author wrote.", func(r row) any { return string(r.Value.Title) }),
		},
	}, scan.Table{
		Keys: plugin.KeyColumnSlice{scan.Optional("search"), scan.Optional("sort")},
		Rows: scan.FromPages(listSavedQueries),
	})
}

type savedQuery struct {
	scan.Item[shodan.SavedQuery]
	search, sort string
}

// listSavedQueries lists the directory, or what of it a text finds.
func listSavedQueries(ctx context.Context, c *scan.ListCall, emit func(*savedQuery) bool) error {
	lists, err := scan.Combine(c,
		scan.Field[savedQuery]{Column: "search", Set: setSearch}, scan.Field[savedQuery]{Column: "sort", Set: setSort})
	if err != nil {
		return err
	}
	more := true
	for _, list := range lists {
		err := listSavedQueriesOf(ctx, c, list, func(row *savedQuery) bool { more = emit(row); return more })
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func setSearch(list *savedQuery, search string) error {
	if strings.TrimSpace(search) == "" {
		return fmt.Errorf("search = %q: give a text to search for, or leave search out to list all", search)
	}
	list.search = search
	return nil
}

func setSort(list *savedQuery, sort string) error {
	if sort != "timestamp" && sort != "votes" {
		return fmt.Errorf(`sort = %q: use "timestamp" or "votes"`, sort)
	}
	if list.search != "" {
		return fmt.Errorf("shodan_saved_query cannot sort what it searches for: leave sort out, or search, and use order by")
	}
	list.sort = sort
	return nil
}

// listSavedQueriesOf lists what one text finds, or the directory in one order.
func listSavedQueriesOf(ctx context.Context, c *scan.ListCall, list savedQuery, emit func(*savedQuery) bool) error {
	page := func(number int) shodan.Call[*shodan.Page[shodan.SavedQuery]] {
		if list.search != "" {
			return shodan.FindSavedQueries(list.search, number)
		}
		return shodan.SavedQueries(list.sort, number)
	}
	key := func(q *shodan.SavedQuery) string { return fmt.Sprintf("%q %q %v", q.Title, q.Query, q.Timestamp) }
	return scan.EmitItems(ctx, c, savedQueries, page, key, func(p scan.Item[shodan.SavedQuery]) bool {
		return emit(&savedQuery{Item: p, search: list.search, sort: list.sort})
	})
}

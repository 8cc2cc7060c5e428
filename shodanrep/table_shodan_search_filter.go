package shodanrep

import (
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanSearchFilter(context.Context) *plugin.Table {
	type row = searchFilter
	return newTable(&plugin.Table{
		Name:        "shodan_search_filter",
		Description: "The filters and facets of Shodan's search.",
		Columns: []*plugin.Column{
			text("name", "The name of the filter or facet, such as port, org or ssl.jarm.", func(r row) any { return r.name }),
			boolean("is_filter", "True if a search can filter by it, as in port:22.", func(r row) any { return r.isFilter }),
			boolean("is_facet", "True if shodan_search_facet can count the matches of a search by its values.", func(r row) any { return r.isFacet }),
			text("title", "The display name of the row: the name.", func(r row) any { return r.name }),
		},
	}, scan.Table{AllRows: true, Rows: scan.FromPages(listSearchFilters)})
}

type searchFilter struct {
	name              string
	isFilter, isFacet bool
}

// listSearchFilters requests both lists, and makes one row for each name.
func listSearchFilters(ctx context.Context, c *scan.ListCall, emit func(searchFilter) bool) error {
	filters, err := scan.Fetch(ctx, c, shodan.SearchFilters())
	if err != nil {
		return err
	}
	facets, err := scan.Fetch(ctx, c, shodan.SearchFacets())
	if err != nil {
		return err
	}
	names := slices.Concat(filters.Value, facets.Value)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !emit(searchFilter{name: name, isFilter: slices.Contains(filters.Value, name), isFacet: slices.Contains(facets.Value, name)}) {
			break
		}
	}
	return nil
}

package shodanrep

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// facetSize is how many values of a facet are requested if the query does not say.
const facetSize = 10

func tableShodanSearchFacet(context.Context) *plugin.Table {
	type row = *facetRow
	return newTable(&plugin.Table{
		Name:        "shodan_search_facet",
		Description: "The most frequent values of a property, such as the country, of the services that match a search query, with their counts. Costs no query credits.",
		Columns: []*plugin.Column{
			text("query", queryDescription, func(r row) any { return r.query }),
			text("facet", "The property whose values are counted, such as country, port, org, asn, product or vuln. Most search filters are facets too.", func(r row) any { return r.facet }),
			integer("size", "The maximum number of values to return per facet. The default is 10.", func(r row) any { return r.size }),
			integer("rank", "The rank of the value in its facet. 1 is the most frequent.", func(r row) any { return r.rank }),
			text("value", "The value of the facet, always as text: US, 443, true.", func(r row) any { return string(r.value.Value) }),
			integer("count", "The number of matching services with the value.", func(r row) any { return r.value.Count.Ptr() }),
			integer("total", totalDescription, func(r row) any { return r.reply.Value.Total.Ptr() }),
			timestamp("checked_at", checkedAtDescription, func(r row) time.Time { return r.reply.CheckedAt }),
			text("title", "The display name of the row: the facet and the value.", func(r row) any { return fmt.Sprintf("%s %s", r.facet, r.value.Value) }),
		},
	}, scan.Table{
		Keys:    append(queryKey(), scan.Required("facet"), scan.Optional("size")),
		Action:  "count",
		AllRows: true,
		Rows:    scan.FromPages(listFacets),
	})
}

// A facetRow is a value of a facet.
type facetRow struct {
	query, facet string
	size, rank   int
	value        shodan.FacetValue
	reply        lookup.Reply[*shodan.CountResult]
}

// facetName is what can name a facet. Anything else could say more to Shodan than which one is meant.
var facetName = regexp.MustCompile(`^[a-z][a-z0-9_.]*$`)

// listFacets requests all facets of the scan at once, and makes rows of those of this call.
func listFacets(ctx context.Context, c *scan.ListCall, emit func(*facetRow) bool) error {
	queries, err := searchQueries(c)
	if err != nil {
		return err
	}
	together := c.AllTexts("facet")
	for _, facet := range together {
		if !facetName.MatchString(facet) {
			return fmt.Errorf("facet = %q is no name of a facet: use one such as country, port, org or ssl.version, and the column size for how many values", facet)
		}
	}
	sizes := c.Texts("size")
	if sizes == nil {
		sizes = []string{strconv.Itoa(facetSize)}
	}
	for _, text := range sizes {
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 {
			return fmt.Errorf("size = %s: use a whole number from 1 on", text)
		}
		for _, query := range queries {
			reply, err := scan.Fetch(ctx, c, shodan.Count(query, together, size))
			if err != nil {
				return err
			}
			for _, facet := range c.Texts("facet") {
				for i, value := range reply.Value.Facets[facet] {
					if !emit(&facetRow{query: query, facet: facet, size: size, rank: i + 1, value: value, reply: reply}) {
						return nil
					}
				}
			}
		}
	}
	return nil
}

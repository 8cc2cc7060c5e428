package shodanrep

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	queryDescription     = "The search query, in Shodan's syntax, such as product:nginx country:DE."
	totalDescription     = "The total number of services that match the query."
	checkedAtDescription = "Time when the data was requested from Shodan; a cached response keeps the time of its request."
)

// queryKey is the key column of the tables that are about search queries.
func queryKey() plugin.KeyColumnSlice {
	return plugin.KeyColumnSlice{scan.Required("query")}
}

// searchQueries returns the search queries of a call.
func searchQueries(c *scan.ListCall) ([]string, error) {
	queries := c.Texts("query")
	for _, query := range queries {
		if strings.TrimSpace(query) == "" {
			return nil, errors.New("query is empty: write what you would search for at https://www.shodan.io, such as query = 'product:nginx country:DE'")
		}
	}
	return queries, nil
}

// inetValue returns an address as an inet column takes it, or nil for the zero Addr.
func inetValue(addr netip.Addr) any {
	if !addr.IsValid() {
		return nil
	}
	return addr.String()
}

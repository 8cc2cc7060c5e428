package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanOrgCorrelation(context.Context) *plugin.Table {
	return correlation{
		table:       "shodan_org_correlation",
		description: "The other hosts of the organization of an address, or of an organization that the query names.",
		pivots:      []shodan.Pivot{shodan.Organization},
		alias:       "organization",
	}.definition()
}

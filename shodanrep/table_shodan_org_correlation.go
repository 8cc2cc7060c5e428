package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanOrgCorrelation(context.Context) *plugin.Table {
	return correlation{
		table:       "shodan_org_correlation",
		description: "Other hosts of the same organization as an address, or of one that is given.",
		pivots:      []shodan.Pivot{shodan.Organization},
		alias:       "organization",
	}.definition()
}

package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanASNCorrelation(context.Context) *plugin.Table {
	return correlation{
		table:       "shodan_asn_correlation",
		description: "The other hosts in the autonomous system of an address, or in an autonomous system that the query names.",
		pivots:      []shodan.Pivot{shodan.ASN},
		alias:       "asn",
	}.definition()
}

package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanASNCorrelation(context.Context) *plugin.Table {
	return correlation{
		table:       "shodan_asn_correlation",
		description: "Other hosts of the same autonomous system as an address, or of one that is given.",
		pivots:      []shodan.Pivot{shodan.ASN},
		alias:       "asn",
	}.definition()
}

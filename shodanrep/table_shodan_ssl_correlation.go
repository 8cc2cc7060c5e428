package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanSSLCorrelation(context.Context) *plugin.Table {
	return correlation{
		table: "shodan_ssl_correlation",
		description: "The other hosts with the same certificate or TLS fingerprint as an address, or with one that the query names: " +
			"the common name of the certificate (the default), the certificate itself, JARM or JA3S.",
		pivots: []shodan.Pivot{shodan.SubjectCN, shodan.FingerprintSHA256, shodan.JARM, shodan.JA3S},
	}.definition()
}

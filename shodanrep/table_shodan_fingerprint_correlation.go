package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanFingerprintCorrelation(context.Context) *plugin.Table {
	return correlation{
		table: "shodan_fingerprint_correlation",
		description: "The other hosts with the same fingerprint as an address, or with a fingerprint that the query names: the certificate (the default), its serial number, " +
			"the key of an SSH server, the icon or page of a site, the response of a service, JARM, JA3S or HASSH.",
		pivots: shodan.Fingerprints(),
	}.definition()
}

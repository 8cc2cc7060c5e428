package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanFingerprintCorrelation(context.Context) *plugin.Table {
	return correlation{
		table: "shodan_fingerprint_correlation",
		description: "Other hosts with the same fingerprint as an address, or with one that is given: by the certificate (the default), its serial number, " +
			"an SSH server's key, a site's icon or page, a service's answer, JARM, JA3S or HASSH.",
		pivots: shodan.Fingerprints(),
	}.definition()
}

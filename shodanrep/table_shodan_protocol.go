package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanProtocol(context.Context) *plugin.Table {
	type row = shodan.Protocol
	return newTable(&plugin.Table{
		Name:        "shodan_protocol",
		Description: "The protocols that Shodan's crawlers use, and that a scan can use.",
		Columns: []*plugin.Column{
			text("name", "The name of the protocol. Most values of the module column of shodan_service are protocols.", func(r row) any { return string(r.Name) }),
			text("description", "The description of what the crawler does with the protocol.", func(r row) any { return string(r.Description) }),
			text("title", "The display name of the row: the name of the protocol.", func(r row) any { return string(r.Name) }),
		},
	}, scan.Table{Rows: scan.FromCall(shodan.Protocols(), scan.Items[row])})
}

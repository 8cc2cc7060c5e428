package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanProtocol(context.Context) *plugin.Table {
	type row = shodan.Protocol
	return &plugin.Table{
		Name:        "shodan_protocol",
		Description: "The protocols that Shodan's crawlers speak, and that a scan can use.",
		List:        listOf(fromAnswer(shodan.Protocols(), items[row])),
		Cache:       noQueryCache(),
		Columns: []*plugin.Column{
			text("name", "The name of the protocol; most modules of shodan_service are one.", func(r row) any { return string(r.Name) }),
			text("description", "What the crawler does with it.", func(r row) any { return string(r.Description) }),
			text("title", "The name of the protocol, as a name for the row.", func(r row) any { return string(r.Name) }),
		},
	}
}

package shodanrep

import (
	"context"
	"strconv"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanPort(context.Context) *plugin.Table {
	return newTable(&plugin.Table{
		Name:        "shodan_port",
		Description: "The ports that Shodan's crawlers scan.",
		Columns: []*plugin.Column{
			integer("port", "The port. Shodan does not scan ports that are not listed, so it cannot say if they are open.", func(port int64) any { return port }),
			text("title", "The display name of the row: the port.", func(port int64) any { return strconv.FormatInt(port, 10) }),
		},
	}, scan.Table{Rows: scan.FromCall(shodan.Ports(), scan.Items[int64])})
}

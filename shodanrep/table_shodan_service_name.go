package shodanrep

import (
	"context"
	"fmt"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanServiceName(context.Context) *plugin.Table {
	type row = shodan.ServiceName
	return newTable(&plugin.Table{
		Name:        "shodan_service_name",
		Description: "The names of the services that Shodan expects on ports, such as PostgreSQL on 5432.",
		Columns: []*plugin.Column{
			integer("port", "The port where the service is expected.", func(r row) any { return r.Port }),
			text("name", "The name of the service.", func(r row) any { return string(r.Name) }),
			text("title", "The display name of the row: the port and the service.", func(r row) any { return fmt.Sprintf("%d %s", r.Port, r.Name) }),
		},
	}, scan.Table{Rows: scan.FromCall(shodan.ServiceNames(), scan.Items[row])})
}

package shodanrep

import (
	"context"
	"strconv"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanPort(context.Context) *plugin.Table {
	return &plugin.Table{
		Name:        "shodan_port",
		Description: "The ports that Shodan's crawlers look at.",
		List:        listOf(fromAnswer(shodan.Ports(), items[int64])),
		Cache:       noQueryCache(),
		Columns: []*plugin.Column{
			integer("port", "The port. One that is not listed is not looked at, so that nothing found on it says nothing.", func(port int64) any { return port }),
			text("title", "The port, as a name for the row.", func(port int64) any { return strconv.FormatInt(port, 10) }),
		},
	}
}

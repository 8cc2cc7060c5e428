package shodanrep

import (
	"cmp"
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanAlert(context.Context) *plugin.Table {
	type row = shodan.Alert
	return &plugin.Table{
		Name:        "shodan_alert",
		Description: "The networks that Shodan watches for the account, and what it tells of. The table changes none.",
		List:        listOf(fromAnswer(shodan.Alerts(), items[row])),
		Cache:       noQueryCache(),
		Columns: []*plugin.Column{
			text("id", "The id of the alert.", func(r row) any { return string(r.ID) }),
			text("name", "The name that it was given.", func(r row) any { return string(r.Name) }),
			list("networks", "The addresses and networks that are watched, as texts.", func(r row) any { return r.Filters.IP }),
			integer("size", "How many addresses are watched.", func(r row) any { return r.Size.Ptr() }),
			list("triggers", "What is told of, such as new_service or malware: an object by name, each with what is ignored of it. An alert without any tells of nothing.", func(r row) any { return r.Triggers }),
			list("notifiers", "Whom is told: a list of {id, provider, description}.", func(r row) any { return r.Notifiers }),
			moment("created", "When the alert was made.", func(r row) any { return r.Created.Ptr() }),
			integer("expires", "How many seconds after it was made it ends, 0 for never.", func(r row) any { return r.Expires.Ptr() }),
			moment("expiration", "When it ends. Null where it does not.", func(r row) any { return r.Expiration.Ptr() }),
			boolean("expired", "Whether it has ended. Null where Shodan does not say.", func(r row) any { return r.Expired.Ptr() }),
			text("title", "The name of the alert, or else its id.", func(r row) any { return string(cmp.Or(r.Name, r.ID)) }),
		},
	}
}

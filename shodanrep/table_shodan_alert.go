package shodanrep

import (
	"cmp"
	"context"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanAlert(context.Context) *plugin.Table {
	type row = shodan.Alert
	return newTable(&plugin.Table{
		Name:        "shodan_alert",
		Description: "The network alerts of the account: the networks that Shodan monitors and the events that it reports. The table is read-only.",
		Columns: []*plugin.Column{
			text("id", "The id of the alert.", func(r row) any { return string(r.ID) }),
			text("name", "The name of the alert.", func(r row) any { return string(r.Name) }),
			jsonb("networks", "The addresses and networks that the alert monitors, as a list of texts.", func(r row) any { return r.Filters.IP }),
			integer("size", "The number of addresses that the alert monitors.", func(r row) any { return r.Size.Ptr() }),
			jsonb("triggers", "The events that the alert reports, such as new_service or malware: an object with one key per event, whose value says what to ignore. An alert without triggers reports nothing.", func(r row) any { return r.Triggers }),
			jsonb("notifiers", "The recipients of the alert's notifications: a list of {id, provider, description}.", func(r row) any { return r.Notifiers }),
			timestamp("created", "Time when the alert was created.", func(r row) time.Time { return r.Created.Time }),
			integer("expires", "The number of seconds from its creation until the alert expires. 0 means never.", func(r row) any { return r.Expires.Ptr() }),
			timestamp("expiration", "Time when the alert expires. Null if it never expires.", func(r row) time.Time { return r.Expiration.Time }),
			boolean("expired", "True if the alert has expired. Null if Shodan does not say.", func(r row) any { return r.Expired.Ptr() }),
			text("title", "The display name of the row: the name of the alert, or its id if it has no name.", func(r row) any { return string(cmp.Or(r.Name, r.ID)) }),
		},
	}, scan.Table{Rows: scan.FromCall(shodan.Alerts(), scan.Items[row])})
}

package shodanrep

import (
	"cmp"
	"context"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanAccountProfile(context.Context) *plugin.Table {
	type row = *shodan.AccountProfile
	return newTable(&plugin.Table{
		Name:        "shodan_account_profile",
		Description: "The Shodan account that the API key belongs to.",
		Columns: []*plugin.Column{
			text("display_name", "The display name of the account. Null if it has none.", func(r row) any { return string(r.DisplayName) }),
			boolean("member", "True if the account has a Shodan membership.", func(r row) any { return r.Member.Ptr() }),
			integer("credits", "The number of export credits of the account. Query and scan credits are in shodan_api_info.", func(r row) any { return r.Credits.Ptr() }),
			timestamp("created", "Time when the account was created.", func(r row) time.Time { return r.Created.Time }),
			text("title", "The display name of the row: the display name of the account, or account if it has none.", func(r row) any { return string(cmp.Or(r.DisplayName, "account")) }),
		},
	}, scan.Table{Rows: scan.FromCall(shodan.Profile(), func(_ *scan.ListCall, profile row) []row { return []row{profile} })})
}

package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanAPIInfo(context.Context) *plugin.Table {
	type row = *apiInfoRow
	return newTable(&plugin.Table{
		Name:        "shodan_api_info",
		Description: "The plan of the API key, its limits, the credits left, and the requests and credits that this process has used.",
		Columns: []*plugin.Column{
			text("plan", "The plan of the API key, such as oss (free), dev, plus or corp.", func(r row) any { return string(r.Plan) }),
			integer("query_credits", "The number of query credits left this month. Searches cost query credits.", func(r row) any { return r.QueryCredits.Ptr() }),
			integer("query_credits_limit", "The number of query credits per month in the plan. Null if the plan sets no limit.", func(r row) any { return r.Limit("query_credits") }),
			integer("scan_credits", "The number of scan credits left this month. Scans cost scan credits.", func(r row) any { return r.ScanCredits.Ptr() }),
			integer("scan_credits_limit", "The number of scan credits per month in the plan. Null if the plan sets no limit.", func(r row) any { return r.Limit("scan_credits") }),
			integer("monitored_ips", "The number of addresses that Shodan monitors for the account.", func(r row) any { return r.MonitoredIPs.Ptr() }),
			integer("monitored_ips_limit", "The number of addresses that the plan allows to monitor. Null if the plan sets no limit.", func(r row) any { return r.Limit("monitored_ips") }),
			boolean("unlocked", "True if searches are unlocked for the key, a term of Shodan's older plans.", func(r row) any { return r.Unlocked.Ptr() }),
			integer("unlocked_left", "The number of unlocked searches left this month. On current plans it seems to equal query_credits.", func(r row) any { return r.UnlockedLeft.Ptr() }),
			boolean("https", "True if the plan has Shodan's older add-on for HTTPS.", func(r row) any { return r.HTTPS.Ptr() }),
			boolean("telnet", "True if the plan has Shodan's older add-on for Telnet.", func(r row) any { return r.Telnet.Ptr() }),
			jsonb("usage_limits", "The limits of the plan by name, as Shodan returns them. -1 means no limit.", func(r row) any { return r.limits() }),
			integer("requests_spent", "The number of requests that this process has sent to the REST API with the API key, including this one and rejected ones.", func(r row) any { return r.spent.Requests }),
			integer("query_credits_spent", "The number of query credits that this process has spent.", func(r row) any { return r.spent.Credits }),
			text("title", "The display name of the row: the plan.", func(r row) any { return string(r.Plan) }),
		},
	}, scan.Table{Rows: scan.FromCall(shodan.Info(), apiInfoRows)})
}

// An apiInfoRow is the plan of the API key with what this process has spent of it.
type apiInfoRow struct {
	*shodan.APIInfo
	spent lookup.Spending
}

func apiInfoRows(c *scan.ListCall, info *shodan.APIInfo) []*apiInfoRow {
	return []*apiInfoRow{{APIInfo: info, spent: c.Engine().Spent()}}
}

// limits are all limits by name; null is one that cannot be read.
func (r *apiInfoRow) limits() map[string]*int64 {
	if r.UsageLimits == nil {
		return nil
	}
	limits := map[string]*int64{}
	for name, limit := range r.UsageLimits {
		limits[name] = limit.Ptr()
	}
	return limits
}

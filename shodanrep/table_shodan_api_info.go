package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanAPIInfo(context.Context) *plugin.Table {
	type row = *apiInfoRow
	return &plugin.Table{
		Name:        "shodan_api_info",
		Description: "The plan of the API key, the credits and limits left of it, and what this process has spent of it.",
		List:        listOf(fromAnswer(shodan.Info(), apiInfoRows)),
		Cache:       noQueryCache(),
		Columns: []*plugin.Column{
			text("plan", "The plan of the API key, such as oss (free), dev, plus or corp.", func(r row) any { return string(r.Plan) }),
			integer("query_credits", "The query credits left this month: what searches cost.", func(r row) any { return r.QueryCredits.Ptr() }),
			integer("query_credits_limit", "The query credits that the plan has a month. Null where it sets no limit.", func(r row) any { return r.Limit("query_credits") }),
			integer("scan_credits", "The scan credits left this month: what scans cost.", func(r row) any { return r.ScanCredits.Ptr() }),
			integer("scan_credits_limit", "The scan credits that the plan has a month. Null where it sets no limit.", func(r row) any { return r.Limit("scan_credits") }),
			integer("monitored_ips", "How many addresses Shodan watches for the account.", func(r row) any { return r.MonitoredIPs.Ptr() }),
			integer("monitored_ips_limit", "How many addresses the plan lets Shodan watch. Null where it sets no limit.", func(r row) any { return r.Limit("monitored_ips") }),
			boolean("unlocked", "Whether searches are unlocked for the key, in the words of Shodan's older plans.", func(r row) any { return r.Unlocked.Ptr() }),
			integer("unlocked_left", "How much of that is left this month; on today's plans the same as query_credits, as far as is known.", func(r row) any { return r.UnlockedLeft.Ptr() }),
			boolean("https", "Whether the plan has Shodan's older add-on for HTTPS.", func(r row) any { return r.HTTPS.Ptr() }),
			boolean("telnet", "Whether the plan has Shodan's older add-on for Telnet.", func(r row) any { return r.Telnet.Ptr() }),
			list("usage_limits", "All limits of the plan as Shodan says them, by name; -1 is no limit.", func(r row) any { return r.limits() }),
			integer("requests_spent", "How many requests this process has sent to the REST API with the API key so far, this one and refused ones included.", func(r row) any { return r.spent.Requests }),
			integer("query_credits_spent", "How many query credits this process has spent so far.", func(r row) any { return r.spent.Credits }),
			text("title", "The plan, as a name for the row.", func(r row) any { return string(r.Plan) }),
		},
	}
}

// An apiInfoRow is the plan of the API key with what this process has spent of it.
type apiInfoRow struct {
	*shodan.APIInfo
	spent lookup.Spending
}

func apiInfoRows(r *request, info *shodan.APIInfo) []*apiInfoRow {
	return []*apiInfoRow{{APIInfo: info, spent: r.engine.Spent()}}
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

package related

import (
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
)

// exchanged returns a result for the formats for other platforms.
func exchanged(r *Result) report.RelatedHosts {
	hosts := report.RelatedHosts{IP: r.IP, Policy: r.Policy, Complete: len(r.Failures) == 0, Now: time.Now()}
	for _, h := range r.Hosts {
		hosts.Hosts = append(hosts.Hosts, report.RelatedHost{
			IP: h.IP, From: h.From, Pivot: h.Pivot, Value: h.Value, Port: h.Port, Also: h.Also,
			Status: h.Status, Level: h.Level, Score: h.Score, Policy: h.Policy, Error: h.Error,
		})
	}
	return hosts
}

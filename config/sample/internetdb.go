package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// internetDBRows returns what InternetDB would have of the hosts, in the order of their addresses.
func internetDBRows() []internetdbtest.Row {
	var hosts []*shodan.Host
	for _, group := range sample {
		for _, h := range group.hosts {
			hosts = append(hosts, h.merged())
		}
	}
	slices.SortFunc(hosts, func(a, b *shodan.Host) int { return a.Addr.Compare(b.Addr) })
	rows := make([]internetdbtest.Row, len(hosts))
	for i, h := range hosts {
		var ports []string
		for _, port := range h.Ports {
			ports = append(ports, strconv.Itoa(port))
		}
		rows[i] = internetdbtest.Row{
			IP: h.Addr.String(), Ports: strings.Join(ports, ","), Tags: strings.Join(h.Tags, ","), CPEs: strings.Join(h.AllCPEs(), ","),
			Vulns: strings.Join(h.Vulns.IDs(), ","), Hostnames: strings.Join(h.Hostnames, ","),
		}
	}
	return rows
}

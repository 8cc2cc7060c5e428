package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// A rule is a rule of a security group: what one group lets in from a network, or out to it.
type rule struct {
	group       string // its number, of the id
	egress      bool
	protocol    string
	from, to    int    // ports; -1 for all
	network     string // IPv4 or IPv6, or
	other       string // another group's number
	description string
}

var rules = []rule{
	{"a1", false, "tcp", 443, 443, "0.0.0.0/0", "", "web site, open to all"},
	{"a1", false, "tcp", 443, 443, "::/0", "", "web site, open to all"},
	{"a1", false, "tcp", 22, 22, "192.0.2.99/32", "", "developer's machine"},
	{"a1", false, "tcp", 22, 22, "203.0.113.50/32", "", "temporary, remove me"},
	{"a1", false, "tcp", 8080, 8080, "198.51.100.90/32", "", "deployments from the build server"},
	{"a1", false, "tcp", 443, 443, "192.0.2.80/32", "", "health check of the shop"},
	{"a1", true, "-1", -1, -1, "0.0.0.0/0", "", "all outbound"},
	{"b2", false, "tcp", 5432, 5432, "", "a1", "database, from the web servers"},
	{"b2", false, "tcp", 5432, 5432, "10.0.0.0/8", "", "database, from inside"},
	{"b2", false, "tcp", 5432, 5432, "198.51.100.66/32", "", "report job of the agency"},
	{"b2", false, "tcp", 27017, 27017, "198.51.100.12/32", "", "replica set, member 2"},
	{"b2", false, "tcp", 6379, 6379, "198.51.100.13/32", "", "session cache"},
	{"b2", true, "tcp", 443, 443, "203.0.113.10/32", "", "vendor updates"},
	{"b2", true, "tcp", 443, 443, "203.0.113.200/32", "", "package mirror"},
	{"b2", true, "udp", 53, 53, "192.0.2.53/32", "", "resolver"},
	{"b2", true, "udp", 53, 53, "2001:db8:1::53/128", "", "resolver"},
	{"c3", false, "tcp", 3389, 3389, "203.0.113.0/28", "", "remote desktop, office"},
	{"c3", false, "tcp", 3389, 3389, "192.0.2.44/32", "", "remote desktop, at home"},
	{"c3", false, "tcp", 22, 22, "10.20.30.40/32", "", "bastion"},
	{"c3", false, "tcp", 22, 22, "192.168.1.10/32", "", "old bastion"},
	{"c3", false, "udp", 500, 500, "203.0.113.25/32", "", "site-to-site VPN"},
	{"c3", false, "udp", 4500, 4500, "203.0.113.25/32", "", "site-to-site VPN"},
	{"c3", false, "tcp", 25, 25, "192.0.2.25/32", "", "mail relay"},
	{"c3", false, "tcp", 25, 25, "2001:db8:20::5/128", "", "mail relay, IPv6"},
	{"c3", false, "tcp", 443, 443, "2001:db8:bad::10/128", "", "partner"},
	{"c3", false, "icmp", -1, -1, "203.0.113.99/32", "", "monitoring"},
}

// ruleLines returns the rules as CSV, with those columns of Steampipe's aws_vpc_security_group_rule that are not
// deprecated. An empty field is null.
//
// https://hub.steampipe.io/plugins/turbot/aws/tables/aws_vpc_security_group_rule
func ruleLines() []byte {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	write := func(fields ...string) {
		if err := w.Write(fields); err != nil {
			panic(err) // nothing can go wrong in memory
		}
	}
	write("security_group_rule_id", "group_id", "is_egress", "type", "group_owner_id", "description", "ip_protocol", "from_port", "to_port",
		"cidr_ipv4", "cidr_ipv6", "referenced_group_id", "prefix_list_id", "title", "region", "account_id")
	const account = "123456789012"
	for i, r := range rules {
		id := fmt.Sprintf("sgr-%017x", 0xabc000000+i)
		direction := "ingress"
		if r.egress {
			direction = "egress"
		}
		title := id + "_" + direction + "_" + r.protocol
		from, to := "", ""
		if r.protocol != "-1" {
			from, to = strconv.Itoa(r.from), strconv.Itoa(r.to)
			title += "_" + from + "_" + to
		}
		four, six, other := r.network, "", ""
		if strings.Contains(four, ":") {
			four, six = "", four
		}
		if r.other != "" {
			other = groupID(r.other)
		}
		write(id, groupID(r.group), strconv.FormatBool(r.egress), direction, account, r.description, r.protocol, from, to,
			four, six, other, "", title+"_"+r.network+other, "us-east-1", account)
	}
	w.Flush()
	return buf.Bytes()
}

func groupID(number string) string { return "sg-0" + strings.Repeat(number, 8) }

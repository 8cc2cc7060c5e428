package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// readme returns README.md, which describes each host with its score by the baseline policy.
func readme() []byte {
	var buf bytes.Buffer
	buf.WriteString(`# The sample

The sample has invented hosts in the address ranges reserved for documentation, in the format of ` + "`shodan download`" + `
(` + "`hosts.json.gz`" + `) and of Shodan's file of InternetDB (` + "`internetdb.sqlite`" + `), and the rules of invented security groups, in the
format of Steampipe's ` + "`aws_vpc_security_group_rule`" + ` (` + "`security_group_rules.csv`" + `). None of these hosts was ever on the internet. The CVE ids are
real; their scores are only approximate.

` + "`go run ./config/sample`" + ` writes these files, including this one. Change the Go files in this folder, not the generated files.

| address | level | score | description | organization |
|---|---|---|---|---|
`)
	for _, group := range sample {
		hosts := slices.Clone(group.hosts)
		slices.SortStableFunc(hosts, func(a, b host) int { return cmp.Compare(b.judge().Score, a.judge().Score) })
		for _, h := range hosts {
			result := h.judge()
			fmt.Fprintf(&buf, "| %s | %s | %d | %s | %s |\n", h.addr, result.Level, result.Score, h.about, h.org)
		}
	}
	return buf.Bytes()
}

// judge scores a host from its lines, as the plugin does.
func (h host) judge() reputation.Result {
	merged := h.merged()
	return policyfile.Baseline().Score(reputation.Host{Ports: merged.Ports, Vulnerabilities: merged.Vulns.IDs(), Tags: merged.Tags})
}

// merged reads a host from its lines.
func (h host) merged() *shodan.Host {
	var banners []shodan.Banner
	for _, line := range h.lines() {
		b, err := shodan.ParseBanner(line)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", h.addr, err))
		}
		banners = append(banners, *b)
	}
	return shodan.MergeBanners(banners)
}

//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

const (
	knownAddresses = 20_000
	listLength     = 100
	// Of each list, so many addresses are not known to the service, and so many are private.
	unknownInList, privateInList = 10, 2
)

// columns are those that the queries select, in the order of the fields of a row.
const columns = "ip, status, level, score, error"

// A row is one address of a result.
type row struct{ ip, status, level, score, err string }

// randomList returns distinct addresses: known, unknown and private ones.
func randomList(rng *rand.Rand, known []netip.Addr) []string {
	list := make(map[string]bool, listLength)
	for len(list) < listLength-unknownInList-privateInList {
		list[known[rng.IntN(len(known))].String()] = true
	}
	for n := len(list) + unknownInList; len(list) < n; {
		list[fmt.Sprintf("12.0.%d.%d", rng.IntN(200), rng.IntN(200))] = true
	}
	for n := len(list) + privateInList; len(list) < n; {
		list[fmt.Sprintf("192.168.%d.%d", rng.IntN(200), rng.IntN(200))] = true
	}
	ips := make([]string, 0, len(list))
	for ip := range list {
		ips = append(ips, ip)
	}
	return ips
}

// checkRows reports every address without exactly one row, and every wrong row.
func checkRows(r *report, list []string, rows []row) {
	count := map[string]int{}
	for _, row := range rows {
		count[row.ip]++
		if row.status == "error" {
			r.add(func(r *report) { r.errorRows++ })
		}
		if problem := wrongRow(row); problem != "" {
			r.problem("wrong row: %s: %+v", problem, row)
		}
	}
	for _, ip := range list {
		if count[ip] != 1 {
			r.problem("rows lost: %s has %d rows", ip, count[ip])
		}
	}
	r.add(func(r *report) { r.rows += len(rows) })
}

// wrongRow returns what is wrong with a row, or "".
func wrongRow(r row) string {
	addr, err := netip.ParseAddr(r.ip)
	if err != nil {
		return "not an address"
	}
	scored := r.score != "" || r.level != "unknown"
	switch r.status {
	case "error":
		if scored || r.err == "" {
			return "an error row has a score, or does not say why"
		}
	case "reserved":
		if scored || !addr.IsPrivate() {
			return "not a reserved address, or it has a score"
		}
	case "not_indexed":
		if scored || addr.IsPrivate() || addr.As4()[0] == 11 {
			return "the address is indexed, or it has a score"
		}
	case "indexed":
		if addr.As4()[0] != 11 {
			return "the address is not indexed"
		}
		score, level := baseline(shodantest.GeneratedHost(addr))
		if r.score != fmt.Sprint(score) || r.level != level {
			return fmt.Sprintf("the score is %d, %s", score, level)
		}
	default:
		return "an unknown status"
	}
	return ""
}

// baseline scores a host by the rules of the policy baseline, without code of the product.
func baseline(h shodantest.Host) (score int, level string) {
	switch n := len(h.Vulns); {
	case n > 10:
		score = 40
	case n > 5:
		score = 25
	case n > 0:
		score = 10
	}
	suspicious := []int{4444, 5555, 6666, 8888, 9090, 1234, 31337, 6667, 6697, 8080, 8443, 3128, 1080}
	if slices.ContainsFunc(h.Ports, func(port int) bool { return slices.Contains(suspicious, port) }) {
		score += 15
	}
	tags := []string{"self-signed", "cloud", "vpn", "proxy", "tor"}
	if slices.ContainsFunc(h.Tags, func(tag string) bool { return slices.Contains(tags, tag) }) {
		score += 10
	}
	if len(h.Ports) > 20 {
		score += 15
	}
	for _, l := range []struct {
		least int
		level string
	}{{50, "critical"}, {35, "high"}, {15, "medium"}} {
		if score >= l.least {
			return score, l.level
		}
	}
	return score, "low"
}

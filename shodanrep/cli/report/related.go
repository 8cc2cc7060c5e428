package report

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A RelatedHost is a host that shares a value with another one, and its verdict.
type RelatedHost struct {
	IP, From string // From has the value as well
	Pivot    shodan.Pivot
	Value    string
	Port     int64
	Also     []string // further pivots by which it is related
	Status   string
	Level    string
	Score    *int64 // nil without a verdict
	Policy   string
	Error    string
}

// RelatedHosts are the hosts that share something with an address, directly or through other hosts.
type RelatedHosts struct {
	IP       string
	Policy   string // of the verdicts
	Hosts    []RelatedHost
	Complete bool // no lookup or search failed
	Now      time.Time
}

// day is the time of what is said about the hosts: the same in all runs of a day.
func (r RelatedHosts) day() time.Time { return r.Now.UTC().Truncate(24 * time.Hour) }

// isUnchecked reports whether nothing is known about the host, because the lookup failed.
func (h RelatedHost) isUnchecked() bool { return h.Status == string(lookup.Failed) }

// abstract returns the verdict in a line.
func (h RelatedHost) abstract() string {
	if h.Score == nil {
		return fmt.Sprintf("%s: %s (%s)", h.IP, reputation.Unknown, h.Status)
	}
	return fmt.Sprintf("%s: %s, score %d by the policy %s", h.IP, h.Level, *h.Score, h.Policy)
}

// relation says what the host shares, and why it was not checked.
func (h RelatedHost) relation() string {
	text := fmt.Sprintf("shares the %s %s with %s", h.Pivot, h.Value, h.From)
	if len(h.Also) > 0 {
		text += ", and also " + strings.Join(h.Also, ", ")
	}
	if h.isUnchecked() {
		text += "\nnot checked: " + h.Error
	}
	return text
}

// labels returns level, status and policy, as those of [Result].
func (h RelatedHost) labels() []string {
	level := h.Level
	if h.Score == nil {
		level = string(reputation.Unknown)
	}
	return []string{"level:" + level, "status:" + h.Status, "policy:" + h.Policy}
}

// kindOf returns the type of an address in STIX.
func kindOf(ip string) string {
	if addr, err := netip.ParseAddr(ip); err == nil && addr.Unmap().Is6() {
		return "ipv6-addr"
	}
	return "ipv4-addr"
}

// addresses returns all addresses, sorted.
func (r RelatedHosts) addresses() []string {
	list := []string{r.IP}
	for _, h := range r.Hosts {
		list = append(list, h.IP)
	}
	slices.Sort(list)
	return list
}

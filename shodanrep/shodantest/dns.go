package shodantest

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Record is a record of the DNS that Shodan saw, beside those of the hosts' names.
type Record struct {
	Subdomain string // empty for the domain itself
	Type      string
	Value     string
	Past      bool // it is answered only where history=true is asked for
}

const (
	noInformationDomain = `{"error": "No information available for that domain."}`
	// Only the last words are known, and no status: the simulator's are those of a plan that is too low.
	enterpriseOnly = `{"error": "Paging through DNS records requires enterprise access"}`
	// recordsPage is how many records are on a page.
	recordsPage = 100
	lastSeen    = "2026-01-15T12:00:00.000000+00:00"
)

// AddRecords adds records of a domain.
func (s *Simulator) AddRecords(domain string, records ...Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[domain] = append(s.records[domain], records...)
}

// resolve answers GET /dns/resolve from the host names of the hosts; null for a name of none.
func (s *Simulator) resolve(names string) *answer {
	resolved := map[string]any{}
	for name := range strings.SplitSeq(names, ",") {
		resolved[name] = nil
		for _, e := range s.entries() {
			if slices.ContainsFunc(e.names, func(known string) bool { return strings.EqualFold(known, name) }) {
				resolved[name] = e.addr.String()
				break
			}
		}
	}
	return ok(resolved)
}

// reverse answers GET /dns/reverse; null for an address without names.
func (s *Simulator) reverse(addresses string) *answer {
	names := map[string]any{}
	for address := range strings.SplitSeq(addresses, ",") {
		names[address] = nil
		addr, err := netip.ParseAddr(address)
		if err != nil {
			continue
		}
		if e := s.host(addr); e != nil && len(e.names) > 0 {
			names[address] = e.names
		}
	}
	return ok(names)
}

// recordsOf are the records of a domain: those of the host names of the hosts, and those that were added.
func (s *Simulator) recordsOf(domain string) []Record {
	var records []Record
	for _, e := range s.entries() {
		for _, name := range e.names {
			subdomain, within := strings.CutSuffix(name, "."+domain)
			if name == domain {
				subdomain, within = "", true
			}
			if !within {
				continue
			}
			kind := "A"
			if e.addr.Is6() {
				kind = "AAAA"
			}
			records = append(records, Record{Subdomain: subdomain, Type: kind, Value: e.addr.String()})
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append(records, s.records[domain]...)
}

// domain answers GET /dns/domain/{domain}, whose pages after the first are for enterprises.
func (s *Simulator) domain(c *call, a account, query url.Values) *answer {
	page := 1
	if text := query.Get("page"); text != "" {
		page, _ = strconv.Atoi(text)
	}
	if page > 1 && a.plan != "corp" {
		return errorAnswer(http.StatusForbidden, enterpriseOnly)
	}
	if !s.spend(c.Key) {
		return errorAnswer(http.StatusUnauthorized, creditsSpent)
	}
	records := s.recordsOf(strings.ToLower(c.Target))
	if len(records) == 0 {
		return errorAnswer(http.StatusNotFound, noInformationDomain)
	}
	kind := query.Get("type")
	records = slices.DeleteFunc(records, func(r Record) bool {
		return r.Past && !isTrue(query.Get("history")) || kind != "" && r.Type != kind
	})
	from := min(max(page-1, 0)*recordsPage, len(records))
	to := min(from+recordsPage, len(records))
	data, subdomains := []any{}, []string{}
	for _, r := range records[from:to] {
		data = append(data, map[string]any{"subdomain": r.Subdomain, "type": r.Type, "value": r.Value, "last_seen": lastSeen})
		if r.Subdomain != "" {
			subdomains = append(subdomains, r.Subdomain)
		}
	}
	slices.Sort(subdomains)
	return ok(map[string]any{"domain": c.Target, "tags": []string{}, "data": data, "subdomains": distinct(subdomains), "more": to < len(records)})
}

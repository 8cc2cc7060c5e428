package shodantest

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Record is a DNS record, in addition to those of the hosts' names.
type Record struct {
	Subdomain string // empty for the domain itself
	Type      string
	Value     string
	Past      bool // only in responses to requests with history=true
}

const (
	noInformationDomain = `{"error": "No information available for that domain."}`
	// Only the last words are known. The status and the rest are the simulator's choice.
	enterpriseOnly = `{"error": "Paging through DNS records requires enterprise access"}`
	// recordsPage is the number of records per page.
	recordsPage = 100
	lastSeen    = "2026-01-15T12:00:00.000000+00:00"
)

// AddRecords adds records of a domain.
func (s *Simulator) AddRecords(domain string, records ...Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[domain] = append(s.records[domain], records...)
}

// resolve handles GET /dns/resolve with the names of the hosts. An unknown name has null.
func (s *Simulator) resolve(names string) *response {
	resolved := map[string]any{}
	for name := range strings.SplitSeq(names, ",") {
		resolved[name] = nil
		for _, e := range s.entries() {
			if slices.ContainsFunc(e.names(), func(known string) bool { return strings.EqualFold(known, name) }) {
				resolved[name] = e.addr.String()
				break
			}
		}
	}
	return ok(resolved)
}

// reverse handles GET /dns/reverse. An address without names has null.
func (s *Simulator) reverse(addresses string) *response {
	names := map[string]any{}
	for address := range strings.SplitSeq(addresses, ",") {
		names[address] = nil
		addr, err := netip.ParseAddr(address)
		if err != nil {
			continue
		}
		if e := s.host(addr); e != nil && len(e.names()) > 0 {
			names[address] = e.names()
		}
	}
	return ok(names)
}

// recordsOf returns the records of a domain: those of the hosts' names, and those that were added.
func (s *Simulator) recordsOf(domain string) []Record {
	var records []Record
	for _, e := range s.entries() {
		for _, name := range e.names() {
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

// domain handles GET /dns/domain/{domain}. Pages after the first need an enterprise plan.
func (s *Simulator) domain(c *call, a account, query url.Values) *response {
	page := 1
	if text := query.Get("page"); text != "" {
		page, _ = strconv.Atoi(text)
	}
	if page > 1 && a.plan != "corp" {
		return errorResponse(http.StatusForbidden, enterpriseOnly)
	}
	if !s.spend(c.Key) {
		return errorResponse(http.StatusUnauthorized, creditsSpent)
	}
	records := s.recordsOf(strings.ToLower(c.Target))
	if len(records) == 0 {
		return errorResponse(http.StatusNotFound, noInformationDomain)
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

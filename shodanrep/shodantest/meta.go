package shodantest

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// info answers GET /api-info.
func (a account) info() *answer {
	member := a.plan != "oss"
	return ok(map[string]any{
		"scan_credits": 100, "usage_limits": map[string]any{"scan_credits": 100, "query_credits": max(a.credits, defaultCredits), "monitored_ips": 16},
		"plan": a.plan, "https": false, "unlocked": member, "query_credits": a.credits, "monitored_ips": 0,
		"unlocked_left": a.credits, "telnet": false,
	})
}

// profile answers GET /account/profile.
func (a account) profile() *answer {
	return ok(map[string]any{
		"member": a.plan != "oss", "credits": 0, "display_name": nil, "created": "2026-01-15T12:00:00.000000",
	})
}

// ports answers GET /shodan/ports.
func (s *Simulator) ports() *answer {
	known := map[int]bool{}
	for port := range services {
		known[port] = true
	}
	for _, port := range generatedPorts {
		known[port] = true
	}
	return ok(slices.Sorted(maps.Keys(known)))
}

// protocols answers GET /shodan/protocols.
func (s *Simulator) protocols() *answer {
	protocols := map[string]string{"auto": "Identify the service on a port"}
	for _, usual := range services {
		protocols[usual.module] = "Grab the banner of " + usual.module
	}
	return ok(protocols)
}

// resolve answers GET /dns/resolve from the host names of the hosts; null for a name of none.
func (s *Simulator) resolve(names string) *answer {
	resolved := map[string]any{}
	for name := range strings.SplitSeq(names, ",") {
		resolved[name] = nil
		for _, e := range s.entries() {
			if slices.Contains(e.names, name) {
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

// domain answers GET /dns/domain/{domain} from the host names of the hosts.
func (s *Simulator) domain(domain string) *answer {
	data, subdomains := []any{}, []string{}
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
			data = append(data, map[string]any{
				"subdomain": subdomain, "type": kind, "value": e.addr.String(), "last_seen": "2026-01-15T12:00:00.000000+00:00",
			})
			if subdomain != "" {
				subdomains = append(subdomains, subdomain)
			}
		}
	}
	slices.Sort(subdomains)
	return ok(map[string]any{"domain": domain, "tags": []string{}, "data": data, "subdomains": distinct(subdomains), "more": false})
}

// meta answers what is about the key, the service or names rather than about hosts; nil for a path that there is not.
func (s *Simulator) meta(c *call, a account, query url.Values) *answer {
	switch c.Endpoint {
	case EndpointInfo:
		return a.info()
	case "/account/profile":
		return a.profile()
	case "/shodan/ports":
		return s.ports()
	case "/shodan/protocols":
		return s.protocols()
	case "/shodan/host/search/facets", "/shodan/host/search/filters":
		return ok(filterNames())
	case "/shodan/host/search/tokens":
		return tokens(query.Get("query"))
	case "/dns/resolve":
		return s.resolve(query.Get("hostnames"))
	case "/dns/reverse":
		return s.reverse(query.Get("ips"))
	case EndpointDomain:
		if !s.spend(c.Key) {
			return errorAnswer(http.StatusUnauthorized, creditsSpent)
		}
		return s.domain(c.Subject)
	case "/tools/myip":
		address, _, err := net.SplitHostPort(c.r.RemoteAddr)
		if err != nil { // asked through Transport
			address = "127.0.0.1"
		}
		return ok(address)
	}
	return nil
}

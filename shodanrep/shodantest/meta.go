package shodantest

import (
	"cmp"
	"maps"
	"net"
	"net/url"
	"slices"
)

// info handles GET /api-info.
func (a account) info() *response {
	member := a.plan != "oss"
	return ok(map[string]any{
		"scan_credits": 100, "usage_limits": map[string]any{"scan_credits": 100, "query_credits": max(a.credits, defaultCredits), "monitored_ips": 16},
		"plan": a.plan, "https": false, "unlocked": member, "query_credits": a.credits, "monitored_ips": 0,
		"unlocked_left": a.credits, "telnet": false,
	})
}

// profile handles GET /account/profile.
func (a account) profile() *response {
	return ok(map[string]any{
		"member": a.plan != "oss", "credits": 0, "display_name": nil, "created": "2026-01-15T12:00:00.000000",
	})
}

// ports handles GET /shodan/ports.
func (s *Simulator) ports() *response {
	known := map[int]bool{}
	for port := range services {
		known[port] = true
	}
	for _, port := range generatedPorts {
		known[port] = true
	}
	return ok(slices.Sorted(maps.Keys(known)))
}

// protocols handles GET /shodan/protocols.
func (s *Simulator) protocols() *response {
	protocols := map[string]string{"auto": "Identify the service on a port"}
	for _, usual := range services {
		protocols[usual.module] = "Grab the banner of " + usual.module
	}
	return ok(protocols)
}

// serviceNames returns the names of the services by port, for GET /shodan/services.
func serviceNames() map[int]string {
	names := map[int]string{}
	for port, usual := range services {
		names[port] = cmp.Or(usual.product, usual.module)
	}
	return names
}

// meta handles requests about the key, the service or names. It returns nil for an unknown path.
func (s *Simulator) meta(c *call, a account, query url.Values) *response {
	switch c.Endpoint {
	case EndpointInfo:
		return a.info()
	case "/account/profile":
		return a.profile()
	case "/shodan/ports":
		return s.ports()
	case "/shodan/protocols":
		return s.protocols()
	case "/shodan/services":
		return ok(serviceNames())
	case "/shodan/query":
		return s.directory(query)
	case "/shodan/query/search":
		return s.findQueries(query)
	case "/shodan/query/tags":
		return s.queryTags(query)
	case "/shodan/scans":
		return s.scans(c.Key, query)
	case "/shodan/alert/info":
		return s.alerts()
	case "/shodan/host/search/filters":
		return ok(filterNames())
	case "/shodan/host/search/facets":
		return ok(facetNames())
	case "/shodan/host/search/tokens":
		return tokens(query.Get("query"))
	case "/dns/resolve":
		return s.resolve(query.Get("hostnames"))
	case "/dns/reverse":
		return s.reverse(query.Get("ips"))
	case EndpointDomain:
		return s.domain(c, a, query)
	case "/tools/myip":
		address, _, err := net.SplitHostPort(c.r.RemoteAddr)
		if err != nil { // a request through Transport
			address = "127.0.0.1"
		}
		return ok(address)
	}
	return nil
}

package shodantest

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Endpoints of the REST API, as in Request and Fault, whose names are not their paths or that tests use often. The name
// of any other endpoint is its path.
const (
	EndpointHost   = "/shodan/host/{ip}"
	EndpointHosts  = "/shodan/host/{ip},{ip}" // many addresses in one request
	EndpointSearch = "/shodan/host/search"
	EndpointCount  = "/shodan/host/count"
	EndpointDomain = "/dns/domain/{domain}"
	EndpointInfo   = "/api-info"
)

// endpoint returns the endpoint and the target of a request.
func endpoint(path string, query url.Values) (name, target string) {
	switch path {
	case "/dns/resolve":
		return path, query.Get("hostnames")
	case "/dns/reverse":
		return path, query.Get("ips")
	case EndpointSearch, EndpointCount, "/shodan/host/search/tokens", "/shodan/host/search/facets", "/shodan/host/search/filters", "/shodan/query/search":
		return path, query.Get("query")
	}
	if domain, ok := strings.CutPrefix(path, "/dns/domain/"); ok {
		return EndpointDomain, domain
	}
	target, ok := strings.CutPrefix(path, "/shodan/host/")
	switch {
	case !ok:
		return path, ""
	case strings.Contains(target, ","):
		return EndpointHosts, target
	}
	return EndpointHost, target
}

// rest handles requests to the REST API.
func (s *Simulator) rest(c *call) *response {
	account, _ := s.account(c.Key)
	query := c.r.URL.Query()
	switch c.Endpoint {
	case EndpointHost, EndpointHosts, EndpointSearch, EndpointDomain:
		if account.plan == "oss" {
			return errorResponse(http.StatusForbidden, planTooLow)
		}
	}
	switch c.Endpoint {
	case EndpointHost:
		return s.oneHost(c.Target, query)
	case EndpointHosts:
		allowed := account.plan == "corp"
		if s.bulk != nil {
			allowed = *s.bulk
		}
		if !allowed { // the real response is unknown
			return errorResponse(http.StatusForbidden, planTooLow)
		}
		return s.manyHosts(c.Target, query)
	case EndpointSearch, EndpointCount:
		return s.search(c, query)
	}
	if a := s.meta(c, account, query); a != nil {
		return a
	}
	return htmlPage(http.StatusNotFound)
}

func (s *Simulator) oneHost(target string, query url.Values) *response {
	addr, err := netip.ParseAddr(target)
	if err != nil || addr.Zone() != "" {
		return errorResponse(http.StatusNotFound, invalidIP)
	}
	e := s.host(addr)
	if e == nil {
		return errorResponse(http.StatusNotFound, noInformation)
	}
	return jsonResponse(http.StatusOK, e.body(query))
}

// manyHosts responds to a list of addresses with a list of hosts. Unknown addresses are missing.
func (s *Simulator) manyHosts(target string, query url.Values) *response {
	targets := strings.Split(target, ",")
	if len(targets) > 100 {
		return errorResponse(http.StatusBadRequest, tooManyAddresses)
	}
	var hosts [][]byte
	for _, target := range targets {
		addr, err := netip.ParseAddr(target)
		if err != nil || addr.Zone() != "" {
			return errorResponse(http.StatusNotFound, invalidIP)
		}
		if e := s.host(addr); e != nil {
			hosts = append(hosts, e.body(query))
		}
	}
	body := append([]byte{'['}, bytes.Join(hosts, []byte{','})...)
	return jsonResponse(http.StatusOK, append(body, ']'))
}

// isTrue reads a boolean parameter. Clients send true, True or 1.
func isTrue(value string) bool { return strings.EqualFold(value, "true") || value == "1" }

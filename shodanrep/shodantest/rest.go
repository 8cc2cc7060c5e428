package shodantest

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// The endpoints of the REST API whose names are not simply their paths, or that tests name often, as Request and Fault
// call them.
const (
	EndpointHost   = "/shodan/host/{ip}"
	EndpointHosts  = "/shodan/host/{ip},{ip}" // many addresses in one request
	EndpointSearch = "/shodan/host/search"
	EndpointCount  = "/shodan/host/count"
	EndpointDomain = "/dns/domain/{domain}"
	EndpointInfo   = "/api-info"
)

// endpoint names the endpoint of a path, and what is asked of it.
func endpoint(path string, query url.Values) (name, subject string) {
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
	subject, ok := strings.CutPrefix(path, "/shodan/host/")
	switch {
	case !ok:
		return path, ""
	case strings.Contains(subject, ","):
		return EndpointHosts, subject
	}
	return EndpointHost, subject
}

// rest answers the REST API.
func (s *Simulator) rest(c *call) *answer {
	account, _ := s.account(c.Key)
	query := c.r.URL.Query()
	switch c.Endpoint {
	case EndpointHost, EndpointHosts, EndpointSearch, EndpointDomain:
		if account.plan == "oss" {
			return errorAnswer(http.StatusForbidden, planTooLow)
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
		if !allowed { // what a lesser plan is really answered is not known
			return errorAnswer(http.StatusForbidden, planTooLow)
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

func (s *Simulator) oneHost(subject string, query url.Values) *answer {
	addr, err := netip.ParseAddr(subject)
	if err != nil || addr.Zone() != "" {
		return errorAnswer(http.StatusNotFound, invalidIP)
	}
	e := s.host(addr)
	if e == nil {
		return errorAnswer(http.StatusNotFound, noInformation)
	}
	return jsonAnswer(http.StatusOK, e.answer(query))
}

// manyHosts answers a list of addresses with a list of hosts; those of which nothing is known are absent.
func (s *Simulator) manyHosts(subject string, query url.Values) *answer {
	subjects := strings.Split(subject, ",")
	if len(subjects) > 100 {
		return errorAnswer(http.StatusBadRequest, tooManyAddresses)
	}
	var hosts [][]byte
	for _, subject := range subjects {
		addr, err := netip.ParseAddr(subject)
		if err != nil || addr.Zone() != "" {
			return errorAnswer(http.StatusNotFound, invalidIP)
		}
		if e := s.host(addr); e != nil {
			hosts = append(hosts, e.answer(query))
		}
	}
	body := append([]byte{'['}, bytes.Join(hosts, []byte{','})...)
	return jsonAnswer(http.StatusOK, append(body, ']'))
}

// isTrue reads a flag of a request, which clients write as true, True or 1.
func isTrue(value string) bool { return strings.EqualFold(value, "true") || value == "1" }

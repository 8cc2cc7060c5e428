package shodantest

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// The endpoints of the REST API, as Request and Fault name them.
const (
	EndpointHost   = "/shodan/host/{ip}"
	EndpointHosts  = "/shodan/host/{ip},{ip}" // many addresses in one request
	EndpointSearch = "/shodan/host/search"
	EndpointCount  = "/shodan/host/count"
	EndpointInfo   = "/api-info"
)

const hostPath = "/shodan/host/"

// endpoint names the endpoint of a path, and what is asked of it.
func endpoint(path string, query url.Values) (name, subject string) {
	switch path {
	case "/dns/resolve":
		return path, query.Get("hostnames")
	case "/dns/reverse":
		return path, query.Get("ips")
	}
	rest, isHost := strings.CutPrefix(path, hostPath)
	switch {
	case !isHost || strings.HasPrefix(rest, "search") || rest == "count":
		return path, query.Get("query")
	case strings.Contains(rest, ","):
		return EndpointHosts, rest
	}
	return EndpointHost, rest
}

// rest answers the REST API.
func (s *Simulator) rest(c *call) *answer {
	account, _ := s.account(c.Key)
	member := account.plan != "oss"
	switch c.Endpoint {
	case EndpointHost, EndpointHosts, EndpointSearch:
		if !member {
			return errorAnswer(http.StatusForbidden, planTooLow)
		}
	}
	query := c.r.URL.Query()
	switch c.Endpoint {
	case EndpointHost:
		return s.oneHost(c.Subject, query)
	case EndpointHosts:
		bulk := account.plan == "corp"
		if s.bulk != nil {
			bulk = *s.bulk
		}
		if !bulk { // what a lesser plan is really answered is not known
			return errorAnswer(http.StatusForbidden, planTooLow)
		}
		return s.manyHosts(c.Subject, query)
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

// answer is the host in the form asked for.
func (e *entry) answer(query url.Values) []byte {
	e = e.ready()
	switch {
	case isTrue(query.Get("minify")):
		return e.minified
	case isTrue(query.Get("history")):
		return e.history
	}
	return e.whole
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

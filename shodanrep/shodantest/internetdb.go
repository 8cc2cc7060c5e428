package shodantest

import (
	"net/http"
	"net/netip"
	"slices"
)

// EndpointInternetDB is InternetDB's only endpoint.
const EndpointInternetDB = "/{ip}"

// summary is InternetDB's response, with the fields in the order of the service.
type summary struct {
	CPEs      []string `json:"cpes"`
	Hostnames []string `json:"hostnames"`
	IP        string   `json:"ip"`
	Ports     []int    `json:"ports"`
	Tags      []string `json:"tags"`
	Vulns     []string `json:"vulns"`
}

// internetDB handles GET /{ip} of InternetDB.
func (s *Simulator) internetDB(target string) *response {
	addr, err := netip.ParseAddr(target)
	if err != nil || addr.Zone() != "" {
		return errorResponse(http.StatusUnprocessableEntity, internetDBInvalid)
	}
	e := s.host(addr)
	if e == nil {
		return errorResponse(http.StatusNotFound, internetDBNothing)
	}
	a := jsonResponse(http.StatusOK, e.brief())
	a.header.Set("Cache-Control", "public, max-age=432000")
	return a
}

// normalize removes duplicates, sorts the ports and makes lists that are not null.
func (s *summary) normalize() {
	slices.Sort(s.Ports)
	s.Ports = slices.Compact(s.Ports)
	for _, list := range []*[]string{&s.CPEs, &s.Hostnames, &s.Tags, &s.Vulns} {
		*list = distinct(*list)
	}
	if s.Ports == nil {
		s.Ports = []int{}
	}
}

// distinct returns a list without duplicates, in order. It is never nil.
func distinct(list []string) []string {
	out := make([]string, 0, len(list))
	for _, item := range list {
		if !slices.Contains(out, item) {
			out = append(out, item)
		}
	}
	return out
}

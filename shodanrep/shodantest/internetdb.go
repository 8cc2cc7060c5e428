package shodantest

import (
	"net/http"
	"net/netip"
	"slices"
)

// EndpointInternetDB is InternetDB's only endpoint.
const EndpointInternetDB = "/{ip}"

// summary is InternetDB's answer. Its fields are in the order in which the service writes them.
type summary struct {
	CPEs      []string `json:"cpes"`
	Hostnames []string `json:"hostnames"`
	IP        string   `json:"ip"`
	Ports     []int    `json:"ports"`
	Tags      []string `json:"tags"`
	Vulns     []string `json:"vulns"`
}

// internetDB answers GET /{ip} of InternetDB.
func (s *Simulator) internetDB(subject string) *answer {
	addr, err := netip.ParseAddr(subject)
	if err != nil || addr.Zone() != "" {
		return errorAnswer(http.StatusUnprocessableEntity, internetDBInvalid)
	}
	e := s.host(addr)
	if e == nil {
		return errorAnswer(http.StatusNotFound, internetDBNothing)
	}
	a := jsonAnswer(http.StatusOK, e.brief())
	a.header.Set("Cache-Control", "public, max-age=432000")
	return a
}

// tidy makes lists that are never null; ports ascend and nothing is there twice.
func (s *summary) tidy() {
	slices.Sort(s.Ports)
	s.Ports = slices.Compact(s.Ports)
	for _, list := range []*[]string{&s.CPEs, &s.Hostnames, &s.Tags, &s.Vulns} {
		*list = distinct(*list)
	}
	if s.Ports == nil {
		s.Ports = []int{}
	}
}

// distinct drops what is in a list for the second time, and keeps the order. It is never nil.
func distinct(list []string) []string {
	out := make([]string, 0, len(list))
	for _, item := range list {
		if !slices.Contains(out, item) {
			out = append(out, item)
		}
	}
	return out
}

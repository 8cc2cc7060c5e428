package shodantest

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Host is a host to invent. What is left empty is filled in, so that its answers have every key that real ones always
// have. Invented addresses should come from 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 or 2001:db8::/32.
type Host struct {
	IP        string
	Ports     []int // each without a banner of its own gets an ordinary one
	Hostnames []string
	Domains   []string // of the host names, where nil
	Tags      []string
	Vulns     []string // CVE ids; those in no banner are put into the first one
	CPEs      []string // in the form cpe:/a:vendor:product:version; those in no banner are put into the first one

	Org, ISP, ASN, OS        string
	City, RegionCode         string
	CountryCode, CountryName string
	Latitude, Longitude      float64
	LastUpdate               time.Time

	// Banners are the services, as Shodan's JSON has them. Each gets the keys that it lacks and real ones always have.
	Banners []map[string]any
	// History are older banners, which are answered only where history=true is asked for.
	History []map[string]any

	// Raw is the REST API's answer, given word for word. Then nothing but IP counts of the rest.
	Raw json.RawMessage
	// RawInternetDB is InternetDB's answer, given word for word.
	RawInternetDB json.RawMessage
}

// Where an invented host is and whose it is, if the test does not say.
const (
	defaultOrg         = "Example Networks"
	defaultASN         = "AS64496" // RFC 5398: for documentation
	defaultCity        = "Springfield"
	defaultCountryCode = "US"
	defaultCountryName = "United States"
)

var defaultLastUpdate = time.Date(2026, 1, 15, 12, 0, 0, 123456000, time.UTC)

const timestampLayout = "2006-01-02T15:04:05.000000" // UTC, though it does not say so

// withDefaults fills in what is empty, but for the services.
func (h Host) withDefaults() Host {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&h.Org, defaultOrg)
	fill(&h.ISP, h.Org)
	fill(&h.ASN, defaultASN)
	if h.CountryCode == "" {
		h.CountryCode, h.CountryName = defaultCountryCode, defaultCountryName
		fill(&h.City, defaultCity)
	}
	fill(&h.CountryName, h.CountryCode)
	if h.Latitude == 0 && h.Longitude == 0 {
		h.Latitude, h.Longitude = 39.7817, -89.6501
	}
	if h.LastUpdate.IsZero() {
		h.LastUpdate = defaultLastUpdate
	}
	if h.Domains == nil {
		h.Domains = domains(h.Hostnames)
	}
	return h
}

// domains are the last two labels of each name.
func domains(hostnames []string) []string {
	var out []string
	for _, name := range hostnames {
		labels := strings.Split(name, ".")
		out = append(out, strings.Join(labels[max(0, len(labels)-2):], "."))
	}
	return distinct(out)
}

// document is the REST API's answer of an invented host.
func (h Host) document(addr netip.Addr) map[string]any {
	h = h.withDefaults()
	return h.general(addr, h.services(addr))
}

// general is the REST API's answer of a host, whose defaults are filled in, with some services.
func (h Host) general(addr netip.Addr, data []map[string]any) map[string]any {
	brief := h.union(data)
	doc := map[string]any{
		"area_code": nil, "asn": h.ASN, "city": orNull(h.City), "country_code": h.CountryCode, "country_name": h.CountryName,
		"data": data, "domains": distinct(h.Domains), "hostnames": brief.Hostnames,
		"ip": number(addr), "ip_str": addr.String(), "isp": h.ISP, "last_update": h.LastUpdate.UTC().Format(timestampLayout),
		"latitude": h.Latitude, "longitude": h.Longitude, "org": h.Org, "os": orNull(h.OS),
		"ports": brief.Ports, "region_code": orNull(h.RegionCode), "tags": brief.Tags,
	}
	if len(brief.Vulns) > 0 { // a host without any has no such key
		doc["vulns"] = brief.Vulns
	}
	return doc
}

// services are the banners of a host: those given, and an ordinary one for every other port.
func (h Host) services(addr netip.Addr) []map[string]any {
	data := make([]map[string]any, 0, len(h.Ports))
	taken := map[int]bool{}
	for _, given := range h.Banners {
		banner := h.complete(given, addr)
		data = append(data, banner)
		taken[integer(banner["port"])] = true
	}
	for _, port := range h.Ports {
		if !taken[port] {
			taken[port] = true
			data = append(data, h.complete(map[string]any{"port": port}, addr))
		}
	}
	if len(data) == 0 {
		return data
	}
	inBanners := Host{}.union(data)
	if missing := without(h.CPEs, inBanners.CPEs); len(missing) > 0 {
		data[0]["cpe"] = append(texts(data[0]["cpe"]), missing...)
	}
	if missing := without(h.Vulns, inBanners.Vulns); len(missing) > 0 {
		vulns := map[string]any{}
		if given, ok := data[0]["vulns"].(map[string]any); ok {
			for id, detail := range given {
				vulns[id] = detail
			}
		}
		for _, id := range missing {
			vulns[id] = Vuln(id)
		}
		data[0]["vulns"] = vulns
	}
	return data
}

// union is what InternetDB knows of a host: its own lists and what its banners add to them.
func (h Host) union(data []map[string]any) summary {
	s := summary{
		IP: h.IP, Ports: slices.Clone(h.Ports), Hostnames: slices.Clone(h.Hostnames), Tags: slices.Clone(h.Tags),
		Vulns: slices.Clone(h.Vulns), CPEs: slices.Clone(h.CPEs),
	}
	for _, banner := range data {
		s.add(banner)
	}
	s.tidy()
	return s
}

// add takes the facts of a banner into a summary.
func (s *summary) add(banner map[string]any) {
	if port := integer(banner["port"]); port > 0 {
		s.Ports = append(s.Ports, port)
	}
	s.Hostnames = append(s.Hostnames, texts(banner["hostnames"])...)
	s.Tags = append(s.Tags, texts(banner["tags"])...)
	s.CPEs = append(s.CPEs, cpes(banner)...)
	s.Vulns = append(s.Vulns, vulnIDs(banner["vulns"])...)
}

// cpes are the CPEs of a banner in the older form, which is InternetDB's.
func cpes(banner map[string]any) []string {
	if older := texts(banner["cpe"]); len(older) > 0 {
		return older
	}
	var out []string
	for _, cpe := range texts(banner["cpe23"]) {
		// cpe:2.3:a:vendor:product:version:…: what follows the version is left out, and so is a version of "*".
		parts := strings.Split(strings.TrimPrefix(cpe, "cpe:2.3:"), ":")
		parts = parts[:min(len(parts), 4)]
		for len(parts) > 0 && parts[len(parts)-1] == "*" {
			parts = parts[:len(parts)-1]
		}
		out = append(out, "cpe:/"+strings.Join(parts, ":"))
	}
	return out
}

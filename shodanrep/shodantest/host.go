package shodantest

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Host is an invented host. Empty fields get defaults, so that the responses have every key that real ones have. Its
// address should be in 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 or 2001:db8::/32.
type Host struct {
	IP        string
	Ports     []int // a port without a banner gets a default one
	Hostnames []string
	Domains   []string // those of the host names if nil
	Tags      []string
	Vulns     []string // CVE ids; those that are in no banner are added to the first
	CPEs      []string // in the form cpe:/a:vendor:product:version; those that are in no banner are added to the first

	Org, ISP, ASN, OS        string
	City, RegionCode         string
	CountryCode, CountryName string
	Latitude, Longitude      float64
	LastUpdate               time.Time

	// Banners are the services, in the form of Shodan's JSON. Each gets the missing keys that all real banners have.
	Banners []map[string]any
	// History are old banners, which only responses to requests with history=true have.
	History []map[string]any

	// Raw is the exact response of the REST API. If it is set, IP is the only other field that counts.
	Raw json.RawMessage
	// RawInternetDB is the exact response of InternetDB.
	RawInternetDB json.RawMessage
}

// The default location and owner of a host.
const (
	defaultOrg         = "Example Networks"
	defaultASN         = "AS64496" // RFC 5398: for documentation
	defaultCity        = "Springfield"
	defaultCountryCode = "US"
	defaultCountryName = "United States"
)

var defaultLastUpdate = time.Date(2026, 1, 15, 12, 0, 0, 123456000, time.UTC)

const timestampLayout = "2006-01-02T15:04:05.000000" // in UTC

// withDefaults sets the defaults of empty fields, except for the services.
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

// domains returns the last two labels of each name.
func domains(hostnames []string) []string {
	var out []string
	for _, name := range hostnames {
		labels := strings.Split(name, ".")
		out = append(out, strings.Join(labels[max(0, len(labels)-2):], "."))
	}
	return distinct(out)
}

// document returns the REST API's response for an invented host.
func (h Host) document(addr netip.Addr) map[string]any {
	h = h.withDefaults()
	return h.general(addr, h.services(addr))
}

// general returns the REST API's response for a host with defaults and the given services.
func (h Host) general(addr netip.Addr, data []map[string]any) map[string]any {
	brief := h.union(data)
	doc := map[string]any{
		"area_code": nil, "asn": h.ASN, "city": orNull(h.City), "country_code": h.CountryCode, "country_name": h.CountryName,
		"data": data, "domains": distinct(h.Domains), "hostnames": brief.Hostnames,
		"ip": number(addr), "ip_str": addr.String(), "isp": h.ISP, "last_update": h.LastUpdate.UTC().Format(timestampLayout),
		"latitude": h.Latitude, "longitude": h.Longitude, "org": h.Org, "os": orNull(h.OS),
		"ports": brief.Ports, "region_code": orNull(h.RegionCode), "tags": brief.Tags,
	}
	if len(brief.Vulns) > 0 { // real responses have no empty list
		doc["vulns"] = brief.Vulns
	}
	return doc
}

// services returns the banners of a host: the given ones, and a default one for every other port.
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

// union returns InternetDB's response: the lists of the host and of its banners.
func (h Host) union(data []map[string]any) summary {
	s := summary{
		IP: h.IP, Ports: slices.Clone(h.Ports), Hostnames: slices.Clone(h.Hostnames), Tags: slices.Clone(h.Tags),
		Vulns: slices.Clone(h.Vulns), CPEs: slices.Clone(h.CPEs),
	}
	for _, banner := range data {
		s.add(banner)
	}
	s.normalize()
	return s
}

// add adds the data of a banner to a summary.
func (s *summary) add(banner map[string]any) {
	if port := integer(banner["port"]); port > 0 {
		s.Ports = append(s.Ports, port)
	}
	s.Hostnames = append(s.Hostnames, texts(banner["hostnames"])...)
	s.Tags = append(s.Tags, texts(banner["tags"])...)
	s.CPEs = append(s.CPEs, cpes(banner)...)
	s.Vulns = append(s.Vulns, vulnIDs(banner["vulns"])...)
}

// cpes returns the CPEs of a banner in the older form, which InternetDB has.
func cpes(banner map[string]any) []string {
	if older := texts(banner["cpe"]); len(older) > 0 {
		return older
	}
	var out []string
	for _, cpe := range texts(banner["cpe23"]) {
		// cpe:2.3:a:vendor:product:version:…: drop what follows the version, and a version of "*".
		parts := strings.Split(strings.TrimPrefix(cpe, "cpe:2.3:"), ":")
		parts = parts[:min(len(parts), 4)]
		for len(parts) > 0 && parts[len(parts)-1] == "*" {
			parts = parts[:len(parts)-1]
		}
		out = append(out, "cpe:/"+strings.Join(parts, ":"))
	}
	return out
}

package shodan

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"
	"time"
)

// Host is a service's data on one address. Its JSON form is that of GET /shodan/host/{ip}. InternetDB's response sets
// only Addr, Ports, Hostnames, Tags, Vulns and CPEs. A list is nil if the source does not have it, and empty if it is
// empty.
//
// https://developer.shodan.io/api
type Host struct {
	Addr         netip.Addr    `json:"-"`
	AreaCode     Null[int64]   `json:"area_code"`
	ASN          Text          `json:"asn"`
	City         Text          `json:"city"`
	CountryCode  Text          `json:"country_code"`
	CountryCode3 Text          `json:"country_code3"` // only in old responses
	CountryName  Text          `json:"country_name"`
	DMACode      Null[int64]   `json:"dma_code"` // only in old responses
	Domains      Texts         `json:"domains"`
	Hostnames    Texts         `json:"hostnames"`
	ISP          Text          `json:"isp"`
	LastUpdate   Time          `json:"last_update"`
	Latitude     Null[float64] `json:"latitude"`
	Longitude    Null[float64] `json:"longitude"`
	Organization Text          `json:"org"`
	OS           Text          `json:"os"`
	Ports        Ints          `json:"ports"`       // ascending, without duplicates
	PostalCode   Text          `json:"postal_code"` // only in old responses
	RegionCode   Text          `json:"region_code"`
	Tags         Texts         `json:"tags"`  // sorted, without duplicates
	Vulns        VulnMap       `json:"vulns"` // nil if there is no list
	CPEs         Texts         `json:"cpes"`  // only if the source has a list for the host; see AllCPEs
	Banners      Banners       `json:"data"`  // nil from InternetDB, and if minified; see ParseHost

	// Raw is the cleaned response. ParseHost or ParseInternetDB reads the same Host from it.
	Raw json.RawMessage `json:"-"`
	// MaxAge is how long the response may be cached (Cache-Control), or 0 if unknown.
	MaxAge time.Duration `json:"-"`
}

// AllCPEs returns the host's CPEs: its own list or, if there is none, those of its banners, sorted. It returns nil if
// the response has neither.
func (h *Host) AllCPEs() []string {
	if h.CPEs != nil {
		return h.CPEs
	}
	if h.Banners == nil {
		return nil
	}
	all := Texts{}
	for i := range h.Banners {
		all = append(all, h.Banners[i].CPEs()...)
	}
	return all.unique()
}

// Cloud returns the cloud provider in the newest banner that has one, or nil.
func (h *Host) Cloud() *Cloud {
	var newest *Banner
	for i := range h.Banners {
		if b := &h.Banners[i]; b.Cloud != (Cloud{}) && (newest == nil || b.Timestamp.After(newest.Timestamp.Time)) {
			newest = b
		}
	}
	if newest == nil {
		return nil
	}
	return &newest.Cloud
}

// MergeBanners makes a host from the banners of one address, such as those in a `shodan download` file. It takes the
// newest banner per port and host name, and the facts on the host from the newest of all. It returns nil for no
// banners. The host may keep the list.
func MergeBanners(banners []Banner) *Host {
	if len(banners) == 0 {
		return nil
	}
	type service struct {
		ServiceKey
		banner *Banner
	}
	services := make([]service, len(banners))
	for i := range banners {
		services[i] = service{banners[i].ServiceKey(), &banners[i]}
	}
	slices.SortStableFunc(services, func(a, b service) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Transport, b.Transport), cmp.Compare(a.VirtualHost, b.VirtualHost),
			b.banner.Timestamp.Compare(a.banner.Timestamp.Time))
	})
	services = slices.CompactFunc(services, func(a, b service) bool { return a.ServiceKey == b.ServiceKey })
	h := &Host{Hostnames: Texts{}, Domains: Texts{}, Banners: banners}
	isAsGiven := len(services) == len(banners)
	for i := range services {
		isAsGiven = isAsGiven && services[i].banner == &banners[i]
	}
	if !isAsGiven {
		h.Banners = make(Banners, len(services))
		for i, s := range services {
			h.Banners[i] = *s.banner
		}
	}
	last := &h.Banners[0]
	for i := range h.Banners {
		if b := &h.Banners[i]; b.Timestamp.After(last.Timestamp.Time) {
			last = b
		}
	}
	h.Addr, h.ASN, h.Organization, h.ISP = last.Addr, last.ASN, last.Organization, last.ISP
	h.LastUpdate = last.Timestamp
	at := last.Location
	h.City, h.CountryCode, h.CountryCode3, h.CountryName = at.City, at.CountryCode, at.CountryCode3, at.CountryName
	h.RegionCode, h.AreaCode, h.DMACode, h.PostalCode = at.RegionCode, at.AreaCode, at.DMACode, at.PostalCode
	h.Latitude, h.Longitude = at.Latitude, at.Longitude
	for i := range h.Banners {
		b := &h.Banners[i]
		if h.OS == "" {
			h.OS = b.OS
		}
		h.Hostnames = append(h.Hostnames, b.Hostnames...)
		h.Domains = append(h.Domains, b.Domains...)
	}
	h.Hostnames, h.Domains = h.Hostnames.unique(), h.Domains.unique()
	h.normalize()
	return h
}

// normalize sorts the host's lists, so that equal hosts give equal rows, and fills lists that are missing from the
// banners. The lists of ports and tags in a response are authoritative.
func (h *Host) normalize() {
	if h.Ports == nil {
		h.Ports = Ints{}
		for i := range h.Banners {
			if p := h.Banners[i].Port; p.Valid {
				h.Ports = append(h.Ports, int(p.V))
			}
		}
	}
	slices.Sort(h.Ports)
	h.Ports = slices.DeleteFunc(slices.Compact(h.Ports), func(port int) bool {
		return !isPort(int64(port)) && !(port == 0 && slices.ContainsFunc(h.Banners, func(b Banner) bool { return b.Port == Null[int64]{Valid: true} }))
	})
	if h.Tags == nil {
		for i := range h.Banners {
			h.Tags = append(h.Tags, h.Banners[i].Tags...)
		}
		if h.Tags == nil {
			h.Tags = Texts{}
		}
	}
	h.Tags = h.Tags.unique()
	if h.Vulns == nil {
		// Responses for hosts without vulnerabilities have no such key. It means none, not unknown.
		h.Vulns = VulnMap{}
		for i := range h.Banners {
			for id, vuln := range h.Banners[i].Vulns {
				if old, ok := h.Vulns[id]; ok {
					vuln = old.merge(vuln)
				}
				h.Vulns[id] = vuln
			}
		}
	}
}

// parseAddr reads the address in a response: ip_str, or the older ip, which is a number for IPv4.
func parseAddr(text string, number json.RawMessage) netip.Addr {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap().WithZone("")
	}
	if n, ok := parseInt(literal(number)); ok && n >= 0 && n <= 1<<32-1 {
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	return netip.Addr{}
}

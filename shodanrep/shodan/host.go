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
	return collect(h.Banners, func(b *Banner) Texts { return b.CPEs() })
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
	services := slices.CompactFunc(inOrder(banners), func(a, b service) bool { return a.ServiceKey == b.ServiceKey })
	h := &Host{Banners: bannersOf(services, banners)}
	h.Addr, h.Vulns = h.newestBanner().Addr, VulnMap{}
	for i := range h.Banners {
		h.addVulns(&h.Banners[i])
	}
	h.normalize()
	// The banners are all that is known of the host.
	h.Hostnames, h.Domains = present(h.Hostnames), present(h.Domains)
	return h
}

// SortBanners brings the banners into the order of MergeBanners: the order in a response means nothing.
func (h *Host) SortBanners() {
	if len(h.Banners) > 1 {
		h.Banners = bannersOf(inOrder(h.Banners), h.Banners)
	}
}

// A service is a banner with the key of its service.
type service struct {
	ServiceKey
	banner *Banner
}

// inOrder returns banners in the order of their services, each service's newest first.
func inOrder(banners []Banner) []service {
	services := make([]service, len(banners))
	for i := range banners {
		services[i] = service{banners[i].ServiceKey(), &banners[i]}
	}
	slices.SortStableFunc(services, func(a, b service) int {
		return cmp.Or(a.Compare(b.ServiceKey), b.banner.Timestamp.Compare(a.banner.Timestamp.Time))
	})
	return services
}

// bannersOf returns the banners of services, which is the given list if that has them and no others, in the same order.
func bannersOf(services []service, given []Banner) Banners {
	isAsGiven := len(services) == len(given)
	for i := 0; isAsGiven && i < len(services); i++ {
		isAsGiven = services[i].banner == &given[i]
	}
	if isAsGiven {
		return given
	}
	banners := make(Banners, len(services))
	for i, s := range services {
		banners[i] = *s.banner
	}
	return banners
}

// newestBanner returns the banner with the latest time, the first of several, or nil if the host has no banners.
func (h *Host) newestBanner() *Banner {
	var newest *Banner
	for i := range h.Banners {
		if b := &h.Banners[i]; newest == nil || b.Timestamp.After(newest.Timestamp.Time) {
			newest = b
		}
	}
	return newest
}

// general returns what a banner says of its host in general.
func (b *Banner) general() Host {
	at := &b.Location
	return Host{
		ASN: b.ASN, Organization: b.Organization, ISP: b.ISP, LastUpdate: b.Timestamp,
		City: at.City, CountryCode: at.CountryCode, CountryCode3: at.CountryCode3, CountryName: at.CountryName,
		RegionCode: at.RegionCode, AreaCode: at.AreaCode, DMACode: at.DMACode, PostalCode: at.PostalCode,
		Latitude: at.Latitude, Longitude: at.Longitude,
	}
}

// AddGeneral fills the texts and the time that h lacks from other data on the same address. A location counts as one: a
// city of one source beside the country of another could be anywhere. It reports whether anything was added.
func (h *Host) AddGeneral(other *Host) (added bool) {
	add := func(field *Text, value Text) {
		if *field == "" && value != "" {
			*field, added = value, true
		}
	}
	add(&h.ASN, other.ASN)
	add(&h.Organization, other.Organization)
	add(&h.ISP, other.ISP)
	add(&h.OS, other.OS)
	if h.LastUpdate.IsZero() && !other.LastUpdate.IsZero() {
		h.LastUpdate, added = other.LastUpdate, true
	}
	if !h.hasLocation() && other.hasLocation() {
		h.City, h.CountryCode, h.CountryCode3, h.CountryName = other.City, other.CountryCode, other.CountryCode3, other.CountryName
		h.RegionCode, h.AreaCode, h.DMACode, h.PostalCode = other.RegionCode, other.AreaCode, other.DMACode, other.PostalCode
		h.Latitude, h.Longitude, added = other.Latitude, other.Longitude, true
	}
	return added
}

func (h *Host) hasLocation() bool {
	return cmp.Or(h.City, h.CountryCode, h.CountryCode3, h.CountryName, h.RegionCode, h.PostalCode) != "" ||
		h.AreaCode.Valid || h.DMACode.Valid || h.Latitude.Valid || h.Longitude.Valid
}

// normalize sorts the host's lists, so that equal hosts give equal rows, and fills what is missing from the banners. The
// lists of ports and tags in a response are authoritative.
func (h *Host) normalize() {
	if newest := h.newestBanner(); newest != nil {
		general := newest.general()
		h.AddGeneral(&general)
		for i := 0; i < len(h.Banners) && (h.ASN == "" || h.OS == "" || !h.hasLocation()); i++ {
			general = h.Banners[i].general()
			general.OS = h.Banners[i].OS
			h.AddGeneral(&general)
		}
		h.Hostnames = orCollected(h.Hostnames, h.Banners, func(b *Banner) Texts { return b.Hostnames })
		h.Domains = orCollected(h.Domains, h.Banners, func(b *Banner) Texts { return b.Domains })
	}
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
		h.Tags = collect(h.Banners, func(b *Banner) Texts { return b.Tags })
	} else {
		h.Tags = h.Tags.unique()
	}
	if h.Vulns == nil {
		// Responses for hosts without vulnerabilities have no such key. It means none, not unknown.
		h.Vulns = VulnMap{}
		var isCurrent func(*Banner) bool // few hosts have vulnerabilities
		for i := range h.Banners {
			b := &h.Banners[i]
			if len(b.Vulns) == 0 {
				continue
			}
			if isCurrent == nil {
				isCurrent = h.CurrentBanners()
			}
			if isCurrent(b) {
				h.addVulns(b)
			}
		}
	}
}

// addVulns adds a banner's vulnerabilities to those of its host.
func (h *Host) addVulns(b *Banner) {
	for id, vuln := range b.Vulns {
		if old, ok := h.Vulns[id]; ok {
			vuln = old.merge(vuln)
		}
		h.Vulns[id] = vuln
	}
}

// CurrentBanners returns a function that reports whether a banner of the host says what is there now: it is the newest of
// its service, and not much older than the newest of its port, or of the host if the port is not in the list of open ones.
// A web server has a banner for each host name that was requested. In a response with the history others are of the past.
func (h *Host) CurrentBanners() func(*Banner) bool {
	var newest Time
	newestOfPort, newestOfService := map[Endpoint]time.Time{}, map[ServiceKey]time.Time{}
	for i := range h.Banners {
		b := &h.Banners[i]
		key := b.ServiceKey()
		if b.Timestamp.After(newest.Time) {
			newest = b.Timestamp
		}
		if b.Timestamp.After(newestOfPort[key.Endpoint]) {
			newestOfPort[key.Endpoint] = b.Timestamp.Time
		}
		if b.Timestamp.After(newestOfService[key]) {
			newestOfService[key] = b.Timestamp.Time
		}
	}
	return func(b *Banner) bool {
		key := b.ServiceKey()
		last := newestOfPort[key.Endpoint]
		if !slices.Contains(h.Ports, int(b.Port.V)) {
			last = newest.Time
		}
		return last.Sub(b.Timestamp.Time) < CurrentFor && b.Timestamp.Equal(newestOfService[key])
	}
}

// collect returns the texts that the banners have, sorted, without duplicates.
func collect(banners Banners, of func(*Banner) Texts) Texts {
	all := Texts{}
	for i := range banners {
		all = append(all, of(&banners[i])...)
	}
	return all.unique()
}

// orCollected returns a list of a response or, if the response has none, that of the banners. One that neither has stays
// nil, as in a response of the same host without banners.
func orCollected(list Texts, banners Banners, of func(*Banner) Texts) Texts {
	if list != nil {
		return list
	}
	if all := collect(banners, of); len(all) > 0 {
		return all
	}
	return nil
}

// parseAddr reads the address in a response: ip_str, or the older ip, which is a number for IPv4.
func parseAddr(text string, number json.RawMessage) netip.Addr {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap().WithZone("")
	}
	n, ok := parseInt(literal(number))
	if !ok {
		return netip.Addr{}
	}
	return AddrFromNumber(n)
}

// AddrFromNumber returns the IPv4 address that Shodan writes as a number, or the zero Addr if the number is of none.
func AddrFromNumber(n int64) netip.Addr {
	if n < 0 || n > 1<<32-1 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

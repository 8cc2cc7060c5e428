package dataset

import (
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// An item is what a row of the index has of a host: a banner without its long texts, or the summary of a response.
type item struct {
	kind   string // of the response, empty for a banner
	seen   int64  // Unix microseconds
	name   string // the host name that was asked for, in lower case, or empty
	banner *shodan.Banner
	host   *shodan.Host // instead of a banner
	text   textRef      // of a banner
	raw    []byte       // the text, where it was loaded
	file   int64
}

// encodeItems encodes the items of a row. It appends them to those of earlier rows.
func (c *codec) encodeItems(items []item) []byte {
	if c.known == nil {
		c.known = map[string]int{}
	}
	clear(c.known)
	start := len(c.out)
	c.length(len(items), false)
	for i := range items {
		c.item(&items[i])
	}
	return c.out[start:]
}

// decodeItems appends the items of a row.
func decodeItems(items []item, file int64, row string) ([]item, error) {
	return new(codec).decodeItems(items, file, row)
}

// decodeItems is the function of that name, which uses the memory of the codec again: earlier banners are valid only until
// banners is emptied.
func (c *codec) decodeItems(items []item, file int64, row string) ([]item, error) {
	c.isReading, c.in, c.err, c.texts = true, row, nil, c.texts[:0]
	n, _ := c.length(0, false)
	items = slices.Grow(items, max(n, 0))
	for range n {
		items = append(items, item{file: file})
		if c.item(&items[len(items)-1]); c.err != nil {
			return nil, c.err
		}
	}
	return items, c.err
}

// newBanner returns an empty banner.
func (c *codec) newBanner() *shodan.Banner {
	n := len(c.banners)
	if n == cap(c.banners) {
		return new(shodan.Banner)
	}
	c.banners = c.banners[:n+1]
	c.banners[n] = shodan.Banner{}
	return &c.banners[n]
}

func (c *codec) item(it *item) {
	str(c, &it.kind)
	c.int(&it.seen)
	if it.kind != "" {
		if c.isReading {
			it.host = new(shodan.Host)
		}
		c.host(it.host)
		return
	}
	str(c, &it.name)
	c.uint(&it.text.block)
	c.uint(&it.text.start)
	c.uint(&it.text.length)
	if c.isReading {
		it.banner = c.newBanner()
	}
	c.banner(it.banner)
}

// banner is all of a banner that [shodan.Banner.Summary] has.
func (c *codec) banner(b *shodan.Banner) {
	c.addr(&b.Addr)
	str(c, &b.ASN)
	strs(c, &b.CPE)
	strs(c, &b.CPE23)
	str(c, &b.Cloud.Provider)
	str(c, &b.Cloud.Region)
	str(c, &b.Cloud.Service)
	str(c, &b.DeviceType)
	strs(c, &b.Domains)
	null(c, &b.Hash)
	strs(c, &b.Hostnames)
	str(c, &b.Info)
	str(c, &b.ID)
	str(c, &b.ISP)
	str(c, &b.Link)
	c.location(&b.Location)
	str(c, &b.Module)
	str(c, &b.RequestedHostname)
	str(c, &b.Organization)
	str(c, &b.OS)
	null(c, &b.Port)
	str(c, &b.Product)
	strs(c, &b.Tags)
	c.time(&b.Timestamp)
	str(c, &b.Transport)
	null(c, &b.Uptime)
	str(c, &b.Version)
	c.vulns(&b.Vulns)
	strs(c, &b.Marks)
	if pointer(c, &b.HTTP) {
		null(c, &b.HTTP.Favicon.Hash)
		str(c, &b.HTTP.Host)
		null(c, &b.HTTP.HTMLHash)
		str(c, &b.HTTP.Server)
		null(c, &b.HTTP.Status)
		str(c, &b.HTTP.Title)
	}
	if pointer(c, &b.SSH) {
		str(c, &b.SSH.Fingerprint)
		str(c, &b.SSH.HASSH)
	}
	if pointer(c, &b.SSL) {
		c.ssl(b.SSL)
	}
}

func (c *codec) ssl(s *shodan.SSL) {
	null(c, &s.Cert.Expired)
	c.time(&s.Cert.Expires)
	str(c, &s.Cert.Fingerprint.SHA1)
	str(c, &s.Cert.Fingerprint.SHA256)
	c.names(&s.Cert.Issuer)
	str(c, &s.Cert.Serial)
	c.names(&s.Cert.Subject)
	str(c, &s.JA3S)
	str(c, &s.JARM)
	strs(c, &s.Versions)
}

func (c *codec) location(l *shodan.Location) {
	null(c, &l.AreaCode)
	str(c, &l.City)
	str(c, &l.CountryCode)
	str(c, &l.CountryCode3)
	str(c, &l.CountryName)
	null(c, &l.DMACode)
	null(c, &l.Latitude)
	null(c, &l.Longitude)
	str(c, &l.PostalCode)
	str(c, &l.RegionCode)
}

// host is all of a host but its banners.
func (c *codec) host(h *shodan.Host) {
	at := shodan.Location{
		AreaCode: h.AreaCode, City: h.City, CountryCode: h.CountryCode, CountryCode3: h.CountryCode3, CountryName: h.CountryName,
		DMACode: h.DMACode, Latitude: h.Latitude, Longitude: h.Longitude, PostalCode: h.PostalCode, RegionCode: h.RegionCode,
	}
	c.location(&at)
	h.AreaCode, h.City, h.CountryCode, h.CountryCode3, h.CountryName = at.AreaCode, at.City, at.CountryCode, at.CountryCode3, at.CountryName
	h.DMACode, h.Latitude, h.Longitude, h.PostalCode, h.RegionCode = at.DMACode, at.Latitude, at.Longitude, at.PostalCode, at.RegionCode
	c.addr(&h.Addr)
	str(c, &h.ASN)
	strs(c, &h.Domains)
	strs(c, &h.Hostnames)
	str(c, &h.ISP)
	c.time(&h.LastUpdate)
	str(c, &h.Organization)
	str(c, &h.OS)
	ints(c, &h.Ports)
	strs(c, &h.Tags)
	c.summarizedVulns(&h.Vulns)
	strs(c, &h.CPEs)
}

// summarizedVulns is vulns with the Summary of each.
func (c *codec) summarizedVulns(v *shodan.VulnMap) {
	summaries := map[string]shodan.Text{}
	for id, vuln := range *v {
		if vuln.Summary != "" {
			summaries[id] = vuln.Summary
		}
	}
	c.vulns(v)
	c.names(&summaries)
	for id, summary := range summaries {
		if vuln, ok := (*v)[id]; ok {
			vuln.Summary = summary
			(*v)[id] = vuln
		}
	}
}

// pointer writes or reads whether there is a value.
func pointer[T any](c *codec, v **T) bool {
	isSet := *v != nil
	c.bool(&isSet)
	if isSet && c.isReading {
		*v = new(T)
	}
	return isSet
}

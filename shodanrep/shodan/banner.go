package shodan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Banner is one service at the time Shodan saw it: an item of a host's data, a match of a search, or a line of a
// `shodan download` file.
//
// https://datapedia.shodan.io/
type Banner struct {
	Addr              netip.Addr  `json:"-"`
	ASN               Text        `json:"asn"`
	CPE               Texts       `json:"cpe"`   // cpe:/a:vendor:product:version
	CPE23             Texts       `json:"cpe23"` // cpe:2.3:a:vendor:product:version
	Cloud             Cloud       `json:"cloud"`
	Data              Text        `json:"data"`
	DeviceType        Text        `json:"devicetype"` // such as router or webcam
	Domains           Texts       `json:"domains"`
	Hash              Null[int64] `json:"hash"`
	Hostnames         Texts       `json:"hostnames"`
	HTTP              *HTTP       `json:"http"`
	Info              Text        `json:"info"` // more information from the software
	ID                Text        `json:"-"`    // _shodan.id, which is unique
	ISP               Text        `json:"isp"`
	Link              Text        `json:"link"` // the type of link, such as Ethernet or modem
	Location          Location    `json:"location"`
	Module            Text        `json:"-"` // _shodan.module, the crawler's name for the protocol
	RequestedHostname Text        `json:"-"` // _shodan.options.hostname, the name that the crawler requested, if any
	Organization      Text        `json:"org"`
	OS                Text        `json:"os"`
	Port              Null[int64] `json:"port"`
	Product           Text        `json:"product"`
	SSH               *SSH        `json:"ssh"`
	SSL               *SSL        `json:"ssl"`
	Tags              Texts       `json:"tags"`
	Timestamp         Time        `json:"timestamp"`
	Transport         Text        `json:"transport"` // tcp or udp
	Uptime            Null[int64] `json:"uptime"`    // in minutes, if TCP reveals it
	Version           Text        `json:"version"`
	Vulns             VulnMap     `json:"vulns"` // including opts.vulns of old banners

	// Marks are the DatabaseMarks of a banner without Raw.
	Marks []string `json:"-"`
	// Raw is the banner's own JSON, cleaned.
	Raw json.RawMessage `json:"-"`
}

// Location is the registered location of an address.
type Location struct {
	AreaCode     Null[int64]   `json:"area_code"`
	City         Text          `json:"city"`
	CountryCode  Text          `json:"country_code"`
	CountryCode3 Text          `json:"country_code3"` // only in old responses
	CountryName  Text          `json:"country_name"`
	DMACode      Null[int64]   `json:"dma_code"` // only in old responses
	Latitude     Null[float64] `json:"latitude"`
	Longitude    Null[float64] `json:"longitude"`
	PostalCode   Text          `json:"postal_code"` // only in old responses
	RegionCode   Text          `json:"region_code"`
}

// Cloud is the cloud provider of an address.
type Cloud struct {
	Provider Text `json:"provider"`
	Region   Text `json:"region"`
	Service  Text `json:"service"`
}

// HTTP is the response of a web server.
type HTTP struct {
	Favicon struct {
		Hash Null[int64] `json:"hash"`
	} `json:"favicon"`
	Host     Text        `json:"host"` // the name that the crawler requested, or the address
	HTMLHash Null[int64] `json:"html_hash"`
	Server   Text        `json:"server"`
	Status   Null[int64] `json:"status"`
	Title    Text        `json:"title"`
}

// SSH is the handshake of an SSH server.
type SSH struct {
	Fingerprint Text `json:"fingerprint"` // MD5 of the host key, in pairs of digits separated by colons
	HASSH       Text `json:"hassh"`
}

// SSL is the handshake of a TLS server.
type SSL struct {
	Cert struct {
		Expired     Null[bool] `json:"expired"`
		Expires     Time       `json:"expires"`
		Fingerprint struct {
			SHA1   Text `json:"sha1"`
			SHA256 Text `json:"sha256"`
		} `json:"fingerprint"`
		Issuer  map[string]Text `json:"issuer"`
		Serial  Text            `json:"serial"` // decimal: most do not fit 64 bits
		Subject map[string]Text `json:"subject"`
	} `json:"cert"`
	JA3S     Text  `json:"ja3s"`
	JARM     Text  `json:"jarm"`
	Versions Texts `json:"versions"` // a leading "-" means that the version is not supported
}

// addOldFields adds the fields that banners of 2017 and before have in other places. Shodan tested all vulnerabilities
// of such banners.
func (b *Banner) addOldFields(title Text, tested VulnMap) {
	if title != "" && (b.HTTP == nil || b.HTTP.Title == "") {
		if b.HTTP == nil {
			b.HTTP = &HTTP{}
		}
		b.HTTP.Title = title
	}
	for _, id := range tested.IDs() {
		if b.Vulns == nil {
			b.Vulns = VulnMap{}
		}
		b.Vulns.add(id, Vuln{Verified: Null[bool]{V: true, Valid: true}})
	}
}

// VirtualHost returns the name that the crawler requested, in lower case, or "" if it requested none. Banners of one
// port with different names are different services.
func (b *Banner) VirtualHost() string {
	name := b.RequestedHostname
	if name == "" && b.HTTP != nil {
		name = b.HTTP.Host
	}
	text := strings.ToLower(strings.TrimSuffix(strings.TrimSpace(string(name)), "."))
	if text == "" || text[len(text)-1] >= 'g' && text[len(text)-1] <= 'z' && !strings.Contains(text, ":") {
		return text // most names end like this, and no address does
	}
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return ""
	}
	return text
}

// CurrentFor is how long Shodan itself takes a banner for current.
const CurrentFor = 30 * 24 * time.Hour

// An Endpoint is where on a host a service is.
type Endpoint struct {
	Port      int64
	Transport Text
}

// Endpoint returns where the banner's service is.
func (b *Banner) Endpoint() Endpoint { return Endpoint{b.Port.V, b.Transport} }

// A ServiceKey is the same for the banners that one service of a host had at different times.
type ServiceKey struct {
	Endpoint
	VirtualHost string
}

// ServiceKey returns the key of the banner's service.
func (b *Banner) ServiceKey() ServiceKey { return ServiceKey{b.Endpoint(), b.VirtualHost()} }

// Compare orders services by port, transport and host name, as all lists of services are, from any source.
func (k ServiceKey) Compare(other ServiceKey) int {
	return cmp.Or(cmp.Compare(k.Port, other.Port), cmp.Compare(k.Transport, other.Transport), cmp.Compare(k.VirtualHost, other.VirtualHost))
}

// Banners is a JSON list of banners. It is nil if there is no list, and empty if the list is empty.
type Banners []Banner

// Summary returns the banner without the long texts: Raw, Data, and the Summary of each vulnerability. It has all that a
// score needs.
func (b *Banner) Summary() *Banner {
	short := *b
	short.Raw, short.Data, short.Marks = nil, "", b.DatabaseMarks()
	if b.Vulns != nil {
		short.Vulns = make(VulnMap, len(b.Vulns))
		for id, vuln := range b.Vulns {
			vuln.Summary = ""
			short.Vulns[id] = vuln
		}
	}
	return &short
}

// CPEs returns the banner's CPEs in the older form, which InternetDB also uses, or in the newer form if there is no
// other.
func (b *Banner) CPEs() []string {
	if b.CPE != nil {
		return b.CPE
	}
	return b.CPE23
}

// Object returns the banner's JSON object of a name, such as "mongodb", or nil if there is none.
func (b *Banner) Object(name string) json.RawMessage {
	if !bytes.Contains(b.Raw, []byte(strconv.Quote(name))) {
		return nil // most banners have one such object, and decoding costs far more than searching
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(b.Raw, &fields) != nil {
		return nil
	}
	if value := bytes.TrimSpace(fields[name]); len(value) > 0 && (value[0] == '{' || value[0] == '[') {
		return value
	}
	return nil
}

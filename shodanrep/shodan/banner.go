package shodan

import (
	"bytes"
	"encoding/json"
	"errors"
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

// UnmarshalJSON implements json.Unmarshaler. It fails only if the text is not a JSON object.
func (b *Banner) UnmarshalJSON(raw []byte) error {
	type plain Banner // has no UnmarshalJSON, so that decoding does not recurse
	var wire struct {
		plain
		IP    json.RawMessage `json:"ip"`
		IPStr Text            `json:"ip_str"`
		IPv6  Text            `json:"ipv6"`  // instead of the others in some banners, with them in most
		Title Text            `json:"title"` // of a web page, in banners of 2017 and before
		Opts  struct {
			Vulns VulnMap `json:"vulns"` // in banners of 2017 and before
		} `json:"opts"`
		Shodan struct {
			ID      Text `json:"id"`
			Module  Text `json:"module"`
			Options struct {
				Hostname Text `json:"hostname"`
			} `json:"options"`
		} `json:"_shodan"`
	}
	if err := unmarshalObject(raw, &wire); err != nil {
		return err
	}
	*b = Banner(wire.plain)
	if b.Addr = parseAddr(string(wire.IPStr), wire.IP); !b.Addr.IsValid() {
		b.Addr = parseAddr(string(wire.IPv6), nil)
	}
	b.ID, b.Module, b.RequestedHostname = wire.Shodan.ID, wire.Shodan.Module, wire.Shodan.Options.Hostname
	if b.Port.Valid && b.Port.V != 0 && !isPort(b.Port.V) {
		b.Port = Null[int64]{}
	}
	b.addOldFields(wire.Title, wire.Opts.Vulns)
	b.Raw = append(json.RawMessage(nil), raw...)
	return nil
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

// Banners is a JSON list of banners. It is nil if there is no list, and empty if the list is empty.
type Banners []Banner

// UnmarshalJSON implements json.Unmarshaler and never fails. It skips items that are not JSON objects.
func (b *Banners) UnmarshalJSON(raw []byte) error {
	*b = nil
	items, ok := list(raw)
	if !ok {
		return nil
	}
	*b = make(Banners, 0, len(items))
	for _, item := range items {
		var banner Banner
		if banner.UnmarshalJSON(item) == nil {
			*b = append(*b, banner)
		}
	}
	return nil
}

var errNoEndpoint = errors.New("the banner has no address or no port")

// ParseBanner reads one banner, such as a line of a `shodan download` file. It returns an error if the text is not a
// JSON object or has no address or port.
func ParseBanner(line []byte) (*Banner, error) {
	var b Banner
	if err := b.UnmarshalJSON(Clean(line)); err != nil {
		return nil, err
	}
	if !b.Addr.IsValid() || !b.Port.Valid {
		return nil, errNoEndpoint
	}
	return &b, nil
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

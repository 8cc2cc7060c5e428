package history

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A document is the facts of a host as they are stored. Its JSON has the form of a response of the REST API, so that
// shodan.ParseHost reads it. A list is nil where the source does not have it.
type document struct {
	Addr         string    `json:"ip_str"`
	ASN          string    `json:"asn,omitempty"`
	Organization string    `json:"org,omitempty"`
	ISP          string    `json:"isp,omitempty"`
	OS           string    `json:"os,omitempty"`
	CountryCode  string    `json:"country_code,omitempty"`
	CountryName  string    `json:"country_name,omitempty"`
	City         string    `json:"city,omitempty"`
	Ports        []int     `json:"ports"`
	Vulns        []string  `json:"vulns"`
	Tags         []string  `json:"tags"`
	Hostnames    []string  `json:"hostnames,omitzero"`
	Domains      []string  `json:"domains,omitzero"`
	CPEs         []string  `json:"cpes,omitzero"`
	Services     []service `json:"data,omitzero"` // nil where no response had them
}

// newDocument returns the facts of an observation, nil where the service has nothing about the address.
func newDocument(o Observation) *document {
	h := o.Host
	if h == nil {
		return nil
	}
	d := &document{
		Addr: o.Addr.String(), ASN: string(h.ASN), Organization: string(h.Organization), ISP: string(h.ISP), OS: string(h.OS),
		CountryCode: string(h.CountryCode), CountryName: string(h.CountryName), City: string(h.City),
		Ports: filled(h.Ports), Vulns: filled(h.Vulns.IDs()), Tags: filled(h.Tags),
		Hostnames: sorted(h.Hostnames), Domains: sorted(h.Domains), CPEs: sorted(h.CPEs),
	}
	banners := h.Banners
	if o.Past {
		banners = current(h, o.CheckedAt)
		if !hasVulns(h) {
			d.Vulns = vulnsOf(banners)
		}
	}
	// A minified response has an empty list of services beside the open ports.
	if banners != nil && (len(banners) > 0 || len(h.Ports) == 0) {
		d.Services = servicesOf(banners)
	}
	return d
}

// filled returns a list that is not nil.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// sorted returns a sorted copy of a list without duplicates, nil for nil: the order in a response means nothing.
func sorted(list []string) []string {
	if list == nil {
		return nil
	}
	list = append([]string{}, list...)
	slices.Sort(list)
	return slices.Compact(list)
}

// current returns the banners of a host with those of all times that a response without the past ones would have: of the
// ports that are open the newest of each service, if Shodan takes it for current.
func current(h *shodan.Host, now time.Time) shodan.Banners {
	if h.Banners == nil {
		return nil
	}
	newest, newestOfService := map[shodan.Endpoint]time.Time{}, map[shodan.ServiceKey]time.Time{}
	for i := range h.Banners {
		b := &h.Banners[i]
		if key := b.ServiceKey(); b.Timestamp.After(newestOfService[key]) {
			newestOfService[key] = b.Timestamp.Time
		}
		if at := b.Endpoint(); b.Timestamp.After(newest[at]) {
			newest[at] = b.Timestamp.Time
		}
	}
	banners := shodan.Banners{}
	for i := range h.Banners {
		b := &h.Banners[i]
		since := now.Add(-shodan.CurrentFor)
		if last := newest[b.Endpoint()]; last.Before(since) { // the port is listed as open all the same
			since = last.Add(-shodan.CurrentFor)
		}
		if slices.Contains(h.Ports, int(b.Port.V)) && !b.Timestamp.Before(since) && b.Timestamp.Equal(newestOfService[b.ServiceKey()]) {
			banners = append(banners, *b)
		}
	}
	return banners
}

// hasVulns reports whether a response has a list of the host's vulnerabilities. Where it has none, shodan.ParseHost
// collects those of the banners that are the newest by their own times, whenever the address was checked.
func hasVulns(h *shodan.Host) bool {
	var body struct {
		Vulns json.RawMessage `json:"vulns"`
	}
	return json.Unmarshal(h.Raw, &body) == nil && body.Vulns != nil && string(body.Vulns) != "null"
}

// vulnsOf returns the ids of the vulnerabilities of banners.
func vulnsOf(banners shodan.Banners) []string {
	all := []string{}
	for i := range banners {
		all = append(all, banners[i].Vulns.IDs()...)
	}
	return sorted(all)
}

// withServices returns the document with the services that an earlier response had, on the ports that are still open.
func (d *document) withServices(known []service) *document {
	if known == nil {
		return d
	}
	d = new(*d)
	d.Services = []service{}
	for _, s := range known {
		if s.Port == nil || !slices.Contains(d.Ports, int(*s.Port)) {
			continue
		}
		vulns := map[string]vulnerability{}
		for id, v := range s.Vulns {
			if slices.Contains(d.Vulns, id) {
				vulns[id] = v
			}
		}
		if s.Vulns != nil {
			s.Vulns = vulns
		}
		d.Services = append(d.Services, s)
	}
	return d
}

// withGeneral returns the document with what another one says of the host in general, as far as it says nothing itself. A
// response with services has the operating system and other facts from these, which one without them does not know.
func (d *document) withGeneral(known *document) *document {
	d = new(*d)
	for _, field := range []struct{ own, known *string }{
		{&d.ASN, &known.ASN}, {&d.Organization, &known.Organization}, {&d.ISP, &known.ISP}, {&d.OS, &known.OS},
	} {
		*field.own = cmp.Or(*field.own, *field.known)
	}
	if d.CountryCode == "" && d.CountryName == "" && d.City == "" { // they count as one, as in shodan.Host.AddGeneral
		d.CountryCode, d.CountryName, d.City = known.CountryCode, known.CountryName, known.City
	}
	if d.Hostnames == nil {
		d.Hostnames = known.Hostnames
	}
	if d.Domains == nil {
		d.Domains = known.Domains
	}
	return d
}

// certificates returns the fingerprints of the certificates, sorted, nil where the services are not known.
func (d *document) certificates() []string {
	if d.Services == nil {
		return nil
	}
	all := []string{}
	for _, s := range d.Services {
		if s.SSL == nil {
			continue
		}
		if print := s.SSL.Certificate.Fingerprint; print.SHA256 != "" {
			all = append(all, strings.ToLower(print.SHA256))
		} else if print.SHA1 != "" {
			all = append(all, strings.ToLower(print.SHA1))
		}
	}
	return sorted(all)
}

// maxDocument bounds the memory for a document that is read. A response has at most a few MB.
const maxDocument = 64 << 20

var encoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<17), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are wrong
	}
	return e
})

var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDocument))
	if err != nil {
		panic(err) // the options are wrong
	}
	return d
})

// pack returns a document as it is stored, nil for nil.
func (d *document) pack() ([]byte, error) {
	if d == nil {
		return nil, nil
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return encoder().EncodeAll(text, nil), nil
}

// unpack reads what pack returned.
func unpack(packed []byte) (*document, error) {
	text, err := decoder().DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	d := new(document)
	return d, json.Unmarshal(text, d)
}

// hostOf returns the host of a stored document, nil for nil.
func hostOf(addr netip.Addr, packed []byte, lastUpdate time.Time) (*shodan.Host, error) {
	if packed == nil {
		return nil, nil
	}
	text, err := decoder().DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	h, err := shodan.ParseHost(text)
	if err != nil {
		return nil, err
	}
	h.Addr, h.LastUpdate.Time, h.Raw = addr, lastUpdate, nil
	return h, nil
}

package history

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A service is the facts of a banner. Its JSON has the form of a banner.
type service struct {
	Port      *int64     `json:"port,omitempty"`
	Transport string     `json:"transport,omitempty"`
	Timestamp *time.Time `json:"timestamp,omitempty"`
	Product   string     `json:"product,omitempty"`
	Version   string     `json:"version,omitempty"`
	OS        string     `json:"os,omitempty"`
	CPE       []string   `json:"cpe,omitzero"`
	CPE23     []string   `json:"cpe23,omitzero"`
	Tags      []string   `json:"tags,omitempty"`
	// Data is not the response: it has only the marks by which software is recognized.
	Data   string                   `json:"data,omitempty"`
	Vulns  map[string]vulnerability `json:"vulns,omitzero"`
	HTTP   *web                     `json:"http,omitempty"`
	SSH    *struct{}                `json:"ssh,omitempty"`
	SSL    *tls                     `json:"ssl,omitempty"`
	Cloud  *cloud                   `json:"cloud,omitempty"`
	Shodan *crawl                   `json:"_shodan,omitempty"`
}

type vulnerability struct {
	Verified *bool    `json:"verified,omitempty"`
	CVSS     *float64 `json:"cvss,omitempty"`
	EPSS     *float64 `json:"epss,omitempty"`
	KEV      *bool    `json:"kev,omitempty"`
}

type web struct {
	Host  string `json:"host,omitempty"`
	Title string `json:"title,omitempty"`
}

type tls struct {
	Certificate certificate `json:"cert"`
}

type certificate struct {
	Expired     *bool                  `json:"expired,omitempty"`
	Expires     *time.Time             `json:"expires,omitempty"`
	Serial      string                 `json:"serial,omitempty"`
	Subject     map[string]shodan.Text `json:"subject,omitempty"`
	Issuer      map[string]shodan.Text `json:"issuer,omitempty"`
	Fingerprint fingerprint            `json:"fingerprint,omitzero"`
}

type fingerprint struct {
	SHA1   string `json:"sha1,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

type cloud struct {
	Provider string `json:"provider,omitempty"`
	Region   string `json:"region,omitempty"`
	Service  string `json:"service,omitempty"`
}

type crawl struct {
	Module  string       `json:"module,omitempty"`
	Options crawlOptions `json:"options,omitzero"`
}

type crawlOptions struct {
	Hostname string `json:"hostname,omitempty"`
}

// servicesOf returns the services of banners in an order that does not depend on theirs.
func servicesOf(banners shodan.Banners) []service {
	type keyed struct {
		shodan.ServiceKey
		service
	}
	all := make([]keyed, len(banners))
	for i := range banners {
		all[i] = keyed{banners[i].ServiceKey(), newService(&banners[i])}
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		return cmp.Or(a.Compare(b.ServiceKey), compareTimes(a.Timestamp, b.Timestamp))
	})
	services := make([]service, len(all))
	for i := range all {
		services[i] = all[i].service
	}
	return services
}

func compareTimes(a, b *time.Time) int {
	switch {
	case a != nil && b != nil:
		return a.Compare(*b)
	case a != nil:
		return 1
	case b != nil:
		return -1
	}
	return 0
}

func newService(b *shodan.Banner) service {
	s := service{
		Port: b.Port.Ptr(), Transport: string(b.Transport), Timestamp: b.Timestamp.Ptr(), Product: string(b.Product),
		Version: string(b.Version), OS: string(b.OS), CPE: sorted(b.CPE), CPE23: sorted(b.CPE23), Tags: sorted(b.Tags),
		Data: strings.Join(b.DatabaseMarks(), "\n"),
	}
	if b.Vulns != nil {
		s.Vulns = make(map[string]vulnerability, len(b.Vulns))
		for id, v := range b.Vulns {
			s.Vulns[id] = vulnerability{Verified: v.Verified.Ptr(), CVSS: v.CVSS.Ptr(), EPSS: v.EPSS.Ptr(), KEV: v.KEV.Ptr()}
		}
	}
	if b.HTTP != nil {
		s.HTTP = &web{Host: string(b.HTTP.Host), Title: string(b.HTTP.Title)}
	}
	if b.SSH != nil {
		s.SSH = &struct{}{}
	}
	if b.SSL != nil {
		c := &b.SSL.Cert
		s.SSL = &tls{certificate{
			Expired: c.Expired.Ptr(), Expires: c.Expires.Ptr(), Serial: string(c.Serial), Subject: c.Subject, Issuer: c.Issuer,
			Fingerprint: fingerprint{SHA1: string(c.Fingerprint.SHA1), SHA256: string(c.Fingerprint.SHA256)},
		}}
	}
	if b.Cloud != (shodan.Cloud{}) {
		s.Cloud = &cloud{string(b.Cloud.Provider), string(b.Cloud.Region), string(b.Cloud.Service)}
	}
	if b.Module != "" || b.RequestedHostname != "" {
		s.Shodan = &crawl{string(b.Module), crawlOptions{string(b.RequestedHostname)}}
	}
	return s
}

// lasting returns a service without what differs from day to day although nothing has happened: when it was last seen,
// and small changes of the probability that a vulnerability will be exploited.
func (s service) lasting() service {
	if s.SSL != nil && s.SSL.Certificate.Expired == nil && s.SSL.Certificate.Expires != nil && s.Timestamp != nil {
		expired := s.SSL.Certificate.Expires.Before(*s.Timestamp)
		c := s.SSL.Certificate
		c.Expired = &expired
		s.SSL = &tls{c}
	}
	s.Timestamp = nil
	if s.Vulns != nil {
		vulns := make(map[string]vulnerability, len(s.Vulns))
		for id, v := range s.Vulns {
			if v.EPSS != nil {
				v.EPSS = new(math.Round(*v.EPSS*100) / 100)
			}
			vulns[id] = v
		}
		s.Vulns = vulns
	}
	return s
}

// appendLasting appends the lasting facts of services as text, the same for the same facts.
func appendLasting(text []byte, services []service) ([]byte, error) {
	buffer := bytes.NewBuffer(text)
	encoder := json.NewEncoder(buffer)
	for _, s := range services {
		if err := encoder.Encode(s.lasting()); err != nil {
			return nil, err
		}
	}
	return buffer.Bytes(), nil
}

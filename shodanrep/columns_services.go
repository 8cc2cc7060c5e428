package shodanrep

import (
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// bannerLength is how many characters of a banner the column banner has.
const bannerLength = 200

// A serviceSummary is an item of the services column.
type serviceSummary struct {
	Port       *int64                 `json:"port"`
	Transport  *string                `json:"transport"`
	Product    *string                `json:"product"`
	Version    *string                `json:"version"`
	Module     *string                `json:"module"`
	Banner     *string                `json:"banner"`
	SSLSubject map[string]shodan.Text `json:"ssl_subject"`
	SSLIssuer  map[string]shodan.Text `json:"ssl_issuer"`
	SSLExpires *time.Time             `json:"ssl_expires"`
}

// servicesOf summarizes banners; nil stays nil.
func servicesOf(banners shodan.Banners) []serviceSummary {
	if banners == nil {
		return nil
	}
	services := make([]serviceSummary, len(banners))
	for i := range banners {
		b := &banners[i]
		services[i] = serviceSummary{
			Port: b.Port.Ptr(), Transport: orNil(b.Transport), Product: orNil(b.Product), Version: orNil(b.Version),
			Module: orNil(b.Module), Banner: orNil(shodan.Text(shorten(string(b.Data)))),
		}
		if b.SSL != nil {
			services[i].SSLSubject, services[i].SSLIssuer = b.SSL.Cert.Subject, b.SSL.Cert.Issuer
			services[i].SSLExpires = b.SSL.Cert.Expires.Ptr()
		}
	}
	return services
}

// shorten cuts a banner to bannerLength characters.
func shorten(text string) string {
	n := 0
	for i := range text {
		if n == bannerLength {
			return text[:i]
		}
		n++
	}
	return text
}

func orNil(t shodan.Text) *string {
	if t == "" {
		return nil
	}
	s := string(t)
	return &s
}

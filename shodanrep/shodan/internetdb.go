package shodan

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
)

// DefaultInternetDBURL is where InternetDB is.
const DefaultInternetDBURL = "https://internetdb.shodan.io"

// InternetDB asks Shodan's free service, which needs no key and has the ports, vulnerabilities, tags, host names and
// CPEs of an address. It is free for non-commercial use. The zero value works.
type InternetDB struct {
	BaseURL   string // DefaultInternetDBURL where empty
	UserAgent string
	HTTP      *http.Client // one with a timeout where nil; redirects are not followed either way
}

// Host returns what InternetDB knows of an address.
//
// https://internetdb.shodan.io/docs
func (c *InternetDB) Host(ctx context.Context, addr netip.Addr) (*Host, error) {
	base := c.BaseURL
	if base == "" {
		base = DefaultInternetDBURL
	}
	s := service{name: "InternetDB", http: c.HTTP, userAgent: c.UserAgent}
	body, header, err := s.get(ctx, base, "/"+url.PathEscape(addr.String()), nil)
	if err != nil {
		return nil, err
	}
	h, err := ParseInternetDB(body)
	if err == nil {
		err = sameAddr(h, addr)
	}
	if err != nil {
		return nil, s.failure(Unavailable, http.StatusOK, err)
	}
	h.MaxAge = maxAge(header)
	return h, nil
}

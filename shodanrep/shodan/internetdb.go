package shodan

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
)

// DefaultInternetDBURL is the URL of InternetDB.
const DefaultInternetDBURL = "https://internetdb.shodan.io"

// InternetDB is a client for the service of the same name, which has the ports, vulnerabilities, tags, host names and
// CPEs of addresses. It needs no key and is free for non-commercial use. The zero value is ready to use.
type InternetDB struct {
	BaseURL   string // DefaultInternetDBURL if empty
	UserAgent string
	HTTP      *http.Client // a client with a timeout if nil; redirects are never followed
}

// Host returns InternetDB's data on an address.
//
// https://internetdb.shodan.io/docs
func (c *InternetDB) Host(ctx context.Context, addr netip.Addr) (*Host, error) {
	base := c.BaseURL
	if base == "" {
		base = DefaultInternetDBURL
	}
	s := transport{name: "InternetDB", http: c.HTTP, userAgent: c.UserAgent}
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

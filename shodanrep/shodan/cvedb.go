package shodan

import (
	"context"
	"net/http"
	"net/url"
)

// DefaultCVEDBURL is where CVEDB is.
const DefaultCVEDBURL = "https://cvedb.shodan.io"

// CVEDB asks Shodan's database of vulnerabilities, which needs no key. The zero value works.
type CVEDB struct {
	BaseURL   string // DefaultCVEDBURL where empty
	UserAgent string
	HTTP      *http.Client // one with a timeout where nil; redirects are not followed either way
}

// Get asks CVEDB for a path, and returns the answer, cleaned.
//
// https://cvedb.shodan.io/docs
func (c *CVEDB) Get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	base := c.BaseURL
	if base == "" {
		base = DefaultCVEDBURL
	}
	s := service{name: "CVEDB", http: c.HTTP, userAgent: c.UserAgent}
	body, _, err := s.get(ctx, base, path, query)
	if err != nil {
		return nil, err
	}
	return Clean(body), nil
}

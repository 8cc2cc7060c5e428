// Package shodan has clients of Shodan's services: the REST API (Client), InternetDB and CVEDB. Their answers are typed,
// survive what the services are known to send, and are fit for PostgreSQL; their errors say what to do next.
package shodan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// DefaultAPIURL is where Shodan's REST API is.
const DefaultAPIURL = "https://api.shodan.io"

// Client asks Shodan's REST API. Its zero value works but for the Key.
type Client struct {
	BaseURL   string // DefaultAPIURL where empty
	Key       string // the API key
	UserAgent string
	HTTP      *http.Client // one with a timeout where nil; redirects are not followed either way
}

// HostOptions is what to ask of a host.
type HostOptions struct {
	Minify  bool // leave the banners out
	History bool // banners of all times, not only the current ones
}

// Host returns what Shodan knows of an address. It costs no query credits.
//
// https://developer.shodan.io/api (GET /shodan/host/{ip})
func (c *Client) Host(ctx context.Context, addr netip.Addr, opts HostOptions) (*Host, error) {
	body, _, err := c.get(ctx, "/shodan/host/"+url.PathEscape(addr.String()), opts.values())
	if err != nil {
		return nil, err
	}
	h, err := ParseHost(body)
	if err == nil {
		err = sameAddr(h, addr)
	}
	if err != nil {
		return nil, c.service().failure(Unavailable, http.StatusOK, err)
	}
	return h, nil
}

// Hosts returns what Shodan knows of many addresses, in one request. Addresses of which nothing is indexed are
// missing from the result. Only some plans may ask so; at most 100 addresses go in a request.
func (c *Client) Hosts(ctx context.Context, addrs []netip.Addr, opts HostOptions) (map[netip.Addr]*Host, error) {
	texts := make([]string, len(addrs))
	asked := make(map[netip.Addr]bool, len(addrs))
	for i, addr := range addrs {
		texts[i] = addr.String()
		asked[addr] = true
	}
	body, _, err := c.get(ctx, "/shodan/host/"+strings.Join(texts, ","), opts.values())
	if err != nil {
		return nil, err
	}
	var items []json.RawMessage
	err = json.Unmarshal(body, &items)
	if err == nil && items == nil { // null, which must not pass for a list in which no address is
		err = unexpected{errors.New("it is null")}
	}
	if isTypeError(err) {
		err = unexpected{err}
	}
	if err != nil {
		return nil, c.service().failure(Unavailable, http.StatusOK, fmt.Errorf("the response for %d addresses is not a complete list of hosts: %w", len(addrs), err))
	}
	hosts := make(map[netip.Addr]*Host, len(items))
	for _, item := range items {
		h, err := ParseHost(item)
		if err == nil && !asked[h.Addr] {
			err = fmt.Errorf("the response has %v, which was not requested", h.Addr)
		}
		if err != nil {
			// Of a list with one odd item it is not known which address the item was for, and none may be taken for absent.
			return nil, c.service().failure(Unavailable, http.StatusOK, unexpected{err})
		}
		hosts[h.Addr] = h
	}
	return hosts, nil
}

func (c *Client) service() service {
	return service{name: "Shodan", http: c.HTTP, userAgent: c.UserAgent, keyed: true, secret: c.Key}
}

func (c *Client) get(ctx context.Context, path string, query url.Values) ([]byte, http.Header, error) {
	base := c.BaseURL
	if base == "" {
		base = DefaultAPIURL
	}
	query.Set("key", c.Key)
	return c.service().get(ctx, base, path, query)
}

func (o HostOptions) values() url.Values {
	values := url.Values{}
	if o.Minify {
		values.Set("minify", "true")
	}
	if o.History {
		values.Set("history", "true")
	}
	return values
}

// sameAddr makes sure that an answer is for the address asked: a mixed-up answer would clear or accuse the wrong one.
func sameAddr(h *Host, addr netip.Addr) error {
	switch {
	case !h.Addr.IsValid():
		return unexpected{fmt.Errorf("the response does not say that it is for %v", addr)}
	case h.Addr != addr.Unmap().WithZone(""):
		return unexpected{fmt.Errorf("the response is for %v, not for %v", h.Addr, addr)}
	}
	h.Addr = addr
	return nil
}

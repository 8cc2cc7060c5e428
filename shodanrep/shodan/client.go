// Package shodan has clients for Shodan's services: the REST API (Client), InternetDB, CVEDB and the exploit search
// (Exploits). Responses have types that tolerate all that the services are known to send, and values that PostgreSQL
// accepts. Errors say what to do next.
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

// DefaultAPIURL is the URL of Shodan's REST API.
const DefaultAPIURL = "https://api.shodan.io"

// Client is a client for Shodan's REST API. Only Key is required.
type Client struct {
	BaseURL   string // DefaultAPIURL if empty
	Key       string // the API key
	UserAgent string
	HTTP      *http.Client // a client with a timeout if nil; redirects are never followed
}

// HostOptions are the options of a request for a host.
type HostOptions struct {
	Minify  bool // without banners
	History bool // with old banners
}

// Host returns Shodan's data on an address. It costs no query credits.
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
		return nil, c.transport().failure(Unavailable, http.StatusOK, err)
	}
	return h, nil
}

// Hosts returns Shodan's data on up to 100 addresses in one request. Addresses without data are missing from the
// result. Only some plans allow it.
func (c *Client) Hosts(ctx context.Context, addrs []netip.Addr, opts HostOptions) (map[netip.Addr]*Host, error) {
	texts := make([]string, len(addrs))
	requested := make(map[netip.Addr]bool, len(addrs))
	for i, addr := range addrs {
		texts[i] = addr.String()
		requested[addr] = true
	}
	body, _, err := c.get(ctx, "/shodan/host/"+strings.Join(texts, ","), opts.values())
	if err != nil {
		return nil, err
	}
	var items []json.RawMessage
	err = json.Unmarshal(body, &items)
	if err == nil && items == nil { // null, which is not an empty list
		err = unexpected{errors.New("it is null")}
	}
	if isTypeError(err) {
		err = unexpected{err}
	}
	if err != nil {
		return nil, c.transport().failure(Unavailable, http.StatusOK, fmt.Errorf("the response for %d addresses is not a complete list of hosts: %w", len(addrs), err))
	}
	hosts := make(map[netip.Addr]*Host, len(items))
	for _, item := range items {
		h, err := ParseHost(item)
		if err == nil && !requested[h.Addr] {
			err = fmt.Errorf("the response has %v, which was not requested", h.Addr)
		}
		if err != nil {
			// Nothing says which address the item was for, so no address may be reported as absent.
			return nil, c.transport().failure(Unavailable, http.StatusOK, unexpected{err})
		}
		hosts[h.Addr] = h
	}
	return hosts, nil
}

// Get requests a path of the REST API and returns the cleaned response. It adds the key to the query.
func (c *Client) Get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	body, _, err := c.get(ctx, path, query)
	if err != nil {
		return nil, err
	}
	return Clean(body), nil
}

func (c *Client) transport() transport {
	return transport{name: "Shodan", http: c.HTTP, userAgent: c.UserAgent, keyed: true, secret: c.Key}
}

func (c *Client) get(ctx context.Context, path string, query url.Values) ([]byte, http.Header, error) {
	base := c.BaseURL
	if base == "" {
		base = DefaultAPIURL
	}
	query.Set("key", c.Key)
	return c.transport().get(ctx, base, path, query)
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

// sameAddr checks that a response is for the requested address. A wrong response would give an address the score of
// another.
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

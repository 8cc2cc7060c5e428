package shodan

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// DNSTypes are the types of the DNS records that Shodan has.
var DNSTypes = []string{"A", "AAAA", "CNAME", "MX", "NS", "SOA", "TXT"}

// Resolve requests the addresses of host names, many per request. The names must be in the form that HostName returns.
// A name without an address has the zero Addr. A name whose value cannot be read is missing.
//
// https://developer.shodan.io/api (GET /dns/resolve)
func Resolve(names []string) Call[map[string]netip.Addr] {
	return Call[map[string]netip.Addr]{
		What: "resolving " + oneOr(names, "host names"), Path: "/dns/resolve", Query: url.Values{"hostnames": {strings.Join(names, ",")}},
		Read: func(body []byte) (map[string]netip.Addr, error) {
			return readByTarget(body, names, strings.ToLower, readAddr)
		},
	}
}

// Reverse requests the host names of addresses, many per request. The addresses must be in the form of
// netip.Addr.String. An address without names has none. An address whose value cannot be read is missing.
//
// https://developer.shodan.io/api (GET /dns/reverse)
func Reverse(addresses []string) Call[map[string]Texts] {
	return Call[map[string]Texts]{
		What: "finding the names of " + oneOr(addresses, "addresses"), Path: "/dns/reverse", Query: url.Values{"ips": {strings.Join(addresses, ",")}},
		Read: func(body []byte) (map[string]Texts, error) {
			return readByTarget(body, addresses, canonicalAddr, readNames)
		},
	}
}

// oneOr returns the only target, or how many there are.
func oneOr(targets []string, many string) string {
	if len(targets) == 1 {
		return targets[0]
	}
	return fmt.Sprintf("%d %s", len(targets), many)
}

// readByTarget reads a response that is an object with the targets of the request as keys. It skips other keys and
// values that cannot be read. It returns an error for a response without any of the targets.
func readByTarget[T any](body []byte, targets []string, canonical func(string) string, read func(json.RawMessage) (T, bool)) (map[string]T, error) {
	items, err := readObject[map[string]json.RawMessage](body)
	if err != nil {
		return nil, err
	}
	requested := make(map[string]bool, len(targets))
	for _, target := range targets {
		requested[target] = true
	}
	values := make(map[string]T, len(targets))
	found := false
	for _, key := range slices.Sorted(maps.Keys(*items)) {
		target := canonical(key)
		if !requested[target] {
			continue
		}
		found = true
		if value, ok := read((*items)[key]); ok {
			values[target] = value
		}
	}
	if !found {
		return nil, errors.New("the response has nothing that was requested")
	}
	return values, nil
}

// canonicalAddr returns an address in its canonical form, and any other text unchanged.
func canonicalAddr(text string) string {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap().String()
	}
	return text
}

// readAddr reads the address of a name: a string, the first of a list, or null for none.
func readAddr(raw json.RawMessage) (netip.Addr, bool) {
	var texts Texts
	_ = texts.UnmarshalJSON(raw) // never fails
	if isNull(raw) || texts != nil && len(texts) == 0 {
		return netip.Addr{}, true
	}
	if len(texts) > 0 {
		if addr, err := netip.ParseAddr(texts[0]); err == nil && addr.Zone() == "" {
			return addr.Unmap(), true
		}
	}
	return netip.Addr{}, false
}

// readNames reads the names of an address: a list, one string, or null for none.
func readNames(raw json.RawMessage) (Texts, bool) {
	var texts Texts
	_ = texts.UnmarshalJSON(raw) // never fails
	return texts, isNull(raw) || raw[0] == '[' || raw[0] == '"' && texts != nil
}

// DomainPage is a page of the DNS records of a domain.
type DomainPage struct {
	// Domain is the domain of the records: the requested one or a parent of it.
	Domain  Text        `json:"domain"`
	Tags    Texts       `json:"tags"`
	Records []DNSRecord `json:"data"`
	More    Null[bool]  `json:"more"`
}

// DNSRecord is a DNS record that Shodan saw.
type DNSRecord struct {
	Subdomain Text  `json:"subdomain"` // empty for the domain itself
	Type      Text  `json:"type"`
	Value     Text  `json:"value"`
	LastSeen  Time  `json:"last_seen"`
	Ports     Ints  `json:"ports"` // in few responses
	Tags      Texts `json:"tags"`  // in few responses
}

// Addr returns the address in the record. Only the types A and AAAA have one.
func (r *DNSRecord) Addr() netip.Addr {
	if r.Type != "A" && r.Type != "AAAA" {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(string(r.Value))
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}
	}
	return addr
}

// DomainOptions are the options of a request for a domain.
type DomainOptions struct {
	History bool   // with old records
	Type    string // one of DNSTypes, or empty for all
	Page    int    // from 1; a page has at most 100 records
}

// Domain requests a page of the DNS records of a domain. The name must be in the form that HostName returns. It costs
// one query credit.
//
// https://developer.shodan.io/api (GET /dns/domain/{domain})
func Domain(domain string, opts DomainOptions) Call[*DomainPage] {
	call := Call[*DomainPage]{
		What: "listing the DNS records of " + domain, Path: "/dns/domain/" + url.PathEscape(domain), Query: url.Values{}, Credits: 1,
		Read: func(body []byte) (*DomainPage, error) { return readDomain(body, domain) },
	}
	if opts.History {
		call.Query.Set("history", "true")
	}
	if opts.Type != "" {
		call.What += " of type " + opts.Type
		call.Query.Set("type", opts.Type)
	}
	if opts.Page > 1 {
		call.What += ", page " + strconv.Itoa(opts.Page) + ","
		call.Query.Set("page", strconv.Itoa(opts.Page))
	}
	return call
}

// readDomain reads a page of a domain's records. It returns an error for anything else.
func readDomain(body []byte, domain string) (*DomainPage, error) {
	page, err := readObject[DomainPage](body)
	if err != nil {
		return nil, err
	}
	if page.Records == nil {
		return nil, errors.New("the response has no list of records")
	}
	if page.Domain == "" {
		page.Domain = Text(domain)
	}
	name, err := HostName(string(page.Domain))
	if err != nil || domain != name && !strings.HasSuffix(domain, "."+name) {
		return nil, fmt.Errorf("the response is for %q, not for %s", string(page.Domain), domain)
	}
	page.Domain = Text(name)
	page.Records = slices.DeleteFunc(page.Records, func(r DNSRecord) bool { return r.Type == "" && r.Value == "" })
	for i := range page.Records {
		page.Records[i].Ports = slices.DeleteFunc(page.Records[i].Ports, func(port int) bool { return !isPort(int64(port)) })
	}
	return page, nil
}

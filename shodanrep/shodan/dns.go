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

// DNSTypes are the types of the records that Shodan knows of a domain.
var DNSTypes = []string{"A", "AAAA", "CNAME", "MX", "NS", "SOA", "TXT"}

// Resolve asks for the addresses of host names, many in one request. They must be as HostName returns them. The answer
// has the zero Addr for a name without an address, and lacks a name of which the service does not say what it should.
//
// https://developer.shodan.io/api (GET /dns/resolve)
func Resolve(names []string) Call[map[string]netip.Addr] {
	return Call[map[string]netip.Addr]{
		What: "resolving " + oneOr(names, "host names"), Path: "/dns/resolve", Query: url.Values{"hostnames": {strings.Join(names, ",")}},
		Read: func(body []byte) (map[string]netip.Addr, error) {
			return readAsked(body, names, strings.ToLower, readAddr)
		},
	}
}

// Reverse asks for the names of addresses, many in one request. They must be as netip.Addr writes them. The answer has
// no names for an address without any, and lacks an address of which the service does not say what it should.
//
// https://developer.shodan.io/api (GET /dns/reverse)
func Reverse(addresses []string) Call[map[string]Texts] {
	return Call[map[string]Texts]{
		What: "finding the names of " + oneOr(addresses, "addresses"), Path: "/dns/reverse", Query: url.Values{"ips": {strings.Join(addresses, ",")}},
		Read: func(body []byte) (map[string]Texts, error) {
			return readAsked(body, addresses, canonicalAddr, readNames)
		},
	}
}

// oneOr names the one thing that is asked for, or says how many there are.
func oneOr(asked []string, many string) string {
	if len(asked) == 1 {
		return asked[0]
	}
	return fmt.Sprintf("%d %s", len(asked), many)
}

// readAsked reads an answer that is an object of what was asked for. What it says of anything else is left out, as is
// what cannot be read; an answer without any of it is none to the question.
func readAsked[T any](body []byte, asked []string, canonical func(string) string, read func(json.RawMessage) (T, bool)) (map[string]T, error) {
	items, err := readObject[map[string]json.RawMessage](body)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(asked))
	for _, name := range asked {
		wanted[name] = true
	}
	answers := make(map[string]T, len(asked))
	found := false
	for _, key := range slices.Sorted(maps.Keys(*items)) {
		name := canonical(key)
		if !wanted[name] {
			continue
		}
		found = true
		if value, ok := read((*items)[key]); ok {
			answers[name] = value
		}
	}
	if !found {
		return nil, errors.New("the response has nothing that was requested")
	}
	return answers, nil
}

// canonicalAddr writes an address in its one form, and leaves any other text as it is.
func canonicalAddr(text string) string {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap().String()
	}
	return text
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// readAddr reads the address of a name: a text, the first of a list, or null for none.
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

// readNames reads the names of an address: a list, a lone text, or null for none.
func readNames(raw json.RawMessage) (Texts, bool) {
	var texts Texts
	_ = texts.UnmarshalJSON(raw) // never fails
	return texts, isNull(raw) || raw[0] == '[' || raw[0] == '"' && texts != nil
}

// DomainPage is a page of the DNS records of a domain.
type DomainPage struct {
	// Domain is whose records they are: the domain asked for, or one above it.
	Domain  Text        `json:"domain"`
	Tags    Texts       `json:"tags"`
	Records []DNSRecord `json:"data"`
	More    Null[bool]  `json:"more"`
}

// DNSRecord is a record that Shodan saw in the DNS.
type DNSRecord struct {
	Subdomain Text  `json:"subdomain"` // empty for the domain itself
	Type      Text  `json:"type"`
	Value     Text  `json:"value"`
	LastSeen  Time  `json:"last_seen"`
	Ports     Ints  `json:"ports"` // in few answers
	Tags      Texts `json:"tags"`  // in few answers
}

// Addr returns the address that the record is for, which only the types A and AAAA have.
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

// DomainOptions is what to ask of a domain.
type DomainOptions struct {
	History bool   // records of all times, not only the current ones
	Type    string // records of one of DNSTypes; of all where empty
	Page    int    // pages count from 1 and have at most 100 records
}

// Domain asks for a page of the DNS records of a domain, whose name must be as HostName returns it. It costs a query
// credit.
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

// readDomain reads a page of the records of a domain. It returns an error for anything else.
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

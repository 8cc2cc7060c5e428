package shodan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParseHost reads a response of GET /shodan/host/{ip}. It returns an error for anything that is not a host, because an
// address without data must never look like a host without services.
//
// An empty list of banners beside open ports or vulnerabilities, as in a minified response, is no list: the banners are
// not in the response, and a host without any would have neither.
func ParseHost(body []byte) (*Host, error) {
	h := &Host{}
	if err := h.parse(body, (*Host).decodeField); err != nil {
		return nil, err
	}
	if h.Ports == nil && len(h.Banners) == 0 {
		return nil, unexpected{errors.New("the response has neither ports nor data")}
	}
	h.normalize()
	if len(h.Banners) == 0 && (len(h.Ports) > 0 || len(h.Vulns) > 0) {
		h.Banners = nil
	}
	return h, nil
}

// ParseInternetDB reads a response of InternetDB.
//
// https://internetdb.shodan.io/docs
func ParseInternetDB(body []byte) (*Host, error) {
	h := &Host{}
	if err := h.parse(body, (*Host).decodeInternetDB); err != nil {
		return nil, err
	}
	// The service always sends all lists. One that is missing is not known, and a score takes it for empty.
	for _, list := range []struct {
		name    string
		missing bool
	}{{"ports", h.Ports == nil}, {"vulns", h.Vulns == nil}, {"tags", h.Tags == nil}} {
		if list.missing {
			return nil, unexpected{fmt.Errorf("the response has no list of %s", list.name)}
		}
	}
	h.normalize()
	return h, nil
}

// hostLists are the fields of a host's response that must be lists, with the possible first bytes of their values, and of
// the items of which at least one must be there if none can be read.
//
// A list may be missing or null. A single string is read as a list of one, and vulnerabilities may be an object. An item
// that cannot be read is skipped in the lists that say who the host is. In those that say what is wrong with it, each item
// must be one that can be read, or null: without it the host may look better than it is.
var hostLists = []struct {
	name, allowed, items string
	read                 func(*Host) int        // how many items were read
	hasUnreadable        func(list []byte) bool // whether an item cannot be read, nil if some need not
}{
	{"ports", "[", "", func(h *Host) int { return len(h.Ports) }, hasOtherThanInts},
	{"data", "[", "", func(h *Host) int { return len(h.Banners) + len(h.Ports) + len(h.Vulns) }, nil}, // with those it is as if minified
	{"vulns", `[{"`, `"`, func(h *Host) int { return len(h.Vulns) }, hasNested},                       // some ids say that the host is not vulnerable
	{"tags", `["`, `"`, func(h *Host) int { return len(h.Tags) }, hasNested},
	{"hostnames", `["`, `"`, func(h *Host) int { return len(h.Hostnames) }, nil},
	{"domains", `["`, `"`, func(h *Host) int { return len(h.Domains) }, nil},
	{"cpes", `["`, `"`, func(h *Host) int { return len(h.CPEs) }, nil},
}

// hasOtherThanInts reports whether a list has an item that is neither an integer nor null.
func hasOtherThanInts(value []byte) bool {
	items, _ := list(value)
	return slices.ContainsFunc(items, func(item json.RawMessage) bool {
		_, isInt := parseInt(literal(item))
		return !isInt && item[0] != 'n'
	})
}

// hasNested reports whether a list has an object or another list. Most have no byte with which one could begin.
func hasNested(value []byte) bool {
	if bytes.IndexByte(value, '{') < 0 && bytes.IndexByte(value[1:], '[') < 0 {
		return false
	}
	items, _ := list(value)
	return slices.ContainsFunc(items, func(item json.RawMessage) bool { return item[0] == '{' || item[0] == '[' })
}

// parse reads a response, and checks the fields in hostLists: the lenient types read a value that is no list as no list
// or as a list of one, and skip items, and a host whose ports are unknown would look like one without ports.
func (h *Host) parse(body []byte, field func(h *Host, s *scanner, name []byte, ip *hostIP) error) error {
	var lists [8][]byte // the values of the fields in hostLists
	var ip hostIP
	raw, err := decodeCleaned(body, false, func(s *scanner) error {
		*h, ip, lists = Host{}, hostIP{}, [8][]byte{}
		return s.object(func(name []byte) error {
			s.peek()
			k, start := key(name), s.pos
			err := field(h, s, k, &ip)
			for i := range hostLists {
				if hostLists[i].name == string(k) {
					lists[i] = s.text[start:s.pos]
				}
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	for i, list := range hostLists {
		switch value := lists[i]; {
		case value == nil || value[0] == 'n':
		case !strings.ContainsRune(list.allowed, rune(value[0])):
			return unexpected{fmt.Errorf(`"%s" is not a list`, list.name)}
		case value[0] == '[' && list.read(h) == 0 && isUnreadable(value, list.items):
			return unexpected{fmt.Errorf(`"%s" is a list of which no item can be read`, list.name)}
		case value[0] == '[' && list.hasUnreadable != nil && list.hasUnreadable(value):
			return unexpected{fmt.Errorf(`"%s" is a list with an item that cannot be read`, list.name)}
		}
	}
	h.Addr, h.Raw = parseAddr(string(ip.text), ip.number), raw
	return nil
}

// isUnreadable reports whether a list has items other than null, and none of the kinds that begin with one of some bytes.
func isUnreadable(value []byte, readable string) bool {
	items, _ := list(value)
	found := false
	for _, item := range items {
		if strings.ContainsRune(readable, rune(item[0])) {
			return false
		}
		found = found || item[0] != 'n'
	}
	return found
}

// hostIP is the address in a response.
type hostIP struct {
	number json.RawMessage
	text   Text
}

func (h *Host) decodeField(s *scanner, name []byte, ip *hostIP) (err error) {
	switch string(name) {
	case "area_code":
		return s.into(&h.AreaCode)
	case "asn":
		return s.into(&h.ASN)
	case "city":
		return s.into(&h.City)
	case "country_code":
		return s.into(&h.CountryCode)
	case "country_code3":
		return s.into(&h.CountryCode3)
	case "country_name":
		return s.into(&h.CountryName)
	case "dma_code":
		return s.into(&h.DMACode)
	case "domains":
		return s.into(&h.Domains)
	case "isp":
		return s.into(&h.ISP)
	case "last_update":
		return s.into(&h.LastUpdate)
	case "latitude":
		return s.into(&h.Latitude)
	case "longitude":
		return s.into(&h.Longitude)
	case "org":
		return s.into(&h.Organization)
	case "os":
		return s.into(&h.OS)
	case "postal_code":
		return s.into(&h.PostalCode)
	case "region_code":
		return s.into(&h.RegionCode)
	case "data":
		return h.Banners.decode(s)
	case "ip":
		ip.number, err = s.value()
		return err
	case "ip_str":
		return s.into(&ip.text)
	}
	return h.decodeShared(s, name)
}

// decodeInternetDB is decodeField for a response of InternetDB, which has few of the fields.
func (h *Host) decodeInternetDB(s *scanner, name []byte, ip *hostIP) error {
	if string(name) == "ip" {
		return s.into(&ip.text)
	}
	return h.decodeShared(s, name)
}

// decodeShared reads the fields that both services have.
func (h *Host) decodeShared(s *scanner, name []byte) error {
	switch string(name) {
	case "cpes":
		return s.into(&h.CPEs)
	case "hostnames":
		return s.into(&h.Hostnames)
	case "ports":
		return s.into(&h.Ports)
	case "tags":
		return s.into(&h.Tags)
	case "vulns":
		return h.Vulns.decode(s)
	}
	return s.skip()
}

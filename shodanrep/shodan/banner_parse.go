package shodan

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

var errNoEndpoint = errors.New("the banner has no address or no port")

// ParseBanner reads one banner, such as a line of a `shodan download` file. It returns an error if the text is not a
// JSON object or has no address or port.
func ParseBanner(line []byte) (*Banner, error) {
	b, raw, _, err := parseBanner(line, false)
	if err == nil {
		b.Raw = append(json.RawMessage(nil), raw...)
	}
	return b, err
}

// ParseBannerSummary is ParseBanner without the long texts: Data, and the Summary of each vulnerability. Raw is a part
// of the line where that needs no cleaning.
func ParseBannerSummary(line []byte) (*Banner, error) {
	b, raw, marked, err := parseBanner(line, true)
	if err == nil {
		b.Raw = raw
		if marked {
			b.Marks = b.DatabaseMarks()
		}
	}
	return b, err
}

// parseBanner also returns the cleaned text, and whether it may have marks of databases.
func parseBanner(line []byte, summaryOnly bool) (b *Banner, raw []byte, marked bool, err error) {
	b = new(Banner)
	raw, err = decodeCleaned(line, summaryOnly, func(s *scanner) error {
		*b = Banner{}
		err := b.decode(s)
		marked = s.marked
		return err
	})
	if err != nil {
		return nil, nil, false, err
	}
	if !b.Addr.IsValid() || !b.Port.Valid {
		return nil, nil, false, errNoEndpoint
	}
	return b, raw, marked, nil
}

// UnmarshalJSON implements json.Unmarshaler. It fails only if the text is not a JSON object.
func (b *Banner) UnmarshalJSON(raw []byte) error {
	var banner Banner
	if err := decodeObject(&scanner{text: raw, isUTF8: utf8.Valid(raw)}, banner.decode); err != nil {
		return err
	}
	*b = banner
	b.Raw = append(json.RawMessage(nil), raw...)
	return nil
}

// UnmarshalJSON implements json.Unmarshaler and never fails. It skips items that are not JSON objects.
func (b *Banners) UnmarshalJSON(raw []byte) error {
	if b.decode(&scanner{text: raw}) != nil {
		*b = nil
	}
	return nil
}

// decode reads a list of banners, or any other value as none. It skips items that are not JSON objects.
func (b *Banners) decode(s *scanner) error {
	_, err := b.decodeCounting(s)
	return err
}

// decodeCounting is decode, and also returns how many items it skips.
func (b *Banners) decodeCounting(s *scanner) (skipped int, err error) {
	*b = nil
	if s.peek() != '[' {
		return 0, s.skip()
	}
	*b = Banners{}
	err = s.list(func() error {
		if s.peek() != '{' { // 0 where the text breaks off before the item
			skipped++
			return s.skip()
		}
		var banner Banner
		start := s.pos
		if err := banner.decode(s); err != nil {
			return err
		}
		banner.Raw = append(json.RawMessage(nil), s.text[start:s.pos]...)
		*b = append(*b, banner)
		return nil
	})
	return skipped, err
}

// old are the fields that other banners have in another place.
type old struct {
	ip          []byte // a number for IPv4
	ipStr, ipv6 Text   // ipv6 is instead of the others in some banners, with them in most
	title       Text   // of a web page, in banners of 2017 and before
	vulns       VulnMap
}

// decode reads a banner into an empty one, all but Raw.
func (b *Banner) decode(s *scanner) error {
	var other old
	if err := s.object(func(name []byte) error { return b.decodeField(s, key(name), &other) }); err != nil {
		return err
	}
	if b.Addr = parseAddr(string(other.ipStr), other.ip); !b.Addr.IsValid() {
		b.Addr = parseAddr(string(other.ipv6), nil)
	}
	if b.Port.Valid && b.Port.V != 0 && !isPort(b.Port.V) {
		b.Port = Null[int64]{}
	}
	b.addOldFields(other.title, other.vulns)
	return nil
}

func (b *Banner) decodeField(s *scanner, name []byte, other *old) (err error) {
	switch string(name) {
	case "asn":
		return s.into(&b.ASN)
	case "cpe":
		return s.into(&b.CPE)
	case "cpe23":
		return s.into(&b.CPE23)
	case "cloud":
		return s.object(func(name []byte) error { return b.Cloud.decodeField(s, key(name)) })
	case "data":
		if s.summaryOnly {
			return s.skip()
		}
		return s.into(&b.Data)
	case "devicetype":
		return s.into(&b.DeviceType)
	case "domains":
		return s.into(&b.Domains)
	case "hash":
		return s.into(&b.Hash)
	case "hostnames":
		return s.into(&b.Hostnames)
	case "http":
		return decodePointer(s, &b.HTTP, (*HTTP).decodeField)
	case "info":
		return s.into(&b.Info)
	case "isp":
		return s.into(&b.ISP)
	case "link":
		return s.into(&b.Link)
	case "location":
		return s.object(func(name []byte) error { return b.Location.decodeField(s, key(name)) })
	case "org":
		return s.into(&b.Organization)
	case "os":
		return s.into(&b.OS)
	case "port":
		return s.into(&b.Port)
	case "product":
		return s.into(&b.Product)
	case "ssh":
		return decodePointer(s, &b.SSH, (*SSH).decodeField)
	case "ssl":
		return decodePointer(s, &b.SSL, (*SSL).decodeField)
	case "tags":
		return s.into(&b.Tags)
	case "timestamp":
		return s.into(&b.Timestamp)
	case "transport":
		return s.into(&b.Transport)
	case "uptime":
		return s.into(&b.Uptime)
	case "version":
		return s.into(&b.Version)
	case "vulns":
		return b.Vulns.decode(s)
	case "ip":
		other.ip, err = s.value()
		return err
	case "ip_str":
		return s.into(&other.ipStr)
	case "ipv6":
		return s.into(&other.ipv6)
	case "title":
		return s.into(&other.title)
	case "opts":
		return s.object(func(name []byte) error {
			if string(key(name)) == "vulns" {
				return other.vulns.decode(s)
			}
			return s.skip()
		})
	case "_shodan":
		return s.object(func(name []byte) error { return b.decodeShodan(s, key(name)) })
	}
	return s.skip()
}

// decodeShodan reads a field of _shodan.
func (b *Banner) decodeShodan(s *scanner, name []byte) error {
	switch string(name) {
	case "id":
		return s.into(&b.ID)
	case "module":
		return s.into(&b.Module)
	case "options":
		return s.object(func(name []byte) error {
			if string(key(name)) == "hostname" {
				return s.into(&b.RequestedHostname)
			}
			return s.skip()
		})
	}
	return s.skip()
}

// decodePointer reads an object that may be missing. A value of another type is an empty object.
func decodePointer[T any](s *scanner, to **T, field func(*T, *scanner, []byte) error) error {
	if s.peek() == 'n' {
		*to = nil
		return s.skip()
	}
	if *to == nil {
		*to = new(T)
	}
	return s.object(func(name []byte) error { return field(*to, s, key(name)) })
}

package shodantest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// filter is a filter of search queries.
type filter struct {
	values func(banner map[string]any) []string // the values of a banner
	match  func(has, wanted string) bool
	valid  func(wanted string) error // nil: all values are valid
	whole  bool                      // the facet has numbers
}

// filters are the filters of the simulator. Shodan has about a hundred.
//
// https://www.shodan.io/search/filters
var filters = map[string]filter{
	"asn":                   exact("asn"),
	"city":                  words("location.city"),
	"country":               exact("location.country_code"),
	"hash":                  numeric("hash"),
	"hostname":              {values: hostnames, match: hasWords},
	"http.favicon.hash":     numeric("http.favicon.hash"),
	"http.html_hash":        numeric("http.html_hash"),
	"http.status":           numeric("http.status"),
	"http.title":            words("http.title"),
	"ip":                    {values: at("ip_str"), match: isIn, valid: isNetwork},
	"isp":                   words("isp"),
	"net":                   {values: at("ip_str"), match: isIn, valid: isNetwork},
	"org":                   words("org"),
	"os":                    words("os"),
	"port":                  numeric("port"),
	"product":               words("product"),
	"ssh.hassh":             exact("ssh.hassh"),
	"ssl.cert.expired":      exact("ssl.cert.expired"),
	"ssl.cert.fingerprint":  exact("ssl.cert.fingerprint.sha1", "ssl.cert.fingerprint.sha256"),
	"ssl.cert.issuer.cn":    words("ssl.cert.issuer.CN"),
	"ssl.cert.serial":       {values: serials, match: strings.EqualFold},
	"ssl.cert.subject.cn":   words("ssl.cert.subject.CN"),
	"ssl.chain.fingerprint": exact("ssl.chain_sha256"),
	"ssl.ja3s":              exact("ssl.ja3s"),
	"ssl.jarm":              exact("ssl.jarm"),
	"state":                 exact("location.region_code"),
	"tag":                   exact("tags"),
	"transport":             exact("transport"),
	"version":               words("version"),
	"vuln":                  {values: func(b map[string]any) []string { return vulnIDs(b["vulns"]) }, match: strings.EqualFold},
}

// filterNames returns the sorted names of the filters.
func filterNames() []string { return slices.Sorted(maps.Keys(filters)) }

// facetNames returns the sorted names of the facets. Networks are not values of banners.
func facetNames() []string {
	return slices.DeleteFunc(filterNames(), func(name string) bool { return name == "net" })
}

// exact returns a filter that compares whole values, ignoring case.
func exact(paths ...string) filter { return filter{values: at(paths...), match: strings.EqualFold} }

// numeric returns a filter that compares whole numbers.
func numeric(path string) filter {
	return filter{values: at(path), match: strings.EqualFold, valid: isNumber, whole: true}
}

// words returns a filter that finds consecutive words anywhere in a text, like Shodan: org:"example" finds "Example
// Networks", and ssl.cert.subject.cn:"example.com" finds "www.example.com".
func words(path string) filter { return filter{values: at(path), match: hasWords} }

// at returns a function for the values at paths in a banner.
func at(paths ...string) func(map[string]any) []string {
	return func(banner map[string]any) []string {
		var found []string
		for _, path := range paths {
			found = append(found, scalars(walk(banner, path))...)
		}
		return found
	}
}

// walk returns the value at a path of keys, or nil.
func walk(value any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

// scalars returns a value, or the values of a list, as texts.
func scalars(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case json.Number, bool:
		return []string{fmt.Sprint(v)}
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, scalars(item)...)
		}
		return all
	}
	return nil
}

func hostnames(banner map[string]any) []string {
	return append(texts(banner["hostnames"]), texts(banner["domains"])...)
}

// serials returns a certificate's serial number in the two forms that a search may have.
func serials(banner map[string]any) []string {
	found := scalars(walk(banner, "ssl.cert.serial"))
	for _, decimal := range found {
		if n, ok := new(big.Int).SetString(decimal, 10); ok {
			return append(found, n.Text(16))
		}
	}
	return found
}

// hasWords reports whether a text has the wanted words, consecutive and in order.
func hasWords(text, wanted string) bool {
	notWord := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	has := strings.FieldsFunc(strings.ToLower(text), notWord)
	want := strings.FieldsFunc(strings.ToLower(wanted), notWord)
	for i := 0; len(want) > 0 && i+len(want) <= len(has); i++ {
		if slices.Equal(has[i:i+len(want)], want) {
			return true
		}
	}
	return false
}

// isIn reports whether an address is the wanted address or in the wanted network.
func isIn(address, wanted string) bool {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	if network, err := netip.ParsePrefix(wanted); err == nil {
		return network.Contains(addr)
	}
	other, err := netip.ParseAddr(wanted)
	return err == nil && other == addr
}

func isNetwork(wanted string) error {
	if _, err := netip.ParsePrefix(wanted); err == nil {
		return nil
	}
	_, err := netip.ParseAddr(wanted)
	return err
}

func isNumber(wanted string) error {
	if _, err := strconv.ParseInt(wanted, 10, 64); err != nil {
		return errors.New("not a whole number")
	}
	return nil
}

package report

import (
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	maxRelatedGroups    = 6 // how many properties a card lists that others share
	maxRelatedAddresses = 6 // how many of the addresses that share one
)

// relatedNames are the names of the properties that related addresses of a list share, for people. The strongest are in
// the order of [shodan.Fingerprints]; the autonomous system comes last.
var relatedNames = map[shodan.Pivot]string{
	shodan.FingerprintSHA256: "certificate",
	shodan.CertSerial:        "serial number of a certificate",
	shodan.SSHHostKey:        "SSH host key",
	shodan.Favicon:           "icon",
	shodan.HTTPHTML:          "web page",
	shodan.BannerHash:        "banner",
	shodan.JARM:              "JARM",
	shodan.JA3S:              "JA3S",
	shodan.HASSH:             "HASSH",
	shodan.ASN:               "autonomous system",
}

// A relatedKey is a value of a property.
type relatedKey struct {
	pivot shodan.Pivot
	value string
}

// A relatedIndex has the results that have a value, by their numbers.
type relatedIndex struct {
	results []Result
	members map[relatedKey][]int
}

func newRelatedIndex(results []Result) relatedIndex {
	index := relatedIndex{results, map[relatedKey][]int{}}
	for i, r := range results {
		for _, key := range relatedKeys(r.Host()) {
			index.members[key] = append(index.members[key], i)
		}
	}
	return index
}

// relatedKeys returns the values of a host, each once, the strongest properties first.
func relatedKeys(h *shodan.Host) []relatedKey {
	if h == nil {
		return nil
	}
	var keys []relatedKey
	seen := map[relatedKey]bool{}
	add := func(pivot shodan.Pivot, value string) {
		key := relatedKey{pivot, strings.ToLower(strings.TrimSpace(value))}
		if key.value != "" && !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	for _, pivot := range shodan.Fingerprints() {
		for i := range h.Banners {
			add(pivot, pivot.Value(&h.Banners[i]))
		}
	}
	add(shodan.ASN, string(h.ASN))
	return keys
}

// An htmlRelated are the addresses that share something with an address.
type htmlRelated struct {
	Shared    string
	Addresses []htmlRow
	More      int
}

// sharedWith returns what other results share with a result. Properties that the same results share are one entry.
func (x relatedIndex) sharedWith(i int) []htmlRelated {
	var groups [][]int
	var names [][]string
	for _, key := range relatedKeys(x.results[i].Host()) {
		members := x.members[key]
		if len(members) < 2 {
			continue
		}
		name := relatedNames[key.pivot]
		if key.pivot == shodan.ASN {
			name += " " + shortened(strings.ToUpper(key.value), 20)
		}
		at := slices.IndexFunc(groups, func(group []int) bool { return slices.Equal(group, members) })
		if at < 0 {
			groups, names = append(groups, members), append(names, nil)
			at = len(groups) - 1
		}
		if !slices.Contains(names[at], name) {
			names[at] = append(names[at], name)
		}
	}
	var list []htmlRelated
	for at, group := range groups[:min(len(groups), maxRelatedGroups)] {
		related := htmlRelated{Shared: "Same " + strings.Join(names[at], ", ")}
		for _, other := range group {
			switch r := x.results[other]; {
			case other == i:
			case len(related.Addresses) == maxRelatedAddresses:
				related.More++
			default:
				related.Addresses = append(related.Addresses, htmlRow{Class: r.class(), IP: shortened(r.IP(), 100), Level: string(r.Level())})
			}
		}
		list = append(list, related)
	}
	return list
}

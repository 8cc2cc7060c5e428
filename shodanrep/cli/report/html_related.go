package report

import (
	"crypto/sha256"
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

// A relatedHash is the first half of the SHA-256 hash of a relatedKey. Values of banners can be long, and most of them are
// those of one result only.
type relatedHash [16]byte

// cloneKeys returns keys that refer to no text of a result.
func cloneKeys(keys []relatedKey) []relatedKey {
	keys = slices.Clone(keys)
	for i := range keys {
		keys[i].value = strings.Clone(keys[i].value)
	}
	return keys
}

func hashesOf(keys []relatedKey) []relatedHash {
	hashes := make([]relatedHash, len(keys))
	for i, key := range keys {
		hashes[i] = key.hash()
	}
	return hashes
}

func (k relatedKey) hash() relatedHash {
	sum := sha256.Sum256([]byte(string(k.pivot) + "\x00" + k.value))
	return relatedHash(sum[:16])
}

// A relatedIndex has the results that have a value: their numbers, and once they are sorted their places.
type relatedIndex struct{ members map[relatedHash][]int32 }

func newRelatedIndex() relatedIndex { return relatedIndex{map[relatedHash][]int32{}} }

// add adds the values of a result.
func (x relatedIndex) add(number int, hashes []relatedHash) {
	for _, hash := range hashes {
		x.members[hash] = append(x.members[hash], int32(number))
	}
}

// sort replaces the numbers of results by their places.
func (x relatedIndex) sort(places []int) {
	for _, members := range x.members {
		for i, number := range members {
			members[i] = int32(places[number])
		}
		slices.Sort(members)
	}
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
func (x relatedIndex) sharedWith(results []*htmlResult, i int) []htmlRelated {
	var groups [][]int32
	var names [][]string
	for _, key := range results[i].cardKeys {
		members := x.members[key.hash()]
		if len(members) < 2 {
			continue
		}
		name := relatedNames[key.pivot]
		if key.pivot == shodan.ASN {
			name += " " + shortened(strings.ToUpper(key.value), 20)
		}
		at := slices.IndexFunc(groups, func(group []int32) bool { return slices.Equal(group, members) })
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
			switch r := results[other]; {
			case int(other) == i:
			case len(related.Addresses) == maxRelatedAddresses:
				related.More++
			default:
				related.Addresses = append(related.Addresses, htmlRow{Class: r.class, IP: r.ip, Level: string(r.level)})
			}
		}
		list = append(list, related)
	}
	return list
}

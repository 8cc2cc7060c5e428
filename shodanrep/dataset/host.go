package dataset

import (
	"slices"

	"github.com/klauspost/compress/s2"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// hostRows are the rows of the index for one address.
type hostRows struct {
	banners          []shodan.Banner
	host, internetDB *shodan.Host // summaries, nil if there are none
}

// add unpacks a row.
func (h *hostRows) add(port int64, transport string, packed []byte) error {
	if port != summaryPort {
		b, err := unpack(packed)
		if err == nil {
			h.banners = append(h.banners, *b)
		}
		return err
	}
	text, err := s2.Decode(nil, packed)
	if err != nil {
		return err
	}
	summary, err := parseSummary(transport, text)
	if err != nil {
		return err
	}
	summary.Raw = nil // it is not the complete response
	if transport == internetDBResponse {
		h.internetDB = summary
	} else {
		h.host = summary
	}
	return nil
}

// merge returns the host, or nil if there are no rows. Summaries count where there are no banners. The summary of a host
// response that is as new as the banners adds what they do not have.
func (h *hostRows) merge() *shodan.Host {
	merged := shodan.MergeBanners(h.banners)
	switch {
	case merged == nil && h.host != nil:
		return h.host
	case merged == nil:
		return h.internetDB
	case h.host == nil || h.host.LastUpdate.Before(merged.LastUpdate.Time):
		return merged
	}
	merged.LastUpdate = h.host.LastUpdate
	merged.Ports = union(merged.Ports, h.host.Ports)
	merged.Tags = union(merged.Tags, h.host.Tags)
	merged.Hostnames = union(merged.Hostnames, h.host.Hostnames)
	for id, vuln := range h.host.Vulns {
		if _, known := merged.Vulns[id]; !known {
			merged.Vulns[id] = vuln
		}
	}
	return merged
}

func union[S ~[]T, T int | string](a, b S) S {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

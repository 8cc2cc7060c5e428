package dataset

import (
	"cmp"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// sortItems sorts the items of one address by service, each service's newest first. Of two that are as new the one of
// the file that was read first goes before.
func sortItems(items []item) {
	slices.SortStableFunc(items, func(a, b item) int {
		if order := cmp.Compare(a.port(), b.port()); order != 0 {
			return order
		}
		if order := cmp.Compare(a.transport(), b.transport()); order != 0 {
			return order
		}
		if order := cmp.Compare(a.name, b.name); order != 0 {
			return order
		}
		return cmp.Or(cmp.Compare(b.seen, a.seen), cmp.Compare(a.file, b.file))
	})
}

// summaryPort is before all ports.
const summaryPort = -1

func (it *item) port() int64 {
	if it.host != nil {
		return summaryPort
	}
	return it.banner.Port.V
}

func (it *item) transport() string {
	if it.host != nil {
		return it.kind
	}
	return string(it.banner.Transport)
}

// newest returns the first item of each service of sorted items.
func newest(items []item) []item {
	return slices.CompactFunc(items, func(a, b item) bool {
		return a.port() == b.port() && a.transport() == b.transport() && a.name == b.name
	})
}

// merge returns the host that items make, or nil if there are none. Summaries count where there are no banners. The
// summary of a host response adds the owner and the location that banners do not have and, if it is as new as they are,
// the ports, tags, names and vulnerabilities.
func merge(items []item) *shodan.Host {
	var host, internetDB *shodan.Host
	banners := make([]shodan.Banner, 0, len(items))
	for i := range items {
		switch it := &items[i]; {
		case it.host == nil:
			banners = append(banners, *it.banner)
		case it.kind == internetDBResponse:
			internetDB = it.host
		default:
			host = it.host
		}
	}
	if host != nil {
		banners = withoutClosed(banners, host)
	}
	merged := shodan.MergeBanners(banners)
	switch {
	case merged == nil && host != nil:
		return host
	case merged == nil:
		return internetDB
	case host == nil:
		return merged
	}
	merged.AddGeneral(host)
	if host.LastUpdate.Before(merged.LastUpdate.Time) {
		return merged
	}
	merged.LastUpdate = host.LastUpdate
	merged.Ports = union(merged.Ports, host.Ports)
	merged.Tags = union(merged.Tags, host.Tags)
	merged.Hostnames, merged.Domains = union(merged.Hostnames, host.Hostnames), union(merged.Domains, host.Domains)
	for id, vuln := range host.Vulns {
		if _, known := merged.Vulns[id]; !known {
			merged.Vulns[id] = vuln
		}
	}
	return merged
}

// withoutClosed returns the banners without those that are so much older than a response that their ports, which it does
// not list as open, were closed by then.
func withoutClosed(banners []shodan.Banner, response *shodan.Host) []shodan.Banner {
	return slices.DeleteFunc(banners, func(b shodan.Banner) bool {
		return !b.Timestamp.IsZero() && !slices.Contains(response.Ports, int(b.Port.V)) &&
			response.LastUpdate.Sub(b.Timestamp.Time) >= shodan.CurrentFor
	})
}

// mergeHistory is merge with the banners of all times, newest first, or nil where there are none. The same sighting may be
// in several files.
func mergeHistory(items []item) *shodan.Host {
	merged := merge(newest(slices.Clone(items)))
	items = slices.DeleteFunc(items, func(it item) bool { return it.host != nil })
	if len(items) == 0 {
		return nil
	}
	items = slices.CompactFunc(items, func(a, b item) bool {
		return a.banner.Port == b.banner.Port && a.transport() == b.transport() && a.name == b.name && a.banner.Timestamp == b.banner.Timestamp
	})
	merged.Banners = make(shodan.Banners, len(items))
	for i := range items {
		merged.Banners[i] = *items[i].banner
	}
	slices.SortStableFunc(merged.Banners, func(a, b shodan.Banner) int { return b.Timestamp.Compare(a.Timestamp.Time) })
	return merged
}

func union[S ~[]T, T int | string](a, b S) S {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

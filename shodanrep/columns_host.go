package shodanrep

import (
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// An answered row has the result of a lookup.
type answered interface{ Answer() lookup.Answer }

// answerColumns are the columns of the result of a lookup.
func answerColumns() []*plugin.Column {
	return []*plugin.Column{
		text("source", sourceDescription, func(r answered) string { return string(r.Answer().Source) }),
		status(),
		failure(),
	}
}

func status() *plugin.Column {
	return statusColumn(lookupStatuses, func(r answered) string { return string(r.Answer().Status) })
}

func failure() *plugin.Column {
	return text("error", errorDescription, func(r answered) string { return r.Answer().Error })
}

// checkedAt is the column that says how old an answer is.
func checkedAt() *plugin.Column {
	return timestamp("checked_at", "Time when the data was requested from the service; a cached response keeps the time of its request. Null if no request was sent.",
		func(r answered) time.Time { return r.Answer().CheckedAt })
}

// A hosted row may have a host.
type hosted interface{ Host() *shodan.Host }

// host gets a column's value from the host, null if there is none. The row is hosted. Its type is found here, because
// that takes the generic function from several times longer, and most columns are those of a host.
func host[V any](get func(*shodan.Host) V) func(row any) V {
	return func(row any) (null V) {
		r, ok := row.(hosted)
		if !ok {
			return null
		}
		h := r.Host()
		if h == nil {
			return null
		}
		return get(h)
	}
}

// hostColumns are what the tables that have a row for a host say of it in the same words.
func hostColumns() []*plugin.Column {
	return []*plugin.Column{
		text("asn", "The autonomous system that announces the address, such as AS64496.", host(func(h *shodan.Host) string { return string(h.ASN) })),
		text("isp", "The internet service provider.", host(func(h *shodan.Host) string { return string(h.ISP) })),
		text("country_code", "The two-letter code of the country where the address is registered.", host(func(h *shodan.Host) string { return string(h.CountryCode) })),
		text("city", "The city where the address is registered.", host(func(h *shodan.Host) string { return string(h.City) })),
		number("latitude", "The latitude of the location, in degrees.", host(func(h *shodan.Host) *float64 { return h.Latitude.Ptr() })),
		number("longitude", "The longitude of the location, in degrees.", host(func(h *shodan.Host) *float64 { return h.Longitude.Ptr() })),
		text("os", "The operating system, if a service reveals it.", host(func(h *shodan.Host) string { return string(h.OS) })),
		jsonb("domains", "The domains of the host names of the address.", host(func(h *shodan.Host) shodan.Texts { return h.Domains })),
		timestamp("last_update", "Time when Shodan last saw a service of the address.", host(func(h *shodan.Host) time.Time { return h.LastUpdate.Time })),
	}
}

// summaryColumns are what every source knows of a host, InternetDB too.
func summaryColumns() []*plugin.Column {
	return []*plugin.Column{
		jsonb("ports", "The open ports, in ascending order.", host(func(h *shodan.Host) shodan.Ints { return h.Ports })),
		jsonb("hostnames", "The host names of the address.", host(func(h *shodan.Host) shodan.Texts { return h.Hostnames })),
		jsonb("vulns", "The CVE ids of the vulnerabilities found, sorted. Most are inferred from a software version and not verified.", host(func(h *shodan.Host) []string { return h.Vulns.IDs() })),
		jsonb("tags", "The tags that Shodan assigned to the address, such as cloud, vpn, self-signed or c2, sorted.", host(func(h *shodan.Host) shodan.Texts { return h.Tags })),
	}
}

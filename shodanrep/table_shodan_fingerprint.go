package shodanrep

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanFingerprint(context.Context) *plugin.Table {
	type row = *fingerprintRow
	banner := func(r row) *shodan.Banner { return r.banner }
	of := func(get func(*shodan.Banner) any) func(row) any { return ofPart(banner, get) }
	return newTable(&plugin.Table{
		Name: "shodan_fingerprint",
		Description: "The fingerprints of an IP address's services, to search for on other hosts: certificates, keys, pages, icons and server behavior. One row per fingerprint of each service. " +
			"An address without fingerprints, or whose lookup failed, has one row with a null kind; the status says which.",
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(r row) any { return r.Echo() }),
		}, answerColumns(), []*plugin.Column{
			text("kind", "The kind of fingerprint: "+join(shodan.Fingerprints())+". It is the pivot of shodan_fingerprint_correlation.", func(r row) any { return string(r.kind) }),
			text("value", "The value of the fingerprint. Services with the same value share it.", func(r row) any { return r.value }),
			text("search_query", "The Shodan search query that finds all services with the fingerprint.", func(r row) any { return r.searchQuery() }),
			integer("port", "The port of the service.", of(func(b *shodan.Banner) any { return b.Port.Ptr() })),
			text("transport", "The transport protocol, tcp or udp.", of(func(b *shodan.Banner) any { return string(b.Transport) })),
			text("product", "The name of the software, if the service reveals it.", of(func(b *shodan.Banner) any { return string(b.Product) })),
			timestamp("last_seen", "Time when Shodan saw the service with the fingerprint.", ofPart(banner, func(b *shodan.Banner) time.Time { return b.Timestamp.Time })),
			text("title", "The display name of the row: the address, port and kind.", func(r row) any { return r.title() }),
		}),
	}, scan.Table{
		Keys:   addressKeys(),
		Action: "host",
		Rows:   scan.ManyPerTarget(requireBanners, fingerprintRows),
	})
}

// requireBanners needs a host with its banners, from a source that has some.
func requireBanners(scan.Columns) lookup.Question {
	return lookup.Question{Banners: true, RequireBanners: true}
}

// A fingerprintRow is a fingerprint of a service, or an address without one.
type fingerprintRow struct {
	*scan.Result
	kind   shodan.Pivot
	value  string
	banner *shodan.Banner // nil where there is none
}

func (r *fingerprintRow) searchQuery() string {
	if r.value == "" {
		return ""
	}
	return lookup.Query(r.kind, r.value)
}

func (r *fingerprintRow) title() string {
	if r.banner == nil {
		return r.Given
	}
	return fmt.Sprintf("%s %d %s", r.Given, r.banner.Port.V, r.kind)
}

// fingerprintRows makes the rows of an address, or the one row that says that there are none, and why.
func fingerprintRows(r *scan.Result) []*fingerprintRow {
	r = r.WithBanners()
	var rows []*fingerprintRow
	if host := r.Host(); host != nil {
		for i := range host.Banners {
			b := &host.Banners[i]
			for _, kind := range shodan.Fingerprints() {
				if value := kind.Value(b); value != "" {
					rows = append(rows, &fingerprintRow{Result: r, kind: kind, value: value, banner: b})
				}
			}
		}
	}
	if len(rows) == 0 {
		rows = []*fingerprintRow{{Result: r}}
	}
	return rows
}

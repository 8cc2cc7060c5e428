package shodanrep

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanHostHistory(context.Context) *plugin.Table {
	type row = *sightingRow
	return newTable(&plugin.Table{
		Name: "shodan_host_history",
		Description: "The services that an IP address has exposed over time. One row for each time that Shodan saw a service, with the changes since the time before, and one row per port that is now closed. " +
			"An address without services, or whose lookup failed, has one row with a null port; the status says which.",
		Columns: slices.Concat([]*plugin.Column{
			inet("ip", ipDescription, func(r row) any { return r.Echo() }),
		}, answerColumns(), []*plugin.Column{
			integer("port", "The port. Null in the only row of an address without services or whose lookup failed.", func(r row) any { return r.port }),
			text("change", "The most important change since Shodan saw the service before: opened (seen for the first time), product, version or certificate; "+
				"closed in the row of a port that is no longer open. Null if nothing changed.", func(r row) any { return r.change() }),
			jsonb("changes", "The list of all changes since Shodan saw the service before. Empty if nothing changed.", func(r row) any { return r.changes }),
			timestamp("first_seen", "Time when Shodan first saw the port open.", func(r row) time.Time { return r.first }),
			timestamp("last_seen", "Time when Shodan last saw the port open.", func(r row) time.Time { return r.last }),
			boolean("is_current", "True if the row is the newest state of the service and its port is still open.", func(r row) any { return r.current }),
			text("previous_product", "The previous software, if it changed or the port is closed.", func(r row) any { return string(r.before.product) }),
			text("previous_version", "The previous version, if it changed or the port is closed.", func(r row) any { return string(r.before.version) }),
			text("previous_ssl_fingerprint_sha256", "The SHA-256 fingerprint of the previous certificate, if it changed or the port is closed.", func(r row) any { return string(r.before.certificate) }),
		}, bannerColumns(func(r row) *shodan.Banner { return r.banner }), []*plugin.Column{
			text("title", "The display name of the row: the address, port, transport and time.", func(r row) any { return r.title() }),
		}),
	}, scan.Table{
		Keys:   addressKeys(),
		Action: "host",
		Rows:   scan.ManyPerTarget(needHistory, historyRows),
	})
}

// needHistory needs the banners of all times, from a source that has some.
func needHistory(scan.Columns) lookup.Question {
	return lookup.Question{History: true, RequireBanners: true}
}

// What may change between two sightings of a service, in order of weight.
const (
	opened             = "opened"
	closed             = "closed"
	productChanged     = "product"
	versionChanged     = "version"
	certificateChanged = "certificate"
)

// A sightingRow is a service as it was seen at one time, a port that is closed by now, or an address without either.
type sightingRow struct {
	*scan.Result
	port        *int64
	banner      *shodan.Banner // of a closed port only what is still true of it
	changes     []string       // nil in the row of an address
	before      traits         // what has changed
	first, last time.Time
	current     *bool
}

// traits are what is compared of two sightings. What a crawler did not find out is empty, and no change.
type traits struct{ product, version, certificate shodan.Text }

func (r *sightingRow) change() string {
	if len(r.changes) == 0 {
		return ""
	}
	return r.changes[0]
}

func (r *sightingRow) title() string {
	switch {
	case r.port == nil:
		return r.Given
	case r.change() == closed:
		return fmt.Sprintf("%s %d/%s closed", r.Given, *r.port, r.banner.Transport)
	}
	return fmt.Sprintf("%s %d/%s %s", r.Given, *r.port, r.banner.Transport, r.banner.Timestamp.Format(time.RFC3339))
}

// historyRows makes the rows of an address, of each port the oldest sighting first.
func historyRows(r *scan.Result) []*sightingRow {
	r = r.WithBanners()
	host := r.Host()
	if host == nil || len(host.Banners) == 0 {
		return []*sightingRow{{Result: r}}
	}
	at := map[shodan.Endpoint][]*shodan.Banner{}
	var order []shodan.Endpoint
	for i := range host.Banners {
		b := &host.Banners[i]
		e := b.Endpoint()
		if at[e] == nil {
			order = append(order, e)
		}
		at[e] = append(at[e], b)
	}
	slices.SortFunc(order, func(a, b shodan.Endpoint) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Transport, b.Transport))
	})
	var rows []*sightingRow
	for _, e := range order {
		rows = append(rows, sightings(r, e, at[e])...)
	}
	return rows
}

// sightings makes the rows of one port.
//
// A port is closed where Shodan does not list it among the host's open ports, which it does without saying whether it is
// TCP's or UDP's. A dataset has no such list: what its files have last of a service counts as open there.
func sightings(r *scan.Result, at shodan.Endpoint, banners []*shodan.Banner) []*sightingRow {
	slices.SortStableFunc(banners, func(a, b *shodan.Banner) int { return a.Timestamp.Compare(b.Timestamp.Time) })
	newest := banners[len(banners)-1]
	port, first, last := newest.Port.Ptr(), banners[0].Timestamp.Time, newest.Timestamp.Time
	open := port == nil || slices.Contains(r.Host().Ports, int(at.Port))
	rows := make([]*sightingRow, 0, len(banners)+1)
	// A web server answers differently for each host name: only responses for one name are compared.
	known := map[string]*sightingRow{}
	was := map[string]traits{}
	for i, b := range banners {
		row := &sightingRow{Result: r, port: port, banner: b, changes: []string{}, first: first, last: last, current: new(bool)}
		if i == 0 {
			row.changes = append(row.changes, opened)
		}
		name := b.VirtualHost()
		was[name] = row.compare(was[name])
		known[name] = row
		rows = append(rows, row)
	}
	for _, row := range known {
		// A host name that was last requested long ago says nothing of today.
		*row.current = open && last.Sub(row.banner.Timestamp.Time) < shodan.CurrentFor
	}
	if !open {
		gone := &sightingRow{
			Result: r, port: port, banner: &shodan.Banner{Transport: at.Transport}, changes: []string{closed},
			before: was[newest.VirtualHost()], first: first, last: last, current: new(bool),
		}
		rows = append(rows, gone)
	}
	return rows
}

// compare notes what has changed since the service was as it was, and returns how it is now. What is not known now is as
// it was.
func (r *sightingRow) compare(was traits) (is traits) {
	is = was
	note := func(now shodan.Text, is, before *shodan.Text, change string) {
		if now == "" {
			return
		}
		if *is != "" && *is != now {
			r.changes = append(r.changes, change)
			*before = *is
		}
		*is = now
	}
	note(r.banner.Product, &is.product, &r.before.product, productChanged)
	if r.before.product != "" {
		// Another software's version is no change of this one's.
		r.before.version, is.version = is.version, r.banner.Version
	} else {
		note(r.banner.Version, &is.version, &r.before.version, versionChanged)
	}
	if r.banner.SSL != nil {
		note(r.banner.SSL.Cert.Fingerprint.SHA256, &is.certificate, &r.before.certificate, certificateChanged)
	}
	return is
}

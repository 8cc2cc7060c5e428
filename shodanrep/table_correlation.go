package shodanrep

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// relatedStatuses are those of the tables of related hosts.
var relatedStatuses = &statusSet{
	"The result of the lookup of the address: indexed (the source has data), not_indexed (the source has no data, which does not mean that no host is related), " +
		"reserved (the address cannot be on the internet), not_a_host (a network), error (see error). Unless it is indexed, the address has one row, without a related host. Null if the query gives a value instead.",
	[]lookup.Status{lookup.Indexed, lookup.NotIndexed, lookup.Reserved, scan.NotAHost, lookup.Failed},
}

// A correlation is a table of hosts that share something with an address, or with a value that is given.
type correlation struct {
	table       string
	description string
	// pivots are what hosts may share, the first of them where the query names none.
	pivots []shodan.Pivot
	// alias is a column that a value may be given in as well as in value, because its name says what it is.
	alias string
}

// A relatedRow is a host that shares a value with an address.
type relatedRow struct {
	target  *scan.Target // nil if the query gives a value and no address
	source  lookup.Source
	status  lookup.Status // of the address
	error   string
	pivot   shodan.Pivot
	value   string
	port    *int64 // where the address itself has the value
	related *shodan.Banner
	given   string // the value of the column alias in the query, in the row of an address of which nothing is known
}

// definition makes the table.
func (c correlation) definition() *plugin.Table {
	type row = *relatedRow
	banner := func(r row) *shodan.Banner { return r.related }
	related := func(get func(*shodan.Banner) any) func(row) any { return ofPart(banner, get) }
	return newTable(&plugin.Table{
		Name:        c.table,
		Description: c.description,
		Columns: []*plugin.Column{
			inet("ip", "The address to find related hosts for, as written in the query. Null if the query gives a value instead.", func(r row) any {
				if r.target == nil {
					return nil
				}
				return r.target.Echo()
			}),
			text("source", "The source of the related host: dataset (files written by shodan download, free of charge) or shodan (a search, which costs a query credit).", func(r row) any { return string(r.source) }),
			statusColumn(relatedStatuses, func(r row) any { return string(r.status) }),
			text("error", "The reason why the lookup of the address failed, and what to do. Null if it succeeded.", func(r row) any { return r.error }),
			text("pivot", "The property that the hosts share: "+join(c.pivots)+".", func(r row) any { return string(r.pivot) }),
			text("value", "The value of the property that the hosts share.", func(r row) any { return r.value }),
			integer("port", "The port of the address that has the value. Null if the value does not belong to a port.", func(r row) any { return r.port }),
			inet("related_ip", "The address of the related host.", related(func(b *shodan.Banner) any { return inetValue(b.Addr) })),
			integer("related_port", "The port of the related host.", related(func(b *shodan.Banner) any { return b.Port.Ptr() })),
			text("organization", "The organization of the related host.", c.orGiven("organization", related(func(b *shodan.Banner) any { return string(b.Organization) }))),
			text("asn", "The autonomous system of the related host.", c.orGiven("asn", related(func(b *shodan.Banner) any { return string(b.ASN) }))),
			text("product", "The software found on the related host.", related(func(b *shodan.Banner) any { return string(b.Product) })),
			jsonb("hostnames", "The host names of the related host.", related(func(b *shodan.Banner) any { return b.Hostnames })),
			timestamp("last_seen", "Time when Shodan saw the related host with the value.", ofPart(banner, func(b *shodan.Banner) time.Time { return b.Timestamp.Time })),
			text("title", "The display name of the row: the related address and port.", func(r row) any { return r.title() }),
		},
	}, scan.Table{Keys: c.keyColumns(), Action: "search", Rows: scan.FromPages(c.listRelated)})
}

// orGiven gets the value of a column of the related host or, if there is none and the column is the alias, the value in
// the query.
func (c correlation) orGiven(column string, get func(*relatedRow) any) func(*relatedRow) any {
	return func(r *relatedRow) any {
		if r.related == nil && column == c.alias {
			return r.given
		}
		return get(r)
	}
}

func (r *relatedRow) title() string {
	switch {
	case r.related != nil:
		return fmt.Sprintf("%s %d", r.related.Addr, r.related.Port.V)
	case r.target != nil:
		return r.target.Given
	}
	return r.value
}

func join(pivots []shodan.Pivot) string {
	names := make([]string, len(pivots))
	for i, p := range pivots {
		names[i] = string(p)
	}
	return strings.Join(names, ", ")
}

// listRelated finds the hosts related to one address or to one value.
func (c correlation) listRelated(ctx context.Context, call *scan.ListCall, emit func(*relatedRow) bool) error {
	conditions, err := c.conditions(call)
	if err != nil {
		return err
	}
	if err := call.Engine().CheckSearch(conditions.source); err != nil {
		return err
	}
	for _, value := range conditions.values {
		for _, pivot := range conditions.pivots {
			if more, err := c.stream(ctx, call, relatedRow{pivot: pivot, value: value}, conditions.source, emit); err != nil || !more {
				return err
			}
		}
	}
	need := requireBanners(call.Selected())
	if err := call.LookUp(ctx, conditions.targets, need); err != nil {
		return err
	}
	for _, target := range conditions.targets {
		if more, err := c.listRelatedTo(ctx, call, target, conditions, emit); err != nil || !more {
			return err
		}
	}
	return nil
}

// listRelatedTo finds the hosts related to one address, and reports whether more rows are needed. An address of which
// nothing is known has rows that say why.
func (c correlation) listRelatedTo(ctx context.Context, call *scan.ListCall, target *scan.Target, conditions correlationConditions, emit func(*relatedRow) bool) (more bool, err error) {
	// A list of pivots is a call for each, and they share the result of one lookup.
	result, err := scan.Once(call, fmt.Sprintf("result %s %q", target.Source, target.Given), func() (*scan.Result, error) {
		return call.Result(ctx, target, requireBanners(call.Selected()))
	})
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(conditions.pivots, func(p shodan.Pivot) bool { return p != shodan.Organization && p != shodan.ASN }) {
		result = result.WithBanners()
	}
	answer, progress := result.Answer(), lookup.ProgressFrom(ctx)
	if target.Network {
		answer.Error = fmt.Sprintf("%s is a network, not an address", target.Given)
	}
	if answer.Status != lookup.Indexed {
		if progress != nil && answer.Error == "" {
			progress.CountUnsearched(fmt.Sprintf("%s has the status %s", target.Given, answer.Status))
		}
		rows, err := c.unknownRows(call, relatedRow{target: target, source: conditions.source, status: answer.Status, error: answer.Error})
		if err != nil {
			return false, err
		}
		for i := range rows {
			if !emit(&rows[i]) {
				return false, nil
			}
		}
		return true, nil
	}
	shared := c.shared(answer.Host, conditions.pivots)
	if call.Has("value") { // PostgreSQL would drop the rows of other values, whose searches cost credits
		shared = slices.DeleteFunc(shared, func(r relatedRow) bool { return !slices.Contains(call.Texts("value"), r.value) })
	}
	if c.alias != "" && call.Has(c.alias) { // the same, but a related host may write its organization in another case
		shared = slices.DeleteFunc(shared, func(r relatedRow) bool {
			return !slices.ContainsFunc(call.Texts(c.alias), func(given string) bool { return strings.EqualFold(given, r.value) })
		})
	}
	if progress != nil && len(shared) == 0 {
		progress.CountUnsearched(fmt.Sprintf("%s has none of %s", target.Given, join(conditions.pivots)))
	}
	for _, own := range shared {
		own.target, own.status = target, answer.Status
		if more, err := c.stream(ctx, call, own, conditions.source, emit); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// unknownRows makes the rows of an address of which nothing is known: one for each combination of the conditions in the
// query, which the rows repeat, because PostgreSQL checks them again and would drop other rows.
func (c correlation) unknownRows(call *scan.ListCall, unknown relatedRow) ([]relatedRow, error) {
	set := func(field func(*relatedRow, string)) func(*relatedRow, string) error {
		return func(r *relatedRow, text string) error {
			field(r, text)
			return nil
		}
	}
	rows, err := scan.Combine(call,
		scan.Field[relatedRow]{Column: "pivot", Set: set(func(r *relatedRow, text string) { r.pivot = shodan.Pivot(text) })},
		scan.Field[relatedRow]{Column: "value", Set: set(func(r *relatedRow, text string) { r.value = text })},
		scan.Field[relatedRow]{Column: c.alias, Set: set(func(r *relatedRow, text string) { r.given = text })})
	for i := range rows {
		rows[i].target, rows[i].source, rows[i].status, rows[i].error = unknown.target, unknown.source, unknown.status, unknown.error
	}
	return rows, err
}

// shared lists the values of a host that others may share, each once, in the order of its banners.
func (c correlation) shared(host *shodan.Host, pivots []shodan.Pivot) []relatedRow {
	var rows []relatedRow
	add := func(row relatedRow) {
		known := slices.ContainsFunc(rows, func(r relatedRow) bool { return r.pivot == row.pivot && r.value == row.value })
		if !lookup.IsBlank(row.value) && !known {
			rows = append(rows, row)
		}
	}
	for _, pivot := range pivots {
		switch pivot {
		case shodan.Organization:
			add(relatedRow{pivot: pivot, value: string(host.Organization)})
		case shodan.ASN:
			add(relatedRow{pivot: pivot, value: string(host.ASN)})
		default:
			for i := range host.Banners {
				b := &host.Banners[i]
				add(relatedRow{pivot: pivot, value: pivot.Value(b), port: b.Port.Ptr()})
			}
		}
	}
	return rows
}

// stream makes the rows of the hosts that share one value, and reports whether more rows are needed.
func (c correlation) stream(ctx context.Context, call *scan.ListCall, own relatedRow, source lookup.Source, emit func(*relatedRow) bool) (more bool, err error) {
	var except netip.Addr
	if own.target != nil {
		except = own.target.Addr
	}
	value := own.value
	if own.pivot == shodan.ASN {
		value = lookup.CanonicalASN(value)
	}
	found, err := call.Engine().Related(ctx, own.pivot, value, except, source, call.Limit(call.Settings().CorrelationLimit))
	if err != nil {
		return false, err
	}
	for i := range found {
		row := own
		row.source, row.related = found[i].Source, &found[i].Banner
		if !emit(&row) {
			return false, nil
		}
	}
	return true, nil
}

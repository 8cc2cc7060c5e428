package shodanrep

import (
	"context"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

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
	subject *subject // nil where the query gives a value and no address
	source  lookup.Source
	error   string
	pivot   shodan.Pivot
	value   string
	port    *int64 // where the address itself has the value
	related *shodan.Banner
}

// keyColumns are those of all correlations: an address or a value, and what narrows them.
func (c correlation) keyColumns() plugin.KeyColumnSlice {
	keys := plugin.KeyColumnSlice{
		{Name: "ip", Require: plugin.AnyOf, Operators: []string{"="}},
		{Name: "value", Require: plugin.AnyOf, Operators: []string{"="}},
		{Name: "source", Require: plugin.Optional, Operators: []string{"="}},
	}
	if len(c.pivots) > 1 {
		keys = append(keys, &plugin.KeyColumn{Name: "pivot", Require: plugin.Optional, Operators: []string{"="}})
	}
	if c.alias != "" {
		keys = append(keys, &plugin.KeyColumn{Name: c.alias, Require: plugin.AnyOf, Operators: []string{"="}})
	}
	return keys
}

// definition makes the table.
func (c correlation) definition() *plugin.Table {
	type row = *relatedRow
	related := func(get func(*shodan.Banner) any) func(row) any {
		return func(r row) any {
			if r.related == nil {
				return nil
			}
			return get(r.related)
		}
	}
	return &plugin.Table{
		Name:        c.table,
		Description: c.description,
		List:        &plugin.ListConfig{KeyColumns: c.keyColumns(), Hydrate: listing(c.listRelated), Tags: map[string]string{"service": "shodan", "action": "search"}},
		Cache:       noQueryCache(),
		Columns: []*plugin.Column{
			inet("ip", "The address to find related hosts for, as written in the query. Null if the query gives a value instead.", func(r row) any {
				if r.subject == nil {
					return nil
				}
				return r.subject.echo()
			}),
			text("source", "The source of the related host: dataset (files written by shodan download, free of charge) or shodan (a search, which costs a query credit).", func(r row) any { return string(r.source) }),
			text("error", "The reason why the lookup of the address failed, and what to do. Null if it succeeded.", func(r row) any { return r.error }),
			text("pivot", "The property that the hosts share: "+join(c.pivots)+".", func(r row) any { return string(r.pivot) }),
			text("value", "The value of the property that the hosts share.", func(r row) any { return r.value }),
			integer("port", "The port of the address that has the value. Null if the value does not belong to a port.", func(r row) any { return r.port }),
			inet("related_ip", "The address of the related host.", related(func(b *shodan.Banner) any { return orNothing(b.Addr) })),
			integer("related_port", "The port of the related host.", related(func(b *shodan.Banner) any { return b.Port.Ptr() })),
			text("organization", "The organization of the related host.", related(func(b *shodan.Banner) any { return string(b.Organization) })),
			text("asn", "The autonomous system of the related host.", related(func(b *shodan.Banner) any { return string(b.ASN) })),
			text("product", "The software found on the related host.", related(func(b *shodan.Banner) any { return string(b.Product) })),
			list("hostnames", "The host names of the related host.", related(func(b *shodan.Banner) any { return b.Hostnames })),
			moment("last_seen", "Time when Shodan saw the related host with the value.", related(func(b *shodan.Banner) any { return b.Timestamp.Ptr() })),
			text("title", "The display name of the row: the related address and port.", func(r row) any { return r.title() }),
		},
	}
}

func (r *relatedRow) title() string {
	switch {
	case r.related != nil:
		return fmt.Sprintf("%s %d", r.related.Addr, r.related.Port.V)
	case r.subject != nil:
		return r.subject.given
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
func (c correlation) listRelated(ctx context.Context, r *request, emit func(*relatedRow) bool) error {
	asked, err := c.asked(r.quals)
	if err != nil {
		return err
	}
	if err := r.engine.CheckSearch(asked.source); err != nil {
		return err
	}
	for _, value := range asked.values {
		for _, pivot := range asked.pivots {
			if more, err := c.stream(ctx, r, relatedRow{pivot: pivot, value: value}, asked.source, emit); err != nil || !more {
				return err
			}
		}
	}
	if err := r.ask(ctx, r.d, asked.subjects, withRichBanners(r.d)); err != nil {
		return err
	}
	for _, s := range asked.subjects {
		// A list of pivots is a call for each, and they all need the same answer, which is asked for once.
		answer, err := onceInScan(r.query, fmt.Sprintf("answer %s %q", s.source, s.given), func() (lookup.Answer, error) {
			return r.answer(ctx, s, withRichBanners(r.d))
		})
		if err != nil {
			return err
		}
		if s.network {
			answer = lookup.Answer{Status: lookup.Failed, Error: fmt.Sprintf("%s is a network, not an address", s.given)}
		}
		if answer.Status == lookup.Failed {
			if !emit(&relatedRow{subject: s, source: asked.source, error: answer.Error}) {
				return nil
			}
			continue
		}
		var shared []relatedRow
		if answer.Host != nil {
			shared = c.shared(answer.Host, asked.pivots)
		}
		if meter := lookup.ProgressFrom(ctx); meter != nil && len(shared) == 0 {
			meter.CountUnsearched(unsearched(s, answer, asked.pivots))
		}
		for _, own := range shared {
			own.subject = s
			if more, err := c.stream(ctx, r, own, asked.source, emit); err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// unsearched says why there is nothing of an address to search for.
func unsearched(s *subject, answer lookup.Answer, pivots []shodan.Pivot) string {
	if answer.Host == nil {
		return fmt.Sprintf("%s has the status %s", s.given, answer.Status)
	}
	return fmt.Sprintf("%s has none of %s", s.given, join(pivots))
}

// askedFor is what one call of List is to find.
type askedFor struct {
	subjects []*subject
	values   []string
	pivots   []shodan.Pivot
	source   lookup.Source
}

// asked reads the quals of one call.
func (c correlation) asked(quals map[string]*proto.Quals) (askedFor, error) {
	take := func(column string) []string {
		texts, _ := textsOf(equals(quals[column]))
		return texts
	}
	asked := askedFor{pivots: c.pivots[:1]}
	if texts := take("pivot"); quals["pivot"] != nil {
		asked.pivots = nil
		for _, text := range texts {
			pivot := shodan.Pivot(text)
			if !slices.Contains(c.pivots, pivot) {
				return askedFor{}, fmt.Errorf("pivot = %q is none that %s knows: use %s", text, c.table, join(c.pivots))
			}
			asked.pivots = append(asked.pivots, pivot)
		}
	}
	if sources := take("source"); quals["source"] != nil {
		if len(sources) != 1 {
			return askedFor{}, fmt.Errorf("%s takes one source at a time: use source = 'dataset' or source = 'shodan'", c.table)
		}
		asked.source = lookup.Source(sources[0])
	}
	if quals["ip"] != nil {
		asked.subjects = subjectsOf(quals)
		// A value beside an address narrows it: PostgreSQL drops the others.
		return asked, nil
	}
	asked.values = take("value")
	for _, pivot := range asked.pivots {
		for _, value := range asked.values {
			// A search for it would be refused, at the price of a request.
			if _, isNumber := new(big.Int).SetString(value, 10); pivot.IsNumber() && !isNumber {
				return askedFor{}, fmt.Errorf("value = %q is no %s: that is a whole number, such as -1263824311", value, pivot)
			}
		}
	}
	for _, value := range take(c.alias) {
		// The rows will say AS64496, and PostgreSQL would drop them all where the query says 64496.
		if canonical := lookup.CanonicalASN(value); c.alias == "asn" && canonical != value {
			return askedFor{}, fmt.Errorf("asn = %q: write it as Shodan does, %s", value, canonical)
		}
		asked.values = append(asked.values, value)
	}
	return asked, nil
}

// shared lists the values of a host that others may share, each once, in the order of its banners.
func (c correlation) shared(host *shodan.Host, pivots []shodan.Pivot) []relatedRow {
	var rows []relatedRow
	add := func(row relatedRow) {
		known := slices.ContainsFunc(rows, func(r relatedRow) bool { return r.pivot == row.pivot && r.value == row.value })
		if row.value != "" && !known {
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
func (c correlation) stream(ctx context.Context, r *request, own relatedRow, source lookup.Source, emit func(*relatedRow) bool) (more bool, err error) {
	var except netip.Addr
	if own.subject != nil {
		except = own.subject.addr
	}
	value := own.value
	if own.pivot == shodan.ASN {
		value = lookup.CanonicalASN(value)
	}
	found, err := r.engine.Related(ctx, own.pivot, value, except, source, r.limit(r.settings.correlationLimit))
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

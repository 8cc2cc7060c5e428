package shodanrep

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// domainPages is how many pages of a domain are requested if the query names none: each costs a query credit, and a
// large domain has thousands.
const domainPages = 10

// domainStatuses are those of a row of a domain.
var domainStatuses = &statusSet{
	"The type of row: indexed (a record), not_indexed (Shodan has no such record, although one may exist), error (records are missing, see error).",
	[]lookup.Status{lookup.Indexed, lookup.NotIndexed, lookup.Failed},
}

func tableShodanDomain(context.Context) *plugin.Table {
	type row = *domainRow
	return newTable(&plugin.Table{
		Name:        "shodan_domain",
		Description: "The DNS records that Shodan has for a domain and its subdomains, one row per record. A domain without data, or with records missing, has a row without a record whose status and error say so.",
		Columns: []*plugin.Column{
			text("domain", "The domain, as written in the query. Upper case, a trailing dot and non-ASCII letters make no difference.", func(r row) any { return echoed(&r.options.given) }),
			statusColumn(domainStatuses, func(r row) any { return string(r.status) }),
			text("error", "The reason why records of the domain are missing, and what to do. Null unless status is error.", func(r row) any { return r.error }),
			text("hostname", "The full name of the record, such as www.example.com.", func(r row) any { return r.hostname }),
			text("subdomain", "The part of the name before the domain, such as www. Null for the domain itself.", record(func(d *shodan.DNSRecord) any { return string(d.Subdomain) })),
			text("type", "The type of the record: "+strings.Join(shodan.DNSTypes, ", ")+". Select one with where type = '…'.", func(r row) any { return r.kind() }),
			text("value", "The value of the record: an address, another name or a text.", record(func(d *shodan.DNSRecord) any { return string(d.Value) })),
			inet("ip", "The address in a record of type A or AAAA. Null for other types.", record(func(d *shodan.DNSRecord) any { return inetValue(d.Addr()) })),
			jsonb("ports", "The open ports of the record's address. Few responses have them.", record(func(d *shodan.DNSRecord) any { return d.Ports })),
			jsonb("tags", "The tags that Shodan assigned to the domain and to the record, such as ipv6 or spf.", func(r row) any { return r.tags }),
			timestamp("last_seen", "Time when Shodan last saw the record.", ofPart(recordOf, func(d *shodan.DNSRecord) time.Time { return d.LastSeen.Time })),
			boolean("history", "True if past records are included, with where history = true.", func(r row) any { return r.options.history }),
			integer("page", "The number of the page of Shodan's response that has the row. Each page costs a query credit. Select a single page with where page = ….", func(r row) any { return r.page }),
			boolean("more", "True if Shodan has records on further pages.", func(r row) any { return r.more }),
			timestamp("checked_at", checkedAtDescription+" Null if no request was sent.", func(r row) time.Time { return r.checkedAt }),
			text("title", "The display name of the row: the name and the type of the record.", func(r row) any { return r.title() }),
		},
	}, scan.Table{
		Keys:   plugin.KeyColumnSlice{scan.Required("domain"), scan.Optional("type"), scan.Optional("history"), scan.Optional("page")},
		Action: "domain",
		Rows:   scan.FromPages(listDomain),
	})
}

// domainOptions are the domain and the options of one list of records.
type domainOptions struct {
	given   string // the domain as the query has it
	kind    string // empty for records of all types
	history bool
	page    int // 0 for all of them
}

// A domainRow is a record of a domain, or says why the domain has none here.
type domainRow struct {
	options   domainOptions
	status    lookup.Status
	error     string
	record    *shodan.DNSRecord // nil where the row has none
	hostname  string
	tags      shodan.Texts
	page      int
	more      *bool
	checkedAt time.Time
}

// recordOf returns the record of a row, or nil.
func recordOf(r *domainRow) *shodan.DNSRecord { return r.record }

// record gets a column's value from the record, null if there is none.
func record(get func(*shodan.DNSRecord) any) func(*domainRow) any { return ofPart(recordOf, get) }

// kind is the type of the record, or the one in the query: PostgreSQL checks where type = … against the row again.
func (r *domainRow) kind() string {
	if r.record == nil {
		return r.options.kind
	}
	return string(r.record.Type)
}

func (r *domainRow) title() string {
	if r.record == nil {
		return r.options.given
	}
	return strings.TrimSpace(r.hostname + " " + string(r.record.Type))
}

// listDomain lists the records of the domains of one call.
func listDomain(ctx context.Context, c *scan.ListCall, emit func(*domainRow) bool) error {
	if err := c.Engine().CheckKey(c.TableName()); err != nil {
		return err
	}
	all, err := scan.Combine(c,
		scan.Field[domainOptions]{Column: "domain", Set: func(o *domainOptions, text string) error { o.given = text; return nil }},
		scan.Field[domainOptions]{Column: "type", Set: func(o *domainOptions, text string) error {
			if o.kind = text; !slices.Contains(shodan.DNSTypes, text) {
				return fmt.Errorf("type = %q is not a record type of %s: use %s", text, c.TableName(), strings.Join(shodan.DNSTypes, ", "))
			}
			return nil
		}},
		scan.Field[domainOptions]{Column: "history", Set: func(o *domainOptions, text string) (err error) {
			o.history, err = strconv.ParseBool(text)
			return err
		}},
		scan.Field[domainOptions]{Column: "page", Set: func(o *domainOptions, text string) (err error) {
			if o.page, err = strconv.Atoi(text); err != nil || o.page < 1 {
				return fmt.Errorf("page = %s does not exist: pages count from 1", text)
			}
			return nil
		}})
	if err != nil {
		return err
	}
	for _, options := range all {
		if c.Remaining(ctx) == 0 {
			return nil
		}
		if err := listRecords(ctx, c, options, emit); err != nil {
			return err
		}
	}
	return nil
}

// listRecords makes the rows of a domain, page by page, as long as there are more and the scan needs them.
func listRecords(ctx context.Context, c *scan.ListCall, options domainOptions, emit func(*domainRow) bool) (scanErr error) {
	row := domainRow{options: options, page: max(options.page, 1), status: lookup.Failed}
	var failure error
	fail := func(err error) {
		failure = err
		row.error = err.Error()
		emit(&row)
	}
	defer func() {
		if scanErr == nil {
			lookup.CountName(ctx, options.given, failure)
		}
	}()
	name, err := shodan.HostName(options.given)
	if err != nil {
		fail(err)
		return nil
	}
	var page *shodan.DomainPage // the one that was fetched last
	fetch := func(number int) (scan.Page[shodan.DNSRecord], error) {
		row.page = number
		reply, err := scan.Fetch(ctx, c, shodan.Domain(name, shodan.DomainOptions{History: options.history, Type: options.kind, Page: number}))
		if err != nil {
			if shodan.IsKind(err, shodan.NotFound) {
				row.checkedAt = reply.CheckedAt
			}
			return scan.Page[shodan.DNSRecord]{}, err
		}
		page = reply.Value
		return scan.Page[shodan.DNSRecord]{Items: page.Records, Last: !page.More.V || options.page > 0, CheckedAt: reply.CheckedAt}, nil
	}
	key := func(r *shodan.DNSRecord) string {
		return fmt.Sprintf("%q %q %q %v", r.Subdomain, r.Type, r.Value, r.LastSeen)
	}
	first, rows := row.page, 0
	for fresh, err := range scan.Pages(first, fetch, key) {
		switch {
		case ctx.Err() != nil, row.page == first && scan.FailsScan(ctx, err):
			return err
		case shodan.IsKind(err, shodan.NotFound) && row.page > first:
			return nil
		case shodan.IsKind(err, shodan.NotFound):
			row.status = lookup.NotIndexed
			emit(&row)
			return nil
		case err != nil:
			fail(err)
			return nil
		}
		row.more, row.checkedAt = new(page.More.V), fresh.CheckedAt
		for i := range fresh.Items {
			record := &fresh.Items[i]
			if options.kind != "" && string(record.Type) != options.kind {
				continue
			}
			rows++
			each := row
			each.status, each.record, each.hostname = lookup.Indexed, record, hostname(record, page)
			each.tags = append(slices.Clip(page.Tags), record.Tags...)
			if !emit(&each) {
				return nil
			}
		}
		switch {
		case rows == 0 && !page.More.V:
			row.status = lookup.NotIndexed
			emit(&row)
			return nil
		case rows == 0 && fresh.Last:
			fail(fmt.Errorf("page %d of the records of %s has none of those, though Shodan says that there is more: ask for page = %d", row.page, name, row.page+1))
			return nil
		case fresh.Last:
			return nil
		case len(fresh.Items) == 0:
			fail(fmt.Errorf("page %d of the records of %s has nothing new, though Shodan says that there is more: ask for a page with page = %d", row.page, name, row.page+1))
			return nil
		case row.page == domainPages:
			fail(fmt.Errorf("%s has more than the %d pages of records that are listed, since each costs a query credit: "+
				"ask for others one by one (page = %d), or for one type of record (type = 'A')", name, domainPages, row.page+1))
			return nil
		}
	}
	return nil
}

// hostname is the whole name that a record is for.
func hostname(record *shodan.DNSRecord, page *shodan.DomainPage) string {
	if record.Subdomain == "" {
		return string(page.Domain)
	}
	return string(record.Subdomain) + "." + string(page.Domain)
}

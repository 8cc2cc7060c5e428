package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// pageSize is how many services a search returns for one query credit.
	pageSize = 100
	// commonTotal is from how many services on a shared value says little, such as the autonomous system of a large
	// hosting company. Such a pivot is searched only where --pivots names it.
	commonTotal = 1000
)

// A pivotValue is one value of an address that other hosts may share.
type pivotValue struct {
	From  string       `json:"ip"` // the address that has it
	Hop   int          `json:"hop"`
	Pivot shodan.Pivot `json:"pivot"`
	Value string       `json:"value"`
	Query string       `json:"query"`
	// Total is how many services have the value: on the internet, or without an API key in the dataset.
	Total int64 `json:"total"`
	// Cost is how many query credits the search costs at most.
	Cost int64 `json:"cost"`
	// Note says what the search found, or why there was none.
	Note string `json:"note"`

	inDataset []sqlRow
}

// A relatedHost is a host that shares a value with an address. Pivot and Value are the rarest of what they share.
type relatedHost struct {
	IP           string       `json:"ip"`
	Hop          int          `json:"hop"`
	From         string       `json:"related_to"`
	Pivot        shodan.Pivot `json:"pivot"`
	Value        string       `json:"value"`
	Port         int64        `json:"port"`
	Also         []string     `json:"also"` // further pivots by which it is related
	Source       string       `json:"source"`
	Organization string       `json:"organization"`
	Status       string       `json:"status"`
	Level        string       `json:"level"`
	Score        *int64       `json:"score"`
	Policy       string       `json:"policy"`
	Error        string       `json:"error"`
}

// A relatedFinder finds related hosts, breadth first: each host once, the rarest shared values first.
type relatedFinder struct {
	db     *embedded.DB
	source string // of the searches, empty for the dataset first and then the REST API
	policy string
	hops   int
	limit  int // of hosts
	// pivots are those to use; named says that the user named them.
	pivots []shodan.Pivot
	named  bool
	// credits are how many may still be spent. allow asks whether so many may be spent, once, before the first search.
	credits int64
	allow   func(cost int64) bool
	asked   bool
	// canSearch says that there is an API key, and hasDataset that there is a dataset.
	canSearch, hasDataset bool

	hosts  []*relatedHost
	values []pivotValue
	// failures are what could not be found out.
	failures []error
	searched map[string]bool // pivot and value
	known    map[string]*relatedHost
}

// find finds the hosts related to an address, and their verdicts.
func (f *relatedFinder) find(ctx context.Context, ip string) error {
	f.searched, f.known = map[string]bool{}, map[string]*relatedHost{ip: {IP: ip}}
	frontier := []string{ip}
	for hop := 1; hop <= f.hops && len(frontier) > 0 && len(f.hosts) < f.limit; hop++ {
		values, err := f.valuesOf(ctx, frontier, hop)
		if err != nil {
			return err
		}
		before := len(f.hosts)
		for i := range values {
			if err := f.search(ctx, &values[i]); err != nil {
				if ctx.Err() != nil {
					return err
				}
				values[i].Note = "failed"
				f.failures = append(f.failures, err)
			}
		}
		f.values = append(f.values, values...)
		frontier = nil
		for _, h := range f.hosts[before:] {
			frontier = append(frontier, h.IP)
		}
	}
	return f.verdicts(ctx)
}

// valuesOf returns what addresses have that others may share, the rarest first.
func (f *relatedFinder) valuesOf(ctx context.Context, ips []string, hop int) ([]pivotValue, error) {
	var values []pivotValue
	add := func(ip string, pivot shodan.Pivot, value string) {
		key := string(pivot) + " " + value
		if value == "" || f.searched[key] || !slices.Contains(f.pivots, pivot) {
			return
		}
		f.searched[key] = true
		values = append(values, pivotValue{From: ip, Hop: hop, Pivot: pivot, Value: value, Query: lookup.Query(pivot, value)})
	}
	in := quoteAll(ips)
	fingerprints, err := queryRows(ctx, f.db, "select ip, kind, value, status, error from shodan_fingerprint where ip in ("+in+")")
	if err != nil {
		return nil, err
	}
	services, err := queryRows(ctx, f.db, "select ip, ssl_subject ->> '$.CN' as cn from shodan_service where ip in ("+in+")")
	if err != nil {
		return nil, err
	}
	hosts, err := queryRows(ctx, f.db, "select ip, org, asn from shodan_host where ip in ("+in+")")
	if err != nil {
		return nil, err
	}
	for _, ip := range ips {
		for _, r := range fingerprints {
			switch {
			case r.text("ip") != ip:
			case r.text("status") == string(lookup.Failed):
				f.failures = append(f.failures, fmt.Errorf("%s could not be looked up: %s", ip, r.text("error")))
			case r.text("status") != string(lookup.Indexed) && hop == 1:
				return nil, fmt.Errorf("%s has the status %s: nothing is known by which hosts could be related to it", ip, r.text("status"))
			default:
				add(ip, shodan.Pivot(r.text("kind")), r.text("value"))
			}
		}
		for _, r := range services {
			if r.text("ip") == ip {
				add(ip, shodan.SubjectCN, r.text("cn"))
			}
		}
		for _, r := range hosts {
			if r.text("ip") == ip {
				add(ip, shodan.Organization, r.text("org"))
				add(ip, shodan.ASN, r.text("asn"))
			}
		}
	}
	if err := f.count(ctx, values); err != nil {
		return nil, err
	}
	// Of values that are as rare, the surest relation comes first.
	sureness := func(v pivotValue) int { return slices.Index(shodan.Pivots(), v.Pivot) }
	slices.SortStableFunc(values, func(a, b pivotValue) int {
		return cmp.Or(cmp.Compare(a.Total, b.Total), cmp.Compare(sureness(a), sureness(b)))
	})
	return values, nil
}

// count counts the services that have each value, which costs no credits. The dataset is searched at the same time.
func (f *relatedFinder) count(ctx context.Context, values []pivotValue) error {
	if len(values) == 0 {
		return nil
	}
	if f.hasDataset && f.source != string(lookup.Shodan) {
		for i := range values {
			rows, err := f.sharing(ctx, values[i], lookup.Dataset)
			if err != nil {
				return err
			}
			values[i].inDataset, values[i].Total = rows, int64(len(rows))
		}
	}
	if !f.canSearch || f.source == string(lookup.Dataset) {
		return nil
	}
	queries := make([]string, len(values))
	for i := range values {
		queries[i] = values[i].Query
	}
	rows, err := queryRows(ctx, f.db, "select query, total from shodan_count where query in ("+quoteAll(queries)+")")
	if err != nil {
		return err
	}
	for i := range values {
		for _, r := range rows {
			if r.text("query") == values[i].Query {
				values[i].Total = max(values[i].Total, r.number("total"))
				values[i].Cost = (min(values[i].Total, int64(f.limit)) + pageSize - 1) / pageSize
			}
		}
	}
	return nil
}

// sharing returns the services of a source that share a value, the address itself and known ones included, in the order
// of their addresses and ports: a dataset is read in parallel, and has them in any order.
func (f *relatedFinder) sharing(ctx context.Context, v pivotValue, source lookup.Source) ([]sqlRow, error) {
	rows, err := queryRows(ctx, f.db, fmt.Sprintf("select related_ip, related_port, source, organization from %s and source = %s limit %d",
		correlationOf(v.Pivot, v.Value), quoteSQL(string(source)), f.limit+len(f.known)))
	slices.SortStableFunc(rows, func(a, b sqlRow) int {
		return cmp.Or(cmp.Compare(a.text("related_ip"), b.text("related_ip")), cmp.Compare(a.number("related_port"), b.number("related_port")))
	})
	return rows, err
}

// search adds the hosts that share a value: those of the dataset, and where it is worth its credits those of a search.
func (f *relatedFinder) search(ctx context.Context, v *pivotValue) error {
	found := f.add(*v, v.inDataset)
	v.Note = plural(int64(found), "new host")
	if !f.canSearch || f.source == string(lookup.Dataset) {
		return nil
	}
	switch {
	case len(f.hosts) == f.limit:
		v.Note, v.Cost = v.Note+"; not searched, the limit of hosts is reached", 0
		return nil
	case v.Total <= int64(max(1, len(v.inDataset))):
		v.Cost = 0
		return nil
	case v.Total > commonTotal && !f.named:
		v.Note, v.Cost = v.Note+"; not searched, too common unless --pivots names it", 0
		return nil
	case v.Cost > f.credits:
		v.Note = v.Note + "; not searched, --max-credits is reached"
		return nil
	case !f.confirm():
		v.Note = v.Note + "; not searched"
		return nil
	}
	rows, err := f.sharing(ctx, *v, lookup.Shodan)
	if err != nil {
		return err
	}
	f.credits -= v.Cost
	v.Note = plural(int64(found+f.add(*v, rows)), "new host")
	return nil
}

// add adds the hosts of rows that are not known yet, and returns how many those are.
func (f *relatedFinder) add(v pivotValue, rows []sqlRow) (added int) {
	for _, r := range rows {
		ip := r.text("related_ip")
		known := f.known[ip]
		switch {
		case ip == "" || ip == v.From:
		case known != nil:
			if v.Pivot != known.Pivot && known.From == v.From && !slices.Contains(known.Also, string(v.Pivot)) {
				known.Also = append(known.Also, string(v.Pivot))
			}
		case len(f.hosts) < f.limit:
			h := &relatedHost{
				IP: ip, Hop: v.Hop, From: v.From, Pivot: v.Pivot, Value: v.Value, Port: r.number("related_port"),
				Also: []string{}, Source: r.text("source"), Organization: r.text("organization"),
			}
			f.known[ip], f.hosts, added = h, append(f.hosts, h), added+1
		}
	}
	return added
}

// confirm asks once whether credits may be spent.
func (f *relatedFinder) confirm() bool {
	if !f.asked {
		f.asked = true
		if !f.allow(f.credits) {
			f.credits = 0
		}
	}
	return f.credits > 0
}

// correlationOf returns the table that knows who shares a value, with the condition for it.
func correlationOf(pivot shodan.Pivot, value string) string {
	switch pivot {
	case shodan.SubjectCN:
		return "shodan_ssl_correlation where pivot = 'subject_cn' and value = " + quoteSQL(value)
	case shodan.Organization:
		return "shodan_org_correlation where organization = " + quoteSQL(value)
	case shodan.ASN:
		return "shodan_asn_correlation where asn = " + quoteSQL(lookup.CanonicalASN(value))
	}
	return "shodan_fingerprint_correlation where pivot = " + quoteSQL(string(pivot)) + " and value = " + quoteSQL(value)
}

// verdicts looks the reputation of the hosts up.
func (f *relatedFinder) verdicts(ctx context.Context) error {
	if len(f.hosts) == 0 {
		return nil
	}
	ips := make([]string, len(f.hosts))
	for i := range f.hosts {
		ips[i] = f.hosts[i].IP
	}
	rows, err := queryRows(ctx, f.db, "select ip, status, level, score, policy, error from shodan_ip_reputation where policy = "+
		quoteSQL(f.policy)+" and ip in ("+quoteAll(ips)+")")
	if err != nil {
		return err
	}
	for i := range f.hosts {
		h := f.hosts[i]
		for _, r := range rows {
			if r.text("ip") != h.IP {
				continue
			}
			h.Status, h.Level, h.Policy, h.Error = r.text("status"), r.text("level"), r.text("policy"), r.text("error")
			if score, ok := r["score"].(int64); ok {
				h.Score = &score
			}
		}
	}
	return nil
}

package related

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// pageSize is how many services a search returns for one query credit.
	pageSize = 100
	// commonTotal is the number of services above which a shared value says little, such as the autonomous system of a
	// large hosting company. Such a value is only searched for if the user names its pivot.
	commonTotal = 1000
)

// A finder finds related hosts, breadth first: each host once, the rarest shared values first.
type finder struct {
	Options
	db       *embedded.DB
	result   *Result
	asked    bool            // Allow was called
	searched map[string]bool // pivot and value
	known    map[string]*Host
}

// Find finds the hosts related to an address, and their verdicts. The result is complete except for its failures.
func Find(ctx context.Context, db *embedded.DB, ip string, o Options) (*Result, error) {
	f := &finder{
		Options: o, db: db, result: &Result{IP: ip, Policy: o.Policy, Named: o.Named, Hops: o.Hops}, searched: map[string]bool{}, known: map[string]*Host{ip: {IP: ip}},
	}
	frontier := []string{ip}
	for hop := 1; hop <= f.Hops && len(frontier) > 0 && !f.isFull(); hop++ {
		values, err := f.valuesOf(ctx, frontier, hop)
		if err != nil {
			return nil, err
		}
		before := len(f.result.Hosts)
		for i := range values {
			if err := f.search(ctx, &values[i]); err != nil {
				if ctx.Err() != nil {
					return nil, err
				}
				values[i].Note = "failed"
				f.result.Failures = append(f.result.Failures, err)
			}
		}
		f.result.Values = append(f.result.Values, values...)
		frontier = nil
		for _, h := range f.result.Hosts[before:] {
			frontier = append(frontier, h.IP)
		}
	}
	return f.result, f.addVerdicts(ctx)
}

// isFull reports whether the limit of hosts is reached.
func (f *finder) isFull() bool { return len(f.result.Hosts) >= f.Limit }

// valuesOf returns the values of addresses that other hosts may share, the rarest first.
func (f *finder) valuesOf(ctx context.Context, ips []string, hop int) ([]Value, error) {
	var values []Value
	add := func(ip string, pivot shodan.Pivot, value string) {
		key := string(pivot) + " " + value
		if value == "" || f.searched[key] || !slices.Contains(f.Pivots, pivot) {
			return
		}
		f.searched[key] = true
		v := Value{From: ip, Hop: hop, Pivot: pivot, Value: value, Query: lookup.Query(pivot, value)}
		if lookup.CheckShared(pivot, value) != nil { // a host may answer anything; its other values are still searched for
			v.leaveOut("no search can have the value", false)
		}
		values = append(values, v)
	}
	where := " where ip in (" + quoteAll(ips) + ")" + f.fromSource()
	fingerprints, err := f.db.QueryAll(ctx, "select ip, kind, value, source, status, error from shodan_fingerprint"+where)
	if err != nil {
		return nil, err
	}
	if hop == 1 {
		if err := f.checkHost(fingerprints); err != nil {
			return nil, err
		}
	}
	services, err := f.db.QueryAll(ctx, "select ip, ssl_subject ->> '$.CN' as cn from shodan_service"+where)
	if err != nil {
		return nil, err
	}
	hosts, err := f.db.QueryAll(ctx, "select ip, org, asn from shodan_host"+where)
	if err != nil {
		return nil, err
	}
	for _, ip := range ips {
		for _, r := range fingerprints {
			switch {
			case r.Text("ip") != ip:
			case r.Text("status") == string(lookup.Failed):
				f.result.Failures = append(f.result.Failures, lookupError{ip, r.Text("error")})
			default:
				add(ip, shodan.Pivot(r.Text("kind")), r.Text("value"))
			}
		}
		for _, r := range services {
			if r.Text("ip") == ip {
				add(ip, shodan.SubjectCN, r.Text("cn"))
			}
		}
		for _, r := range hosts {
			if r.Text("ip") == ip {
				add(ip, shodan.Organization, r.Text("org"))
				add(ip, shodan.ASN, r.Text("asn"))
			}
		}
	}
	if err := f.count(ctx, values); err != nil {
		return nil, err
	}
	// Of equally rare values the strongest relation comes first.
	strength := func(v Value) int { return slices.Index(shodan.Pivots(), v.Pivot) }
	slices.SortStableFunc(values, func(a, b Value) int {
		return cmp.Or(cmp.Compare(a.Total, b.Total), cmp.Compare(strength(a), strength(b)))
	})
	return values, nil
}

// checkHost returns an error if the address of the user has no data, which says why. Nothing else is then looked up:
// the other tables could say something different of it, because InternetDB has hosts but no banners.
func (f *finder) checkHost(rows []embedded.Row) error {
	ip := f.result.IP
	for _, r := range rows {
		status := lookup.Status(r.Text("status"))
		switch source := lookup.Source(r.Text("source")); {
		case status == lookup.Indexed:
			return nil
		case status == lookup.Failed:
			return lookupError{ip, r.Text("error")}
		case status == lookup.NotIndexed && source == lookup.Dataset && !f.HasKey:
			return fmt.Errorf("%s has the status %s: it is not in the dataset; with an API key (api_key, or SHODAN_API_KEY) it would be looked up in Shodan", ip, status)
		case status == lookup.NotIndexed && source == lookup.Dataset && f.Source == lookup.Dataset:
			return fmt.Errorf("%s has the status %s: it is not in the dataset; without --source dataset it would be looked up in Shodan", ip, status)
		case status == lookup.NotIndexed && source == lookup.Dataset:
			return fmt.Errorf("%s has the status %s: it is not in the dataset", ip, status)
		case status == lookup.NotIndexed:
			return fmt.Errorf("%s has the status %s: Shodan has no data by which hosts could be related to it", ip, status)
		case status == lookup.Reserved:
			return fmt.Errorf("%s has the status %s: Shodan does not scan such addresses, so no host can be related to it", ip, status)
		default:
			return fmt.Errorf("%s has the status %s: there is no data by which hosts could be related to it", ip, status)
		}
	}
	return nil
}

// A lookupError is a failed lookup of an address.
type lookupError struct{ ip, reason string }

func (e lookupError) Error() string {
	return fmt.Sprintf("%s could not be looked up: %s", e.ip, e.reason)
}

// IsLookupError reports whether the address itself could not be looked up, so that there is no result.
func IsLookupError(err error) bool { return errors.As(err, &lookupError{}) }

// search adds the hosts that share a value: those of the dataset, and those of a search if it is worth its credits.
func (f *finder) search(ctx context.Context, v *Value) error {
	if v.Unsearched != "" {
		return nil
	}
	found := f.add(*v, v.inDataset)
	v.Note = display.Plural(int64(found), "new host")
	if !f.HasKey || f.Source == lookup.Dataset {
		return nil
	}
	switch {
	case f.isFull():
		v.leaveOut("the limit of hosts is reached", f.HasDataset)
		v.Cost = 0
		return nil
	case v.Total <= int64(max(1, len(v.inDataset))):
		v.Cost = 0
		return nil
	case v.Total > commonTotal && !f.Named:
		v.leaveOut("too common unless --pivots names it", f.HasDataset)
		v.Cost = 0
		return nil
	case v.Cost > f.Credits:
		v.leaveOut("--max-credits is reached", f.HasDataset)
		return nil
	case !f.maySpend():
		v.leaveOut("no credits may be spent", f.HasDataset)
		return nil
	}
	f.Credits -= v.Cost // also if it fails: its first pages may be paid for
	rows, err := f.sharing(ctx, *v, lookup.Shodan, v.Cost*pageSize)
	if err != nil {
		return err
	}
	v.Note = display.Plural(int64(found+f.add(*v, rows)), "new host")
	return nil
}

// leaveOut says why a value is not searched for. What was found of it is known only if there is a dataset.
func (v *Value) leaveOut(reason string, hasDataset bool) {
	v.Unsearched = reason
	note := "not searched, " + reason
	if hasDataset {
		note = v.Note + "; " + note
	}
	v.Note = note
}

// add adds the hosts of rows that are not known yet, and returns their number.
func (f *finder) add(v Value, rows []embedded.Row) (added int) {
	for _, r := range rows {
		ip := r.Text("related_ip")
		known := f.known[ip]
		switch {
		case ip == "" || ip == v.From:
		case known != nil:
			if v.Pivot != known.Pivot && known.From == v.From && !slices.Contains(known.Also, string(v.Pivot)) {
				known.Also = append(known.Also, string(v.Pivot))
			}
		case !f.isFull():
			h := &Host{
				IP: ip, Hop: v.Hop, From: v.From, Pivot: v.Pivot, Value: v.Value, Port: r.Int64("related_port"),
				Also: []string{}, Source: r.Text("source"), Organization: r.Text("organization"),
			}
			f.known[ip], f.result.Hosts, added = h, append(f.result.Hosts, h), added+1
		}
	}
	return added
}

// maySpend asks once whether credits may be spent.
func (f *finder) maySpend() bool {
	if !f.asked {
		f.asked = true
		if !f.Allow(f.Credits) {
			f.Credits = 0
		}
	}
	return f.Credits > 0
}

package related

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// fromSource is the condition that addresses are looked up in the source that the user named.
func (f *finder) fromSource() string {
	if f.Source == "" {
		return ""
	}
	return " and source = " + quoteSQL(string(f.Source))
}

// count counts the services that have each value, which costs no credits. The dataset is searched at the same time.
func (f *finder) count(ctx context.Context, values []Value) error {
	if len(values) == 0 {
		return nil
	}
	if f.HasDataset && f.Source != lookup.Shodan {
		for i := range values {
			if values[i].Unsearched != "" {
				continue
			}
			rows, err := f.sharing(ctx, values[i], lookup.Dataset, int64(f.Limit+len(f.known)))
			if err != nil {
				return err
			}
			values[i].inDataset, values[i].Total = rows, int64(len(rows))
		}
	}
	if !f.HasKey || f.Source == lookup.Dataset {
		return nil
	}
	var queries []string
	for i := range values {
		if values[i].Unsearched == "" {
			queries = append(queries, values[i].Query)
		}
	}
	if len(queries) == 0 {
		return nil
	}
	rows, err := f.db.QueryAll(ctx, "select query, total from shodan_count where query in ("+quoteAll(queries)+")")
	if err != nil {
		return err
	}
	for i := range values {
		for _, r := range rows {
			if r.Text("query") == values[i].Query {
				values[i].Total = max(values[i].Total, r.Int64("total"))
				values[i].Cost = (min(values[i].Total, int64(f.Limit)) + pageSize - 1) / pageSize
			}
		}
	}
	return nil
}

// sharing returns the services of a source that share a value, at most limit, including those of known hosts. They are
// sorted by address and port, because a dataset is read in parallel and in no particular order.
func (f *finder) sharing(ctx context.Context, v Value, source lookup.Source, limit int64) ([]embedded.Row, error) {
	rows, err := f.db.QueryAll(ctx, fmt.Sprintf("select related_ip, related_port, source, organization from %s and source = %s limit %d",
		correlationOf(v.Pivot, v.Value), quoteSQL(string(source)), limit))
	slices.SortStableFunc(rows, func(a, b embedded.Row) int {
		return cmp.Or(cmp.Compare(a.Text("related_ip"), b.Text("related_ip")), cmp.Compare(a.Int64("related_port"), b.Int64("related_port")))
	})
	return rows, err
}

// correlationOf returns the table of the hosts that share a value, with the condition for it.
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

// addVerdicts looks up the reputation of the hosts.
func (f *finder) addVerdicts(ctx context.Context) error {
	if len(f.result.Hosts) == 0 {
		return nil
	}
	ips := make([]string, len(f.result.Hosts))
	for i := range f.result.Hosts {
		ips[i] = f.result.Hosts[i].IP
	}
	source := ""
	if f.Source == lookup.Dataset { // else any source may have the verdict, at no cost
		source = f.fromSource()
	}
	rows, err := f.db.QueryAll(ctx, "select ip, status, level, score, policy, error from shodan_ip_reputation where policy = "+
		quoteSQL(f.Policy)+" and ip in ("+quoteAll(ips)+")"+source)
	if err != nil {
		return err
	}
	for i := range f.result.Hosts {
		h := f.result.Hosts[i]
		for _, r := range rows {
			if r.Text("ip") != h.IP {
				continue
			}
			h.Status, h.Level, h.Policy, h.Error = r.Text("status"), r.Text("level"), r.Text("policy"), r.Text("error")
			if score, ok := r["score"].(int64); ok {
				h.Score = &score
			}
		}
	}
	return nil
}

// quoteSQL returns a text as an SQL literal.
func quoteSQL(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// quoteAll returns texts as SQL literals with commas between them.
func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quoteSQL(text)
	}
	return strings.Join(quoted, ", ")
}

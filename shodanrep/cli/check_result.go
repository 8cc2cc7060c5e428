package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A check is one run of the check command, whose targets are known.
type check struct {
	*app
	flags        *checkFlags
	watch        *watch
	list         *targetList
	meter        *lookup.Progress
	policy       string
	networkLimit int
	verdicts     iter.Seq2[*scan.Verdict, error]
	cost         func() (requests, credits int64)

	began    time.Time
	counts   map[string]int // by level, and of what is unknown by status
	bySource map[lookup.Source]int
	networks int
}

// A finding is a verdict with where its address was found.
type finding struct {
	*scan.Verdict
	hits, line int64
}

// findings yields the findings that are selected, in the order of the targets, and counts all.
func (c *check) findings() iter.Seq2[finding, error] {
	return func(yield func(finding, error) bool) {
		c.began, c.counts, c.bySource = time.Now(), map[string]int{}, map[lookup.Source]int{}
		i := 0
		for v, err := range c.verdicts {
			if err != nil {
				yield(finding{}, err)
				return
			}
			e := c.list.entries[i]
			i++
			c.count(v)
			if c.flags.selects(v) && !yield(finding{v, e.hits, e.line}, nil) {
				return
			}
		}
	}
}

func (c *check) count(v *scan.Verdict) {
	c.watch.see(string(v.Level()), string(v.Status()))
	if v.Level() != reputation.Unknown {
		c.counts[string(v.Level())]++
	} else {
		c.counts[string(v.Status())]++
	}
	if source := v.Answer().Source; source != "" {
		c.bySource[source]++
	}
	if v.IsNetwork() {
		c.networks++
	}
}

// sorted returns the findings, the worst first, and of the same score in the order of the targets. What is unknown comes
// last: what could not be checked before the rest.
func sorted(findings iter.Seq2[finding, error]) ([]finding, error) {
	var list []finding
	for f, err := range findings {
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	rank := func(f finding) int {
		if r := f.Score(); r != nil {
			return r.Score
		}
		switch {
		case f.Status() == lookup.Failed:
			return -1
		case f.IsNetwork():
			return -2
		case f.Status() == lookup.NotIndexed:
			return -3
		}
		return -4
	}
	slices.SortStableFunc(list, func(a, b finding) int { return cmp.Compare(rank(b), rank(a)) })
	return list, nil
}

// reasons says in words why an address has its level, the weightiest reason first.
func (c *check) reasons(f finding) []string {
	r := f.Score()
	switch {
	case f.IsNetwork():
		return []string{c.networkReason(f)}
	case f.Status() == lookup.Failed:
		return []string{"not checked: " + f.Answer().Error}
	case f.Status() == lookup.Reserved:
		return []string{"not on the internet: a private, local or reserved address"}
	case r == nil:
		return []string{fmt.Sprintf("not indexed: %s knows nothing of it", sourceName(f.Answer().Source))}
	}
	factors := slices.Clone(r.Factors)
	slices.SortStableFunc(factors, func(a, b reputation.Factor) int { return cmp.Compare(b.Points, a.Points) })
	reasons := []string{}
	if r.Score == 0 && !slices.ContainsFunc(factors, func(f reputation.Factor) bool { return f.Points != 0 }) {
		reasons = append(reasons, "nothing found against it")
	}
	for _, factor := range factors {
		reasons = append(reasons, factor.Detail)
	}
	return reasons
}

// networkReason says what to do with a network.
func (c *check) networkReason(f finding) string {
	p := mustPrefix(f.IP())
	size, ok := networkSize(p)
	switch {
	case !ok:
		return fmt.Sprintf("not checked: a network of 2^%d addresses; name smaller networks or addresses", p.Addr().BitLen()-p.Bits())
	case size > int64(c.networkLimit):
		return fmt.Sprintf("not checked: a network of %s addresses, more than network_limit (%s): raise that argument of the connection, or name smaller networks",
			humanize.Comma(size), humanize.Comma(int64(c.networkLimit)))
	}
	return fmt.Sprintf("not checked: a network of %s addresses; --expand checks each", humanize.Comma(size))
}

func sourceName(source lookup.Source) string {
	switch source {
	case lookup.InternetDB:
		return "InternetDB"
	case lookup.Shodan:
		return "Shodan"
	case lookup.Dataset:
		return "the dataset"
	}
	return "Shodan"
}

// findingRows are findings as rows, with all columns.
type findingRows struct {
	check   *check
	columns []shodanrep.VerdictColumn
	names   []embedded.Column
	next    func() (finding, error, bool)
	values  []any
	err     error
}

// rows makes rows of findings. The caller must call stop.
func (c *check) rows(findings iter.Seq2[finding, error]) (rows *findingRows, stop func()) {
	r := &findingRows{check: c, columns: shodanrep.VerdictColumns()}
	for _, column := range r.columns {
		r.names = append(r.names, embedded.Column{Name: column.Name, Type: column.Type})
	}
	r.names = append(r.names, embedded.Column{Name: "hits", Type: "int8"}, embedded.Column{Name: "first_line", Type: "int8"}, embedded.Column{Name: "reasons", Type: "jsonb"})
	r.values = make([]any, len(r.names))
	r.next, stop = iter.Pull2(findings)
	return r, stop
}

func (r *findingRows) Columns() []embedded.Column { return r.names }
func (r *findingRows) Values() []any              { return r.values }
func (r *findingRows) Err() error                 { return r.err }

func (r *findingRows) Next() bool {
	f, err, ok := r.next()
	if !ok || err != nil {
		r.err = err
		return false
	}
	n := len(r.columns)
	for i, column := range r.columns {
		r.values[i] = rowValue(column, f.Verdict)
	}
	r.values[n], r.values[n+1] = f.hits, nil
	if f.line > 0 {
		r.values[n+1] = f.line
	}
	r.values[n+2] = rawJSON(r.check.reasons(f))
	return true
}

// rowValue returns a value in the form that rows of a statement have.
func rowValue(column shodanrep.VerdictColumn, v *scan.Verdict) any {
	value := column.Value(v)
	switch value := value.(type) {
	case time.Time:
		return value.Format(time.RFC3339)
	case nil, string, bool, int64, float64:
		if column.Type != "jsonb" {
			return value
		}
	}
	if value == nil {
		return nil
	}
	return rawJSON(value)
}

// rawJSON encodes a value of a column, of which none fails.
func rawJSON(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("null")
	}
	return text
}

package policyfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A confidenceBlock says how sure scores are.
type confidenceBlock struct {
	Sources    map[string]float64 `hcl:"sources,optional"`
	Unverified *float64           `hcl:"unverified,optional"`
	Honeypot   *float64           `hcl:"honeypot,optional"`
	UnknownAge *float64           `hcl:"unknown_age,optional"`
	Ages       []*ageBlock        `hcl:"older_than,block"`
	Body       hcl.Body           `hcl:",body"`
}

// An ageBlock lowers the confidence for hosts that were last seen more days ago.
type ageBlock struct {
	Days  string   `hcl:"days,label"`
	Times float64  `hcl:"times"`
	Body  hcl.Body `hcl:",body"`
}

// sourceNames are the sources of responses.
var sourceNames = []string{"dataset", "shodan", "internetdb"}

// confidence makes the confidence, and reports all that is wrong with it.
func (b *confidenceBlock) confidence(r *report) *reputation.Confidence {
	c := &reputation.Confidence{Sources: map[string]float64{}, Unverified: 1, Honeypot: 1, UnknownAge: 1}
	for _, factor := range []struct {
		name  string
		value *float64
		field *float64
	}{{"unverified", b.Unverified, &c.Unverified}, {"honeypot", b.Honeypot, &c.Honeypot}, {"unknown_age", b.UnknownAge, &c.UnknownAge}} {
		r.fraction(b.Body, factor.name, factor.value, 1)
		if factor.value != nil {
			*factor.field = *factor.value
		}
	}
	for _, source := range slices.Sorted(maps.Keys(b.Sources)) {
		if !slices.Contains(sourceNames, source) {
			r.wrongArgument(b.Body, "sources", ": there is no source %q: use %s", source, strings.Join(sourceNames, ", "))
		}
		r.fraction(b.Body, "sources", new(b.Sources[source]), 1)
		c.Sources[source] = b.Sources[source]
	}
	for _, age := range b.Ages {
		age.addTo(r, c)
	}
	slices.SortFunc(c.Ages, func(a, b reputation.Age) int { return b.OverDays - a.OverDays })
	for i := range max(0, len(c.Ages)-1) {
		if older, newer := c.Ages[i], c.Ages[i+1]; older.Times > newer.Times {
			r.wrong(b.Body.MissingItemRange(), "data older than %d days counts %g times and than %d days %g times: older data must not raise the confidence",
				older.OverDays, older.Times, newer.OverDays, newer.Times)
		}
	}
	return c
}

// addTo adds the age to a confidence.
func (b *ageBlock) addTo(r *report, c *reputation.Confidence) {
	days, ok := number(b.Days)
	if !ok {
		r.wrong(b.Body.MissingItemRange(), `older_than %q: use a whole number of days, such as older_than "90" { times = 0.7 }`, b.Days)
	} else if slices.ContainsFunc(c.Ages, func(a reputation.Age) bool { return a.OverDays == days }) {
		r.wrong(b.Body.MissingItemRange(), `there is an older_than "%d" already`, days)
	}
	r.fraction(b.Body, "times", &b.Times, 1)
	c.Ages = append(c.Ages, reputation.Age{OverDays: days, Times: b.Times})
}

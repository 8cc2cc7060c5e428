package report

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// maxPeriods is how many columns the chart of changes has.
const maxPeriods = 12

const day = 24 * time.Hour

// The kinds of a check that found a change, the worst first.
const (
	becameWorse = iota
	becameBetter
	otherChange
	changeKinds
)

// A changeKey identifies the check that found an address changed. It may have found several changes.
type changeKey struct {
	addr   netip.Addr
	source string
	at     time.Time
}

// changes returns the chart of the changes over time. It has no columns if the history has no changes, and a problem if
// the history cannot be read.
func (w *htmlWriter) changes() (chart htmlHistogram, problem string) {
	if w.options.Changes == nil {
		return chart, ""
	}
	var addresses []netip.Addr
	for _, r := range w.results {
		if r.addr.IsValid() {
			addresses = append(addresses, r.addr)
		}
	}
	if len(addresses) == 0 { // the reader would list the whole history
		return chart, ""
	}
	kinds := map[changeKey]int{}
	for change, err := range w.options.Changes(addresses) {
		if err != nil {
			return chart, "The history cannot be read: " + shortened(err.Error(), 300)
		}
		if change.Before == nil { // what is new in the history need not be new
			continue
		}
		at := changeKey{change.Addr, string(change.Answer().Source), change.First}
		kind, known := kinds[at]
		if !known || changeKind(change) < kind {
			kinds[at] = changeKind(change)
		}
	}
	return changesOverTime(kinds, w.options.Now), ""
}

func changeKind(change *scan.Change) int {
	switch {
	case change.IsWorse():
		return becameWorse
	case change.IsBetter():
		return becameBetter
	}
	return otherChange
}

// changesOverTime counts changes by periods of whole days up to now.
func changesOverTime(kinds map[changeKey]int, now time.Time) htmlHistogram {
	if len(kinds) == 0 {
		return htmlHistogram{}
	}
	end := now.UTC().Truncate(day).Add(day)
	first := end
	for at := range kinds {
		if at.at.Before(first) {
			first = at.at
		}
	}
	days := int((end.Sub(first) + day - 1) / day)
	period := time.Duration(max(1, (days+maxPeriods-1)/maxPeriods)) * day
	begin := end.Add(-maxPeriods * period)
	counts := make([][changeKinds]int, maxPeriods)
	for at, kind := range kinds {
		i := min(max(0, int(at.at.Sub(begin)/period)), maxPeriods-1) // a clock may be wrong
		counts[i][kind]++
	}
	var columns []htmlColumn
	for i, n := range counts {
		at := begin.Add(time.Duration(i) * period)
		c := htmlColumn{Label: at.Format(time.DateOnly), counts: []htmlCount{
			{"critical", "worse", n[becameWorse]}, {"low", "better", n[becameBetter]}, {"unknown", "other", n[otherChange]},
		}}
		if i%2 == 1 { // there is room for every other label
			c.Axis = at.Format("01-02")
		}
		columns = append(columns, c)
	}
	chart := newColumns(columns, "")
	if chart.Note = "Each column is a day."; period > day {
		chart.Note = fmt.Sprintf("Each column is %s.", display.Plural(int64(period/day), "day"))
	}
	return chart
}

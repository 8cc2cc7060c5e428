package scan

import (
	"fmt"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// A Bound is a condition on a time other than by equality.
type Bound struct {
	operator string // >=, >, <= or <
	at       time.Time
}

// Since is the bounds of what happened at a time or later.
func Since(at time.Time) []Bound { return []Bound{{">=", at.Truncate(time.Second)}} }

var (
	// unknownTime is the time that Steampipe's foreign data wrapper passes instead of one that is known only when the
	// query runs, and instead of '-infinity': PostgreSQL's zero.
	unknownTime = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	// infinity is the time that it passes instead of 'infinity'.
	infinity = unknownTime.Add(-time.Microsecond)
	// oldest is before anything that a service knows: the oldest CVE is of October 1988. newest is after it.
	oldest = time.Date(1988, 1, 1, 0, 0, 0, 0, time.UTC)
	newest = time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)
)

// boundsOf returns the conditions on a key column of type timestamp. Where a time may stand for another one, the bound is
// left out or widened, because PostgreSQL checks the rows again. The foreign data wrapper computes times with too few
// bits: '9999-12-31' arrives as a time of 1816, 'infinity' as one of 1999, and '1601-01-01' as one of 2185.
func boundsOf(d *plugin.QueryData, column string) ([]Bound, error) {
	for _, qual := range d.QueryContext.UnsafeQuals[column].GetQuals() {
		// The SDK makes conditions that must all be true of a list, whether any or all are meant.
		if qual.GetValue().GetListValue() != nil && slices.Contains([]string{">=", ">", "<=", "<"}, qual.GetStringValue()) {
			return nil, fmt.Errorf("%s: %s is compared with a list of times, and Steampipe does not say whether any or all are meant: write one time, such as that of least(…) or greatest(…)", d.Table.Name, column)
		}
	}
	quals := d.Quals[column]
	if quals == nil {
		return nil, nil
	}
	var list []Bound
	for _, qual := range quals.Quals {
		text, ok := textOf(qual.Value)
		at, err := time.Parse(time.RFC3339Nano, text)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s: %s is compared with a value that is only known when the query runs: write the moment out ('2026-01-01'), or count back from now()", d.Table.Name, column)
		}
		isUpper := qual.Operator[0] == '<'
		unknown := at.Equal(unknownTime) && d.QueryContext.Limit == nil // with a LIMIT it is known, see DropLimit
		switch {
		case unknown && !isUpper:
			list = append(list, Bound{qual.Operator, oldest}) // and none would say that the query has no condition
		case isUpper && (unknown || at.Equal(infinity) || at.Before(oldest)), !isUpper && at.After(newest):
		default:
			list = append(list, Bound{qual.Operator, at})
		}
	}
	return list, nil
}

// Within reports whether a time satisfies all bounds. The zero time satisfies none.
func Within(at time.Time, bounds []Bound) bool {
	for _, b := range bounds {
		order := at.Compare(b.at)
		ok := map[string]bool{">=": order >= 0, ">": order > 0, "<=": order <= 0, "<": order < 0}[b.operator]
		if at.IsZero() || !ok {
			return false
		}
	}
	return true
}

// Span returns the whole seconds that all times within the bounds lie between, for services that know no finer time
// and no open end; zero if there is no such bound.
func Span(bounds []Bound) (start, end time.Time) {
	for _, b := range bounds {
		second := b.at.Truncate(time.Second)
		if b.operator[0] == '>' {
			if start.IsZero() || second.After(start) {
				start = second
			}
			continue
		}
		if second.Before(b.at) {
			second = second.Add(time.Second)
		}
		if end.IsZero() || second.Before(end) {
			end = second
		}
	}
	return start, end
}

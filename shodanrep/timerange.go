package shodanrep

import (
	"fmt"
	"time"
)

// A bound is a condition on a moment other than by equality.
type bound struct {
	operator string // >=, >, <= or <
	at       time.Time
}

// bounds returns the conditions on a key column that is a moment.
func (r *request) bounds(column string) ([]bound, error) {
	quals := r.d.Quals[column]
	if quals == nil {
		return nil, nil
	}
	var list []bound
	for _, qual := range quals.Quals {
		text, ok := textOf(qual.Value)
		at, err := time.Parse(time.RFC3339Nano, text)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s: %s is compared with a value that is only known when the query runs: write the moment out ('2026-01-01'), or count back from now()", r.d.Table.Name, column)
		}
		list = append(list, bound{qual.Operator, at})
	}
	return list, nil
}

// within reports whether a moment satisfies all bounds. One that is not known satisfies none.
func within(at time.Time, bounds []bound) bool {
	for _, b := range bounds {
		order := at.Compare(b.at)
		ok := map[string]bool{">=": order >= 0, ">": order > 0, "<=": order <= 0, "<": order < 0}[b.operator]
		if at.IsZero() || !ok {
			return false
		}
	}
	return true
}

// span returns the whole seconds that all moments within the bounds lie between, for services that know no finer time
// and no open end; zero where there is no such bound.
func span(bounds []bound) (start, end time.Time) {
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

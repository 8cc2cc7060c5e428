//go:build unix

package main

import (
	"cmp"
	"slices"
)

// turns is how often a program and the one that it is compared with are measured, in turn: on a shared machine a run can
// take a third longer than the next.
const turns = 3

// inTurn measures two programs in turn, and returns the result of each with the median of the times.
func inTurn(own, other func() (result, error)) (ownMedian, otherMedian result, err error) {
	var owns, others []result
	for range turns {
		r, err := own()
		if err != nil {
			return ownMedian, otherMedian, err
		}
		o, err := other()
		if err != nil {
			return ownMedian, otherMedian, err
		}
		owns, others = append(owns, r), append(others, o)
	}
	return median(owns), median(others), nil
}

// median returns the result with the median of the times.
func median(results []result) result {
	slices.SortFunc(results, func(a, b result) int { return cmp.Compare(a.wall, b.wall) })
	return results[len(results)/2]
}

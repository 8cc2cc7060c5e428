//go:build unix

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// maxGrowth is how much more memory the last third of the runs may take than the first. It leaves room for the noise
// of a busy machine; a leak over minutes is a multiple.
const maxGrowth = 1.3

// maxMessages is how many problems are printed of each kind.
const maxMessages = 10

// A report counts what happened. Its methods may be called from several goroutines.
type report struct {
	mu                                                sync.Mutex
	complete, killed, interrupted, inProcess, redisUp int
	rows, errorRows                                   int
	problems                                          []string
	peaks                                             []int64 // bytes of memory, of each complete run of the binary
	heaps                                             []int64 // bytes in use after a garbage collection, in process
	goroutines                                        []int64
}

func (r *report) add(change func(*report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *report) problem(format string, args ...any) {
	r.add(func(r *report) { r.problems = append(r.problems, fmt.Sprintf(format, args...)) })
}

// growth returns the median of the last third of a series over that of the first.
func growth(series []int64) float64 {
	third := len(series) / 3
	if third == 0 {
		return 1
	}
	return float64(median(series[len(series)-third:])) / float64(median(series[:third]))
}

func median(values []int64) int64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// print writes the report, and returns the number of problems.
func (r *report) print(out io.Writer) int {
	for _, series := range []struct {
		name   string
		values []int64
	}{
		{"the memory of a process", r.peaks}, {"the heap of one process over many queries", r.heaps}, {"its goroutines", r.goroutines},
	} {
		g := growth(series.values)
		fmt.Fprintf(out, "growth of %s: %.2f x over %d measurements\n", series.name, g, len(series.values))
		if g > maxGrowth {
			r.problem("%s grew %.2f x", series.name, g)
		}
	}
	fmt.Fprintf(out, "runs: %d complete, %d killed, %d interrupted, %d in process; Redis started %d times\n",
		r.complete, r.killed, r.interrupted, r.inProcess, r.redisUp)
	fmt.Fprintf(out, "rows: %d, of them %d with an error\n", r.rows, r.errorRows)
	if r.complete == 0 || r.inProcess == 0 || r.rows == r.errorRows {
		r.problem("no run was complete, or all rows are errors: nothing was tested")
	}
	byKind := map[string]int{}
	for _, p := range r.problems {
		kind, _, _ := strings.Cut(p, ":")
		if byKind[kind]++; byKind[kind] <= maxMessages {
			fmt.Fprintln(out, "PROBLEM", p)
		}
	}
	fmt.Fprintf(out, "%d problems\n", cmp.Or(len(r.problems), 0))
	return len(r.problems)
}

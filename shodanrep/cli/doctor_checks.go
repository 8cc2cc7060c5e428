package cli

import (
	"fmt"
	"sync"
)

// A checkLine is the result of a check of doctor.
type checkLine struct {
	result, name, detail string
}

// A lineFunc reports the result of a check.
type lineFunc func(result, name, format string, args ...any)

// A checkFunc is a part of what doctor checks. It reports its results in the order of their lines.
type checkFunc func(line lineFunc)

// maxCheckLines is how many lines a check may report before those of the checks before it are printed. None has as many.
const maxCheckLines = 16

// inParallel makes checks in parallel. It prints their lines in the order of the checks: each as soon as it is known, and
// all before it are printed.
func inParallel(checks []checkFunc, print func(checkLine)) {
	var running sync.WaitGroup
	defer running.Wait()
	results := make([]chan checkLine, len(checks))
	for i, check := range checks {
		results[i] = make(chan checkLine, maxCheckLines)
		running.Go(func() {
			defer close(results[i])
			check(func(result, name, format string, args ...any) {
				results[i] <- checkLine{result, name, fmt.Sprintf(format, args...)}
			})
		})
	}
	for _, lines := range results {
		for line := range lines {
			print(line)
		}
	}
}

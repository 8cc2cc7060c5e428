package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// results are the rows of a statement, as they are printed.
type results interface {
	Columns() []embedded.Column
	Next() bool
	Values() []any
	Err() error
}

// The columns that --fail-on looks at.
const (
	levelColumn  = "level"
	statusColumn = "status"
)

// A watch counts the rows that --fail-on selects, of all statements, on their way to standard output.
type watch struct {
	// fail selects the rows to fail on; it is empty without --fail-on.
	fail selector
	// hasLevel and hasStatus say that a result has had such a column.
	hasLevel, hasStatus bool
	// found counts the rows with each of the selector's values.
	found map[string]int
}

// newWatch makes a watch of the words of --fail-on, if the flag was given.
func newWatch(given bool, words []string) (*watch, error) {
	if !given {
		return &watch{}, nil
	}
	fail, err := newThreshold("fail-on", words)
	return &watch{fail: fail}, err
}

// on reports whether --fail-on was given.
func (w *watch) on() bool { return len(w.fail.values) > 0 }

// see counts a row, once at most. A column that the row lacks is empty.
func (w *watch) see(level, status string) bool {
	value, ok := w.fail.match(level, status)
	if ok {
		if w.found == nil {
			w.found = map[string]int{}
		}
		w.found[value]++
	}
	return ok
}

// rows returns rows that are watched.
func (w *watch) rows(rows results) results {
	if !w.on() {
		return rows
	}
	watched := watchedRows{results: rows, watch: w}
	for i, c := range rows.Columns() {
		switch {
		case strings.EqualFold(c.Name, levelColumn):
			watched.levels = append(watched.levels, i)
			w.hasLevel = true
		case strings.EqualFold(c.Name, statusColumn):
			watched.statuses = append(watched.statuses, i)
			w.hasStatus = true
		}
	}
	return watched
}

// watchedRows are rows that are counted. A join can have several columns of one name.
type watchedRows struct {
	results
	watch            *watch
	levels, statuses []int
}

func (r watchedRows) Next() bool {
	if !r.results.Next() {
		return false
	}
	values := r.Values()
	for _, i := range r.levels {
		if level, ok := values[i].(string); ok && r.watch.see(level, "") {
			return true
		}
	}
	for _, i := range r.statuses {
		if status, ok := values[i].(string); ok && r.watch.see("", status) {
			return true
		}
	}
	return true
}

// statusFound is the error of a command that did all it was to do, and has rows that it is to fail on.
type statusFound struct{ message string }

func (s statusFound) Error() string { return s.message }

// outcome returns the error of a command whose statements have ended with err. What is not seen is not clean: rows that
// nobody read are an error as well.
func (w *watch) outcome(err error) error {
	if !w.on() {
		return failed(err)
	}
	switch {
	case err != nil && !isBrokenPipe(err):
		return failed(err)
	case len(w.found) > 0:
		return statusFound{"rows to fail on: " + w.counts()}
	case err != nil:
		return failure{errors.New("standard output was closed before all rows were looked at for --fail-on")}
	}
	return w.columnsMissing()
}

// counts says how many rows were found with each level and status.
func (w *watch) counts() string {
	var counts []string
	for _, value := range w.fail.values {
		column := statusColumn
		if isLevel(value) {
			column = levelColumn
		}
		if n := w.found[value]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d with the %s %s", n, column, value))
		}
	}
	return strings.Join(counts, ", ")
}

// columnsMissing returns an error where no result had a column that the selector is about: such a check never fails.
func (w *watch) columnsMissing() error {
	noLevel, noStatus := w.fail.needsLevel() && !w.hasLevel, w.fail.needsStatus() && !w.hasStatus
	switch {
	case !w.hasLevel && !w.hasStatus:
		return fmt.Errorf("--fail-on looks at the columns %s and %s, and no result has either: select the one that it is about", levelColumn, statusColumn)
	case noLevel:
		return fmt.Errorf("--fail-on %s looks at the column %s, and no result has one: select it as well", w.fail.first(isLevel), levelColumn)
	case noStatus:
		return fmt.Errorf("--fail-on %s looks at the column %s, and no result has one: select it as well", w.fail.first(isStatus), statusColumn)
	}
	return nil
}

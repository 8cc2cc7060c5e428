package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
)

// The columns that --fail-on looks at.
const (
	levelColumn  = "level"
	statusColumn = "status"
)

// A failOn counts the rows that --fail-on selects, of all statements.
type failOn struct {
	// selector selects the rows; it is empty without --fail-on.
	selector selector
	// hasLevel and hasStatus say that a result had such a column.
	hasLevel, hasStatus bool
	// found counts the selected rows by level or status.
	found map[string]int
}

// newFailOn returns the failOn of the words of --fail-on, if the flag was given.
func newFailOn(given bool, words []string, known vocabulary) (*failOn, error) {
	if !given {
		return &failOn{}, nil
	}
	s, err := newThreshold("fail-on", words, known)
	return &failOn{selector: s}, err
}

// newVerdictFailOn is newFailOn for a command whose results are verdicts: they have a level and a status.
func newVerdictFailOn(given bool, words []string) (*failOn, error) {
	f, err := newFailOn(given, words, verdictWords)
	f.hasLevel, f.hasStatus = true, true
	return f, err
}

// isSet reports whether --fail-on was given.
func (f *failOn) isSet() bool { return len(f.selector.values) > 0 }

// count counts a row if it is selected, and reports whether it is. A missing column is empty.
func (f *failOn) count(level, status string) bool { return f.countSeveral(level, status, 1) }

// countSeveral is count for several rows that have the same level and status.
func (f *failOn) countSeveral(level, status string, n int) bool {
	value, ok := f.selector.match(level, status)
	if ok {
		if f.found == nil {
			f.found = map[string]int{}
		}
		f.found[value] += n
	}
	return ok
}

// rows returns rows that are counted when they are read.
func (f *failOn) rows(rows rowformat.Rows) rowformat.Rows {
	if !f.isSet() {
		return rows
	}
	counted := countedRows{Rows: rows, failOn: f}
	for i, c := range rows.Columns() {
		switch {
		case strings.EqualFold(c.Name, levelColumn):
			counted.levels = append(counted.levels, i)
			f.hasLevel = true
		case strings.EqualFold(c.Name, statusColumn):
			counted.statuses = append(counted.statuses, i)
			f.hasStatus = true
		}
	}
	return counted
}

// countedRows are rows that a failOn counts. A join can have several columns of one name.
type countedRows struct {
	rowformat.Rows
	failOn           *failOn
	levels, statuses []int
}

func (r countedRows) Next() bool {
	if !r.Rows.Next() {
		return false
	}
	values := r.Values()
	for _, i := range r.levels {
		if level, ok := values[i].(string); ok && r.failOn.count(level, "") {
			return true
		}
	}
	for _, i := range r.statuses {
		if status, ok := values[i].(string); ok && r.failOn.count("", status) {
			return true
		}
	}
	return true
}

// outcome returns the error of a command that ended with err. Rows that were not read, because standard output was
// closed, are a failure: they could be rows to fail on.
func (f *failOn) outcome(err error) error {
	isUnchecked := errors.Is(err, errUnchecked)
	switch {
	case isUnchecked && !f.isSet(): // the results say it
		return nil
	case !f.isSet(), err != nil && !isUnchecked && !stdio.IsBrokenPipe(err):
		return failed(err)
	case len(f.found) > 0:
		return foundError{"rows to fail on: " + f.counts()}
	case isUnchecked:
		return failed(err)
	case err != nil:
		return failure{errors.New("standard output was closed before all rows were read, which --fail-on needs")}
	}
	return f.columnsMissing()
}

// counts lists how many rows were found with each level and status.
func (f *failOn) counts() string {
	var counts []string
	for _, value := range f.selector.values {
		column := statusColumn
		if isLevel(value) {
			column = levelColumn
		}
		if n := f.found[value]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d with the %s %s", n, column, value))
		}
	}
	return strings.Join(counts, ", ")
}

// checkColumns returns an error if none of the columns is one that --fail-on looks at. It is for a command that knows
// the columns of its results before it looks anything up. One of the columns can be enough: a query may return a level
// in a column status.
func (f *failOn) checkColumns(columns []string) error {
	isWatched := func(column string) bool {
		return strings.EqualFold(column, levelColumn) || strings.EqualFold(column, statusColumn)
	}
	if !f.isSet() || slices.ContainsFunc(columns, isWatched) {
		return nil
	}
	return usageError{f.columnsMissing()}
}

// columnsMissing returns an error if no result had a column that --fail-on needs: it could then never fail.
func (f *failOn) columnsMissing() error {
	noLevel, noStatus := f.selector.needsLevel() && !f.hasLevel, f.selector.needsStatus() && !f.hasStatus
	const advice = "--fail-on %s looks at the column %s, and no result has one: select it as well"
	switch {
	case !f.hasLevel && !f.hasStatus:
		return fmt.Errorf("--fail-on looks at the columns %s and %s, and no result has either: select the one that it is about", levelColumn, statusColumn)
	case noLevel:
		return fmt.Errorf(advice, f.selector.first(isLevel), levelColumn)
	case noStatus:
		return fmt.Errorf(advice, f.selector.first(isStatus), statusColumn)
	}
	return nil
}

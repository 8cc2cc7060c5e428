package cli

import (
	"errors"
	"fmt"
	"slices"
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

// A watch looks at the rows of all statements, on their way to standard output, for statuses to fail on.
type watch struct {
	statuses []string
	// column says that a result has had a column status, and found counts the rows with each of the statuses.
	column bool
	found  map[string]int
}

// statusColumn is the column that --fail-on looks at.
const statusColumn = "status"

// rows returns rows that are watched.
func (w *watch) rows(rows results) results {
	var columns []int
	for i, c := range rows.Columns() {
		if strings.EqualFold(c.Name, statusColumn) {
			columns = append(columns, i)
		}
	}
	if len(w.statuses) == 0 || len(columns) == 0 {
		return rows
	}
	w.column = true
	return watchedRows{rows, w, columns}
}

// watchedRows are rows whose statuses are counted.
type watchedRows struct {
	results
	watch   *watch
	columns []int
}

func (r watchedRows) Next() bool {
	if !r.results.Next() {
		return false
	}
	values := r.Values()
	for _, i := range r.columns {
		if status, ok := values[i].(string); ok && slices.Contains(r.watch.statuses, status) {
			if r.watch.found == nil {
				r.watch.found = map[string]int{}
			}
			r.watch.found[status]++
			break // a row counts once
		}
	}
	return true
}

// statusFound is the error of a query that did all it was to do, and has rows that the command is to fail on.
type statusFound struct{ message string }

func (s statusFound) Error() string { return s.message }

// outcome returns the error of a command whose statements have ended with err. What is not seen is not clean: rows that
// nobody read are an error as well.
func (w *watch) outcome(err error) error {
	if len(w.statuses) == 0 {
		return failed(err)
	}
	switch {
	case err != nil && !isBrokenPipe(err):
		return failed(err)
	case len(w.found) > 0:
		var counts []string
		for _, status := range w.statuses {
			if n := w.found[status]; n > 0 {
				counts = append(counts, fmt.Sprintf("%d with the status %s", n, status))
			}
		}
		return statusFound{"rows to fail on: " + strings.Join(counts, ", ")}
	case err != nil:
		return failure{errors.New("standard output was closed before all rows were looked at for --fail-on")}
	case !w.column:
		return fmt.Errorf("--fail-on looks at a column %s, and no result has one", statusColumn)
	}
	return nil
}

// checkStatuses refuses what --fail-on can never find.
func checkStatuses(given bool, statuses []string) error {
	if given && (len(statuses) == 0 || slices.Contains(statuses, "")) {
		return errors.New("--fail-on must be a status, such as alarm, or several with commas between them")
	}
	return nil
}

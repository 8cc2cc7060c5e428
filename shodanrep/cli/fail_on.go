package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
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
	// anyStatus says that a column status can have any value, and otherwise statuses are the values it can have.
	anyStatus bool
	statuses  map[string]bool
	// found counts the selected rows by level or status.
	found map[string]int
}

// newFailOn returns the failOn of the words of --fail-on, if the flag was given.
func newFailOn(given bool, words []string, known vocabulary) (*failOn, error) {
	if !given {
		return &failOn{}, nil
	}
	s, err := newThreshold("fail-on", words, known)
	for _, value := range s.values {
		if same := equivalent(value); known.has(same) && !slices.Contains(s.values, same) {
			s.values = append(s.values, same)
		}
	}
	return &failOn{selector: s}, err
}

// equivalent returns the status that a status also stands for: the tables that read the history have no failed lookups,
// and the others no address that was never looked up. Both were not checked.
func equivalent(status string) string {
	switch status {
	case string(lookup.Failed):
		return string(scan.NotChecked)
	case string(scan.NotChecked):
		return string(lookup.Failed)
	}
	return status
}

// newVerdictFailOn is newFailOn for a command whose results are verdicts: they have a level and a status.
func newVerdictFailOn(given bool, words []string) (*failOn, error) {
	f, err := newFailOn(given, words, verdictWords)
	f.hasLevel, f.hasStatus, f.anyStatus = true, true, true
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

// rows returns rows that are counted when they are read. statuses are the values that each of their columns can have if
// it is the column status of a table, and nil for another column.
func (f *failOn) rows(rows rowformat.Rows, statuses [][]string) rowformat.Rows {
	if !f.isSet() {
		return rows
	}
	counted := countedRows{Rows: rows, failOn: f}
	if f.statuses == nil {
		f.statuses = map[string]bool{}
	}
	for i, c := range rows.Columns() {
		switch {
		case strings.EqualFold(c.Name, levelColumn):
			counted.levels = append(counted.levels, i)
			f.hasLevel = true
		case strings.EqualFold(c.Name, statusColumn):
			counted.statuses = append(counted.statuses, i)
			f.hasStatus = true
			f.anyStatus = f.anyStatus || statuses[i] == nil
			for _, status := range statuses[i] {
				f.statuses[status] = true
			}
		}
	}
	return counted
}

// compoundOperator matches the operators that combine selects. SQLite then names the column of only one of them as the
// origin. A view of the query may have them too.
var compoundOperator = regexp.MustCompile(`(?i)\b(union|intersect|except)\b`)

// statusesOf returns the values that columns of a result of a query can have, see [failOn.rows].
func statusesOf(sql string, tables []*embedded.Table, origins []embedded.Origin) [][]string {
	all := make([][]string, len(origins))
	if compoundOperator.MatchString(sql) {
		return all
	}
	for i, origin := range origins {
		for _, t := range tables {
			for _, column := range t.Columns {
				if t.Name == origin.Table && column.Name == origin.Column && column.Name == statusColumn {
					all[i] = shodanrep.StatusesIn(column.Description)
				}
			}
		}
	}
	return all
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
		if r.failOn.count(wordIn(values[i]), "") {
			return true
		}
	}
	for _, i := range r.statuses {
		if r.failOn.count("", wordIn(values[i])) {
			return true
		}
	}
	return true
}

// wordIn returns the text that a value is, also in JSON, as x -> '$.level' returns it, and "" for any other value.
func wordIn(value any) (word string) {
	switch value := value.(type) {
	case string:
		return value
	case json.RawMessage:
		_ = json.Unmarshal(value, &word) // else it is no text
	}
	return word
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
	for _, word := range f.selector.words {
		if isStatus(word) && !f.anyStatus && !f.statuses[word] && !f.statuses[equivalent(word)] {
			return fmt.Errorf("--fail-on %s: the column %s of the result never has this value, but %s: use one of these",
				word, statusColumn, strings.Join(slices.Sorted(maps.Keys(f.statuses)), ", "))
		}
	}
	return nil
}

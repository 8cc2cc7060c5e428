package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// statement collects what happens while one statement is prepared and run, since SQLite carries neither Go errors nor
// the reason why it found no plan.
type statement struct {
	tables []*statementTable
	err    error
	// compileOnly says that the statement is compiled for its names alone, and never run.
	compileOnly bool
}

type statementTable struct {
	*Table
	// refusals and plans count the answers of BestIndex.
	refusals, plans int
	// lookups counts the scans that asked the plugin.
	lookups int
	// emptyList is a column that was compared with a list of nothing.
	emptyList string
}

func (s *statement) table(t *Table) *statementTable {
	i := slices.IndexFunc(s.tables, func(st *statementTable) bool { return st.Table == t })
	if i < 0 {
		s.tables = append(s.tables, &statementTable{Table: t})
		i = len(s.tables) - 1
	}
	return s.tables[i]
}

func (s *statement) refused(t *Table)  { s.table(t).refusals++ }
func (s *statement) accepted(t *Table) { s.table(t).plans++ }
func (s *statement) asked(t *Table)    { s.table(t).lookups++ }

// skipped notes a scan that had nothing to ask for, because of an empty list of the column if that has a name.
func (s *statement) skipped(t *Table, emptyList string) {
	st := s.table(t)
	st.emptyList = cmp.Or(emptyList, st.emptyList)
}

func (s *statement) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// noPlan explains why SQLite found no way to run a statement: each table that could not be asked in some way needs a
// condition that it didn't get.
func (s *statement) noPlan() error {
	var needs []string
	// A table that no plan could ask is the cause, unless every one could in some order but not together.
	for _, never := range []bool{true, false} {
		for _, t := range s.tables {
			if t.refusals > 0 && (t.plans == 0 || !never) {
				needs = append(needs, t.needs())
			}
		}
		if len(needs) > 0 {
			break
		}
	}
	if len(needs) == 0 {
		return nil
	}
	return errors.New(strings.Join(needs, "\n"))
}

// warnings says which tables were never asked: no rows from those mean nothing. A table that would have been listed
// without any condition is none of them.
func (s *statement) warnings() []string {
	var warnings []string
	for _, t := range s.tables {
		switch {
		case t.plans == 0 || t.lookups > 0 || t.satisfied(func(string, string) bool { return false }):
		case t.emptyList != "":
			warnings = append(warnings,
				fmt.Sprintf("%s: the list of %s is empty, nothing was looked up", t.Name, t.emptyList))
		default:
			warnings = append(warnings, fmt.Sprintf("%s: there was no value to look up, nothing was looked up", t.Name))
		}
	}
	return warnings
}

package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A statement records what happens while one statement is prepared and run: SQLite returns neither Go errors nor the
// reason why it found no plan.
type statement struct {
	tables []*statementTable
	err    error
	// notTime is the first text that was compared with a time and is none, in quotes, if there is one.
	notTime string
	// compileOnly says that the statement is only compiled, for the names in it.
	compileOnly bool
}

type statementTable struct {
	*Table
	// rejections and plans count the results of BestIndex.
	rejections, plans int
	// scans counts the scans that called the plugin.
	scans int
	// emptyList is a column that was compared with an empty list.
	emptyList string
	// notTime is a condition that compares a time with a text that is no time, and asText one that compares the texts of
	// times, of which one has another form.
	notTime, asText string
}

func (s *statement) table(t *Table) *statementTable {
	i := slices.IndexFunc(s.tables, func(st *statementTable) bool { return st.Table == t })
	if i < 0 {
		s.tables = append(s.tables, &statementTable{Table: t})
		i = len(s.tables) - 1
	}
	return s.tables[i]
}

func (s *statement) rejected(t *Table) { s.table(t).rejections++ }
func (s *statement) accepted(t *Table) { s.table(t).plans++ }
func (s *statement) started(t *Table)  { s.table(t).scans++ }

// skipped records a scan that had nothing to look up. emptyList is the column of an empty list, if there is one.
func (s *statement) skipped(t *Table, emptyList string) {
	st := s.table(t)
	st.emptyList = cmp.Or(emptyList, st.emptyList)
}

// comparedText records the conditions of a request that compare a time with a text that is no time, and the texts of times.
func (s *statement) comparedText(t *Table, notTime, asText string) {
	st := s.table(t)
	st.notTime, st.asText = cmp.Or(st.notTime, notTime), cmp.Or(st.asText, asText)
}

// comparedTexts records that a time was compared with a text that is no time. Either can be the text.
func (s *statement) comparedTexts(a, b string) {
	if s.notTime != "" {
		return
	}
	text := a
	if _, ok := parseTimestamp(a); ok {
		text = b
	}
	s.notTime = fmt.Sprintf("'%.60s'", text)
}

func (s *statement) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// missingConditions returns the error of a statement for which SQLite found no plan: tables need conditions that they
// do not have.
func (s *statement) missingConditions() error {
	var needs []string
	// The cause is a table that has no plan at all, or else that the plans of all tables are not possible together.
	for _, never := range []bool{true, false} {
		for _, t := range s.tables {
			if t.rejections > 0 && (t.plans == 0 || !never) {
				needs = append(needs, t.requirement())
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

// warnings lists the tables that the statement did not read, because there was nothing to look up: that they have no
// rows means nothing. Tables that need no condition are not listed. It also lists conditions that SQLite compares as
// texts: after 'yesterday' is nothing, and before it everything.
func (s *statement) warnings() []string {
	var warnings []string
	const advice = "write it such as 2026-01-31T06:00:00Z, or use datetime('now', '-1 day')"
	knowsCondition := slices.ContainsFunc(s.tables, func(t *statementTable) bool { return t.notTime != "" })
	if s.notTime != "" && !knowsCondition {
		warnings = append(warnings, fmt.Sprintf("a time was compared as a text with %s, because this is not a time: %s", s.notTime, advice))
	}
	for _, t := range s.tables {
		if t.notTime != "" {
			warnings = append(warnings, fmt.Sprintf("%s: %s compares texts, because this is not a time: %s", t.Name, t.notTime, advice))
		} else if t.asText != "" {
			warnings = append(warnings, fmt.Sprintf("%s: %s compares texts, because SQLite compares as the column on the left does: write the time on the left, or datetime(…) on both sides",
				t.Name, t.asText))
		}
		switch {
		case t.plans == 0 || t.scans > 0 || t.satisfied(func(string, string) bool { return false }):
		case t.emptyList != "":
			warnings = append(warnings,
				fmt.Sprintf("%s: the list of %s is empty, nothing was looked up", t.Name, t.emptyList))
		default:
			warnings = append(warnings, fmt.Sprintf("%s: there was no value to look up, nothing was looked up", t.Name))
		}
	}
	return warnings
}

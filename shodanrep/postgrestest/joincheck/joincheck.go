// Package joincheck finds joins of which Steampipe drops conditions, and queries with a LIMIT of which it drops rows.
//
// In a nested loop by a key column, Steampipe's foreign data wrapper keeps the key and at most one more equality. It
// drops every other condition on the table and another table without an error: the wrapper does not put it into the
// path, and PostgreSQL assumes that it is enforced. So a query may join a table of the plugin by only one condition,
// and must filter where PostgreSQL cannot merge the filter into the join: outside a materialized CTE, a function, or a
// subquery with offset 0.
//
// It also computes operators before the columns of other tables have values: for s.ip = t.ip + 1 or
// s.query = 'port:' || t.port PostgreSQL reads from a null pointer, and all its processes end. So a column of the plugin
// must be compared with a column, which a materialized CTE or a subquery with offset 0 may compute.
//
// It passes the LIMIT of a query to the plugin although PostgreSQL sorts by an expression after it, or makes more rows or
// fewer of those that it gets. So such a query must select in a materialized CTE.
//
// The check is stricter than the wrapper: it reports every table that is joined by more than one condition, and every
// such operator, whatever the plan is. It also reports limits of tables that do without, see scan.DropLimit.
package joincheck

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/wasilibs/go-pgquery/parser"
)

// parsing lets one text be parsed at a time. For each that is parsed beside others, the parser would compile PostgreSQL's
// parser anew, which takes seconds.
var parsing sync.Mutex

// Problems parses SQL with PostgreSQL's parser and returns its unsafe joins and limits. The tables are those of the plugin and of
// other plugins, by name. Tables without key columns are read completely and lose no condition.
func Problems(sql string, tables map[string]*plugin.Table) ([]string, error) {
	parsing.Lock()
	text, err := parser.ParseToJSON(sql)
	parsing.Unlock()
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	statements, err := decode(text)
	if err != nil {
		return nil, err
	}
	c := &checker{tables: tables}
	for _, selected := range find(statements, "SelectStmt") {
		c.query(selected, nil, inFrom)
	}
	return c.problems(), nil
}

// Foreign returns tables of other plugins, of which only the names are known.
func Foreign(names ...string) map[string]*plugin.Table {
	tables := map[string]*plugin.Table{}
	for _, name := range names {
		tables[name] = &plugin.Table{Name: name, List: &plugin.ListConfig{KeyColumns: plugin.SingleColumn("unknown")}}
	}
	return tables
}

// Check reports each problem of the SQL at a place as an error of a test.
func Check(t testing.TB, place, sql string, tables map[string]*plugin.Table) {
	t.Helper()
	problems, err := Problems(sql, tables)
	if err != nil {
		t.Errorf("%s: %v\n%s", place, err, sql)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s\n%s", place, problem, sql)
	}
}

// A checker collects the problems of the statements in one text.
type checker struct {
	tables map[string]*plugin.Table
	scans  []*scan
	shared []string // problems that are not those of one scan
}

// A scan is one use of a table of a plugin in a query.
type scan struct {
	table      string
	scope      *scope
	keys       []string
	fixed      bool     // a key has a value that is known when the scan begins
	conditions []string // on this and another table
}

// other stands for everything that is not a scan.
var other = &scan{table: "another table"}

func (c *checker) problems() []string {
	var found []string
	for _, s := range c.scans {
		if len(s.conditions) > 1 {
			found = append(found, fmt.Sprintf("%s is joined by more than one condition, and Steampipe may drop all but the first: %s",
				s.table, strings.Join(s.conditions, "; ")))
		}
	}
	found = append(found, c.shared...)
	slices.Sort(found) // a CTE is checked each time it is used
	return slices.Compact(found)
}

// newScan returns a scan of a table, or nil if the table is unknown or has no key columns.
func (c *checker) newScan(table string, sc *scope) *scan {
	t := c.tables[table]
	if t == nil || t.List == nil || len(t.List.KeyColumns) == 0 {
		return nil
	}
	s := &scan{table: table, scope: sc}
	for _, key := range t.List.KeyColumns {
		s.keys = append(s.keys, key.Name)
	}
	c.scans = append(c.scans, s)
	return s
}

// condition adds a condition to the scans whose columns are in it.
func (c *checker) condition(condition node, sc *scope) {
	names := sc.dependencies(c, condition)
	for s := range names {
		if s != other && len(names) > 1 && !sc.hides(s) {
			s.conditions = append(s.conditions, describe(condition))
			if sc.computes(c, condition, s) {
				c.shared = append(c.shared, fmt.Sprintf("%s is compared with what an operator computes from another table, and Steampipe crashes: %s",
					s.table, describe(condition)))
			}
		}
	}
	if len(names) == 1 && !names[other] {
		for s := range names {
			s.fixed = s.fixed || isEquality(condition) && slices.ContainsFunc(columnsOf(condition), func(fields []string) bool {
				return slices.Contains(s.keys, fields[len(fields)-1])
			})
		}
	}
}

// computes reports whether a condition compares a column of a scan with what an operator computes from other columns.
func (sc *scope) computes(c *checker, condition node, s *scan) bool {
	e := as(condition, "A_Expr")
	for _, sides := range [][2]any{{e["lexpr"], e["rexpr"]}, {e["rexpr"], e["lexpr"]}} {
		ref, computed := as(sides[0], "ColumnRef"), as(sides[1], "A_Expr")
		if ref == nil || computed == nil || !sc.resolve(fieldsOf(ref))[s] {
			continue
		}
		for from := range sc.dependencies(c, computed) {
			if from != s {
				return true
			}
		}
	}
	return false
}

// describe returns the columns of a condition.
func describe(condition node) string {
	var names []string
	for _, fields := range columnsOf(condition) {
		names = append(names, strings.Join(fields, "."))
	}
	return strings.Join(names, ", ")
}

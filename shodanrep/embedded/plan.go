package embedded

import (
	"encoding/json"

	"github.com/ncruces/go-sqlite3"
)

// plan is what BestIndex decided, for Filter to carry out: which columns the query uses, and what each of the values
// that SQLite will hand over means.
type plan struct {
	Used uint64
	Args []planArg
}

// planArg is one value that SQLite hands over. Op is an operator of the SDK, or one of the two below.
type planArg struct {
	Column int
	Op     string
	// In says that the value is a whole list.
	In bool
}

const (
	opEqual  = "="
	opLimit  = "limit"
	opOffset = "offset"
)

// operators are the ones, of those that SQLite offers, that mean the same to the SDK. LIKE is the SDK's ILIKE: both
// ignore case. GLOB, REGEXP and MATCH have no counterpart there.
var operators = map[sqlite3.IndexConstraintOp]string{
	sqlite3.INDEX_CONSTRAINT_EQ:        opEqual,
	sqlite3.INDEX_CONSTRAINT_GT:        ">",
	sqlite3.INDEX_CONSTRAINT_GE:        ">=",
	sqlite3.INDEX_CONSTRAINT_LT:        "<",
	sqlite3.INDEX_CONSTRAINT_LE:        "<=",
	sqlite3.INDEX_CONSTRAINT_NE:        "<>",
	sqlite3.INDEX_CONSTRAINT_LIKE:      "~~*",
	sqlite3.INDEX_CONSTRAINT_ISNULL:    "is null",
	sqlite3.INDEX_CONSTRAINT_ISNOTNULL: "is not null",
	sqlite3.INDEX_CONSTRAINT_LIMIT:     opLimit,
	sqlite3.INDEX_CONSTRAINT_OFFSET:    opOffset,
}

// The costs tell the planner, in steps of SQLite's own, that a call to the plugin is dear whatever it returns, that a
// batch is one call, and that a table without conditions may have no end. So a list is looked up as one batch and joined
// afterwards, rather than asked for one value after the other.
const (
	callCost, callRows = 10_000, 10
	listCost, listRows = 11_000, 100
	scanCost, scanRows = 1e8, 1_000_000
)

// choose fills in what SQLite asks of BestIndex, and reports false where the plugin cannot answer with the conditions
// that are usable.
func (t *Table) choose(idx *sqlite3.IndexInfo) bool {
	p := plan{Used: idx.ColumnsUsed}
	type condition struct {
		column   string
		operator string
	}
	given := make(map[condition]bool)
	// exact says that what the plugin returns is what the query asks for, so that a LIMIT of the query is one of ours.
	exact := len(idx.OrderBy) == 0 && len(t.connection.Members) == 0
	hasList, hasOne, limits := false, false, make(map[string]int)

	for i, c := range idx.Constraint {
		operator := operators[c.Op]
		if operator == opLimit || operator == opOffset {
			limits[operator] = i
			exact = exact && c.Usable
			continue
		}
		equal := operator == opEqual
		if !c.Usable || operator == "" || !t.takes(c.Column, operator) ||
			equal && idx.Collation(i) != "BINARY" {
			exact = false
			continue
		}
		in := equal && idx.In(i, -1)
		if in {
			idx.In(i, 1)
		}
		hasList, hasOne = hasList || in, hasOne || equal && !in
		// What is asked for by equality is compared again when the rows come, and by the rules of the column's type,
		// which SQLite doesn't know. The other operators are hints: the plugin may do less than SQLite asks for.
		idx.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: len(p.Args) + 1, Omit: equal}
		exact = exact && equal
		p.Args = append(p.Args, planArg{Column: c.Column, Op: operator, In: in})
		given[condition{t.Columns[c.Column].Name, operator}] = true
	}
	if !t.satisfied(func(column, operator string) bool { return given[condition{column, operator}] }) {
		return false
	}
	if i, ok := limits[opLimit]; ok && exact {
		idx.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: len(p.Args) + 1}
		p.Args = append(p.Args, planArg{Op: opLimit})
		// The rows before the offset are wanted too: SQLite skips them itself.
		if i, ok := limits[opOffset]; ok {
			idx.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: len(p.Args) + 1}
			p.Args = append(p.Args, planArg{Op: opOffset})
		}
	}

	switch {
	case len(given) == 0:
		idx.EstimatedCost, idx.EstimatedRows = scanCost, scanRows
	case hasList && !hasOne:
		idx.EstimatedCost, idx.EstimatedRows = listCost, listRows
	default:
		idx.EstimatedCost, idx.EstimatedRows = callCost, callRows
	}
	text, _ := json.Marshal(p) // Integers, strings and booleans always marshal.
	idx.IdxStr = string(text)
	return true
}

package embedded

import (
	"encoding/json"
	"slices"

	"github.com/ncruces/go-sqlite3"
)

// A plan is what BestIndex passes to Filter: which columns the query uses, and what the arguments of Filter mean.
type plan struct {
	Used uint64
	Args []planArg
}

// A planArg is an argument of Filter. Op is an operator of the SDK, opLimit or opOffset.
type planArg struct {
	Column int
	Op     string
	// In says that the argument is a whole list.
	In bool
	// AsText says that SQLite compares the texts of times, because the other side of the condition decides how.
	AsText bool
	// Unsent says that the condition is not for the plugin.
	Unsent bool
}

const (
	opEqual  = "="
	opLimit  = "limit"
	opOffset = "offset"
)

// operators maps SQLite's operators to the SDK's. LIKE is the SDK's ILIKE, because both ignore case. The SDK has no
// GLOB, REGEXP and MATCH.
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

// comparisons are the operators of the order of values.
var comparisons = []string{opEqual, ">", ">=", "<", "<=", "<>"}

// The costs, in SQLite's units, tell the planner that a call of the plugin is expensive, that a batch is one call, and
// that a table without conditions may be endless. SQLite then looks up a list as one batch and joins afterwards,
// instead of one value at a time.
const (
	callCost, callRows = 10_000, 10
	listCost, listRows = 11_000, 100
	scanCost, scanRows = 1e8, 1_000_000
)

// planScan fills in idx for BestIndex. It reports false if the plugin cannot list the table with the usable conditions.
func planScan(t *Table, idx *sqlite3.IndexInfo) bool {
	p := plan{Used: idx.ColumnsUsed}
	type condition struct {
		column   string
		operator string
	}
	given := make(map[condition]bool)
	// exact says that the plugin returns exactly the rows of the query, so that the query's LIMIT applies to them.
	exact := len(idx.OrderBy) == 0 && len(t.connection.Members) == 0
	hasList, hasOne, limits := false, false, make(map[string]int)

	for i, c := range idx.Constraint {
		operator := operators[c.Op]
		if operator == opLimit || operator == opOffset {
			limits[operator] = i
			exact = exact && c.Usable
			continue
		}
		if c.Column < 0 { // the rowid, which the plugin does not know
			exact = false
			continue
		}
		equal := operator == opEqual
		in := c.Usable && equal && idx.In(i, -1)
		asText := c.Usable && slices.Contains(comparisons, operator) && comparesTexts(t.Columns[c.Column], idx.Collation(i))
		if !c.Usable || operator == "" || !t.accepts(c.Column, operator) ||
			equal && !isPlainCollation(t.Columns[c.Column], idx.Collation(i)) {
			exact = false
			// The value is only looked at. It is not known to a table that is read before the one of the texts, and for each
			// value of a list SQLite would run a scan.
			if asText && !in {
				p.addArg(idx, i, planArg{Column: c.Column, Op: operator, AsText: true, Unsent: true}, false)
			}
			continue
		}
		if in {
			idx.In(i, 1)
		}
		hasList, hasOne = hasList || in, hasOne || equal && !in
		// Conditions by equality are checked again for every row, by the rules of the column's type, which SQLite does
		// not know. Other operators are hints: the plugin may ignore them, and SQLite checks them.
		p.addArg(idx, i, planArg{Column: c.Column, Op: operator, In: in, AsText: asText && !equal}, equal)
		exact = exact && equal
		given[condition{t.Columns[c.Column].Name, operator}] = true
	}
	if !t.satisfied(func(column, operator string) bool { return given[condition{column, operator}] }) {
		return false
	}
	if exact {
		p.addLimit(idx, limits)
	}
	switch {
	case len(given) == 0:
		idx.EstimatedCost, idx.EstimatedRows = scanCost, scanRows
	case hasList && !hasOne:
		idx.EstimatedCost, idx.EstimatedRows = listCost, listRows
	default:
		idx.EstimatedCost, idx.EstimatedRows = callCost, callRows
	}
	text, _ := json.Marshal(p) // it has only integers, strings and booleans
	idx.IdxStr = string(text)
	return true
}

// addArg passes the value of a condition to Filter. With omit SQLite does not check the condition itself.
func (p *plan) addArg(idx *sqlite3.IndexInfo, constraint int, arg planArg, omit bool) {
	p.Args = append(p.Args, arg)
	idx.ConstraintUsage[constraint] = sqlite3.IndexConstraintUsage{ArgvIndex: len(p.Args), Omit: omit}
}

// addLimit passes the LIMIT of a query to Filter, if there is one. limits are the constraints by their operators.
func (p *plan) addLimit(idx *sqlite3.IndexInfo, limits map[string]int) {
	limit, hasLimit := limits[opLimit]
	if !hasLimit {
		return
	}
	p.addArg(idx, limit, planArg{Op: opLimit}, false)
	if offset, hasOffset := limits[opOffset]; hasOffset { // SQLite itself skips the rows before it
		p.addArg(idx, offset, planArg{Op: opOffset}, false)
	}
}
